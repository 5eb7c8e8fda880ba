//! What is wrong with a file, where, and what to do about it.

use std::fmt::Write as _;
use std::sync::Arc;

use super::model::Source;
use crate::near::nearest;

/// A place in the file at hand: line and column from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl At {
    /// The first character of a file.
    pub const START: At = At { line: 1, column: 1 };
}

/// Something wrong in the file at hand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where.
    pub at: At,
    /// What.
    pub message: String,
    /// What to do, a line each.
    pub help: Vec<String>,
}

impl Fault {
    /// A fault without advice.
    pub fn new(at: At, message: impl Into<String>) -> Fault {
        Fault { at, message: message.into(), help: Vec::new() }
    }

    /// Adds a line of advice.
    #[must_use]
    pub fn help(mut self, line: impl Into<String>) -> Fault {
        self.help.push(line.into());
        self
    }

    /// Adds "did you mean", where a candidate is near, and otherwise what there is.
    #[must_use]
    pub fn choices<'a>(mut self, word: &str, candidates: impl IntoIterator<Item = &'a str>, what: &str) -> Fault {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        if let Some(near) = nearest(word, candidates.iter().copied()) {
            self.help.push(format!("did you mean `{}`?", shown(near, 80)));
        } else if let Some(list) = listed(&akin(word, &candidates)) {
            self.help.push(format!("{what}: {list}"));
        }
        self
    }
}

/// The candidates that begin with the same dotted part, where there are any; else all.
fn akin<'a>(word: &str, candidates: &[&'a str]) -> Vec<&'a str> {
    let area = |name: &str| name.split_once('.').map(|(area, _)| area.to_owned());
    let same: Vec<&str> =
        candidates.iter().copied().filter(|name| area(word).is_some() && area(name) == area(word)).collect();
    if same.is_empty() { candidates.to_vec() } else { same }
}

/// Names in a row, the first dozen of them.
fn listed(names: &[&str]) -> Option<String> {
    const MOST: usize = 12;
    let mut list = names.iter().take(MOST).map(|name| shown(name, 60)).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        let _ = write!(list, ", and {} more", names.len() - MOST);
    }
    (!list.is_empty()).then_some(list)
}

/// Foreign text as it is printed: control characters escaped, at most `most` characters.
pub fn shown(text: &str, most: usize) -> String {
    let mut out: String = text.chars().take(most).flat_map(visible).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

/// A character, escaped where a terminal would not print it as itself.
fn visible(c: char) -> Vec<char> {
    let hides = c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if hides { c.escape_default().collect() } else { vec![c] }
}

/// A fault in one of many files, with the line that it stands on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// File, line, column.
    pub source: Source,
    /// What is wrong.
    pub message: String,
    /// What to do, a line each.
    pub help: Vec<String>,
    /// The part of the line around the column, printable, and the column within it (from 0); `None` where there is no line.
    pub snippet: Option<(String, usize)>,
}

/// Characters of a line that a snippet shows.
const SNIPPET: usize = 120;

impl Diagnostic {
    /// Puts a fault into its file; `line` is the text of the line that it names.
    pub fn new(file: &Arc<str>, fault: Fault, line: Option<&str>) -> Diagnostic {
        let At { line: number, column } = fault.at;
        let snippet = line.filter(|line| !line.trim().is_empty()).map(|line| snippet(line, column as usize));
        Diagnostic {
            source: Source { file: file.clone(), line: number as usize, column: column as usize },
            message: shown(&fault.message, 600),
            help: fault.help.iter().map(|line| shown(line, 1200)).collect(),
            snippet,
        }
    }

    /// The text for a reader: place, message, the line with a caret, advice. `colour` adds ANSI sequences.
    pub fn render(&self, colour: bool) -> String {
        let (bold, red, blue, plain) =
            if colour { ("\u{1b}[1m", "\u{1b}[31m", "\u{1b}[34m", "\u{1b}[0m") } else { ("", "", "", "") };
        let place = shown(&self.source.to_string(), 400);
        let mut out = format!("{bold}{place}:{plain} {bold}{}{plain}\n", self.message);
        let margin = self.source.line.to_string().len();
        if let Some((text, column)) = &self.snippet {
            let _ = writeln!(out, "{blue}{} |{plain} {text}", self.source.line);
            let _ = writeln!(out, "{blue}{:margin$} |{plain} {:column$}{red}^{plain}", "", "");
        }
        for line in &self.help {
            let _ = writeln!(out, "{blue}{:margin$} ={plain} {line}", "");
        }
        out
    }
}

/// The printable part of a line around a column, and where the column is in it.
fn snippet(line: &str, column: usize) -> (String, usize) {
    let wanted = column.saturating_sub(1);
    let short = line.chars().nth(SNIPPET).is_none();
    let first = if short { 0 } else { wanted.saturating_sub(SNIPPET * 2 / 3) };
    let mut out = String::new();
    let mut caret = 0;
    if first > 0 {
        out.push('…');
    }
    let mut rest = line.chars().enumerate().skip(first);
    for (i, c) in rest.by_ref().take(SNIPPET) {
        if i == wanted {
            caret = out.chars().count();
        }
        if c == '\t' { out.push(' ') } else { out.extend(visible(c)) }
    }
    if wanted >= first + SNIPPET || line.chars().count() <= wanted {
        caret = out.chars().count();
    }
    if rest.next().is_some() {
        out.push('…');
    }
    (out, caret)
}

/// All diagnostics of all files, sorted by file, line and column. Never empty where it is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// The text for a reader, a blank line between two. `colour` adds ANSI sequences.
    pub fn render(&self, colour: bool) -> String {
        self.0.iter().map(|diagnostic| diagnostic.render(colour)).collect::<Vec<_>>().join("\n")
    }

    /// In how many files there is something wrong.
    pub fn files(&self) -> usize {
        self.0.iter().map(|d| &d.source.file).collect::<std::collections::BTreeSet<_>>().len()
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_the_column() {
        let line = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let (text, caret) = snippet(&line, 501);
        assert_eq!(text.chars().nth(caret), Some('X'));
        assert!(text.chars().count() <= SNIPPET + 2);
    }

    #[test]
    fn the_caret_stands_under_a_character_behind_escapes_and_wide_text() {
        let (text, caret) = snippet("\u{1}é: X", 5);
        assert_eq!(text.chars().nth(caret), Some('X'), "{text}");
        assert!(!text.contains('\u{1}'));
        assert_eq!(snippet("abc", 9), ("abc".into(), 3));
    }

    #[test]
    fn colour_only_where_it_is_asked_for() {
        let file: Arc<str> = "a/b.yaml".into();
        let one = Diagnostic::new(&file, Fault::new(At { line: 3, column: 2 }, "wrong").help("mend it"), Some("  x"));
        assert_eq!(one.render(false), "a/b.yaml:3:2: wrong\n3 |   x\n  |  ^\n  = mend it\n");
        assert!(one.render(true).contains("\u{1b}[31m^"));
    }
}
