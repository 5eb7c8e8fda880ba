//! Bytes to a tree. The YAML that a suite may use ends here: maps, lists and scalars; no anchors, aliases, tags, directives
//! or second documents, so a file means what it shows, and its size bounds the work.

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError};

use super::fault::{At, Fault, shown};
use super::tree::{Entry, Key, Kind, Node};

/// Bytes of a file that is read at all.
pub const MAX_FILE: usize = 4 << 20;
/// Bytes of a line: nobody reads a longer one.
const MAX_LINE: usize = 16 << 10;
/// Collections within collections.
const MAX_DEPTH: usize = 24;
/// Scalars and collections of a file.
const MAX_NODES: usize = 50_000;

/// The text of a file, or the first byte that is none.
///
/// # Errors
/// Bytes that no text file has: too many, not UTF-8, control characters, a line without end.
pub fn text(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.len() > MAX_FILE {
        return Err(Fault::new(At::START, format!("the file has {} bytes", bytes.len()))
            .help(format!("split it: at most {MAX_FILE} bytes are read")));
    }
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Err(Fault::new(At::START, "the file is UTF-16").help("save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let bad = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        let at = end_of(&String::from_utf8_lossy(before));
        Fault::new(at, format!("byte 0x{bad:02x} is not UTF-8")).help("save the file as UTF-8")
    })?;
    for (number, line) in text.split('\n').enumerate() {
        let line_number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        if line.len() > MAX_LINE {
            return Err(Fault::new(At { line: line_number, column: 1 }, format!("the line has {} bytes", line.len()))
                .help(format!("break it: at most {MAX_LINE} bytes a line")));
        }
        let content = line.strip_suffix('\r').unwrap_or(line);
        let bad = content.chars().enumerate().find(|(_, c)| (c.is_control() && *c != '\t') || *c == '\u{feff}');
        if let Some((i, c)) = bad {
            let at = At { line: line_number, column: u32::try_from(i + 1).unwrap_or(u32::MAX) };
            let fault = Fault::new(at, format!("the character U+{:04X} cannot stand in a file", u32::from(c)));
            return Err(fault.help("write it as an escape in double quotes, such as \"\\x07\", or take it out"));
        }
    }
    Ok(text)
}

/// The place behind the last character.
fn end_of(text: &str) -> At {
    let line = text.matches('\n').count() + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    At { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
}

/// A collection that is being read.
enum Frame {
    List(At, Vec<Node>),
    Map(At, Vec<Entry>, Option<Key>),
}

/// Parses a file's text.
///
/// # Errors
/// The first thing that is not YAML, or not the part of it that suites use.
pub fn parse(text: &str) -> Result<Node, Fault> {
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        emit_unresolved_aliases: true,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut frames: Vec<Frame> = Vec::new();
    let mut root: Option<Node> = None;
    let mut nodes = 0usize;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| syntax(&error, text))?;
        let at = place(&span.start);
        let (anchor, tag) = match &event {
            Event::Scalar(_, _, anchor, tag) => (*anchor, tag.is_some()),
            Event::SequenceStart(_, anchor, tag) | Event::MappingStart(_, anchor, tag) => (*anchor, tag.is_some()),
            _ => (0, false),
        };
        if anchor != 0 {
            let at = span_start_of(text, at, '&');
            return Err(Fault::new(at, format!("the anchor `{}`: suites have none", word_at(text, at)))
                .help("write the value where it is needed, use `each` for variations, a bundle for expectations"));
        }
        if tag {
            let at = span.tag_start().map_or(at, |mark| place(&mark));
            return Err(Fault::new(at, format!("the tag `{}`: suites have none", word_at(text, at)))
                .help("take it out; quotes make text of anything"));
        }
        let node = match event {
            Event::DocumentStart(..) if root.is_some() => {
                return Err(Fault::new(at, "a second document").help("one file is one document: make two files of it"));
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                return Err(Fault::new(at, format!("the alias `{}`: suites have none", word_at(text, at)))
                    .help("write the value where it is needed; text that begins with `*` needs quotes"));
            }
            Event::Scalar(value, style, ..) => {
                // The parser writes `~` for a value that is not there at all.
                let value = if style == ScalarStyle::Plain && span.is_empty() { "" } else { &*value };
                let kind = Kind::Scalar { text: value.into(), plain: style == ScalarStyle::Plain };
                Node { at, put_in: None, kind }
            }
            Event::SequenceStart(..) => {
                refuse_as_key(&frames, at)?;
                frames.push(Frame::List(at, Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                refuse_as_key(&frames, at)?;
                frames.push(Frame::Map(at, Vec::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match frames.pop() {
                Some(Frame::List(at, items)) => Node { at, put_in: None, kind: Kind::List(items.into()) },
                Some(Frame::Map(at, entries, _)) => Node { at, put_in: None, kind: Kind::Map(entries.into()) },
                None => continue,
            },
            _ => continue,
        };
        nodes += 1;
        if nodes > MAX_NODES {
            return Err(Fault::new(node.at, format!("more than {MAX_NODES} values in one file")).help("split the file"));
        }
        match frames.last_mut() {
            None => root = Some(node),
            Some(Frame::List(_, items)) => items.push(node),
            Some(Frame::Map(_, entries, pending)) => match pending.take() {
                None => *pending = Some(key(node)?),
                Some(key) => {
                    let mut value = node;
                    if matches!(&value.kind, Kind::Scalar { text, plain: true } if text.is_empty()) {
                        value.at = key.at;
                    }
                    entries.push(Entry { key, value });
                }
            },
        }
    }
    match root {
        Some(node) if !matches!(&node.kind, Kind::Scalar { text, plain: true } if text.is_empty()) => Ok(node),
        _ => Err(Fault::new(At::START, "there is nothing in the file").help("write it, or delete it")),
    }
}

/// A scalar as a key.
fn key(node: Node) -> Result<Key, Fault> {
    match node.kind {
        Kind::Scalar { text, plain } if !(plain && text.is_empty()) => Ok(Key { at: node.at, text }),
        _ => Err(Fault::new(node.at, "an entry without a key").help("write `key: value`")),
    }
}

/// Refuses a collection where a key is due.
fn refuse_as_key(frames: &[Frame], at: At) -> Result<(), Fault> {
    match frames.last() {
        Some(Frame::Map(_, _, None)) => Err(Fault::new(at, "a list or map as a key")
            .help("a key is one word; text that begins with `{` or `[`, such as a template, needs quotes")),
        _ => Ok(()),
    }
}

/// The word that begins at `at`.
fn word_at(text: &str, at: At) -> String {
    let line = text.lines().nth(at.line as usize - 1).unwrap_or_default();
    let ends = |c: &char| !c.is_whitespace() && !",[]{}".contains(*c);
    shown(&line.chars().skip(at.column as usize - 1).take_while(ends).collect::<String>(), 60)
}

/// Where a property (`&`) begins that stands before the value at `at`.
fn span_start_of(text: &str, at: At, sign: char) -> At {
    let mut line_number = at.line;
    let lines: Vec<&str> = text.lines().take(at.line as usize).collect();
    for line in lines.iter().rev().take(2) {
        let upto = if line_number == at.line { at.column as usize } else { usize::MAX };
        let found = line.chars().take(upto).enumerate().filter(|(_, c)| *c == sign).last();
        if let Some((i, _)) = found {
            return At { line: line_number, column: u32::try_from(i + 1).unwrap_or(u32::MAX) };
        }
        line_number -= 1;
    }
    at
}

/// The parser's place as ours.
fn place(mark: &Marker) -> At {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    At { line: number(mark.line()).max(1), column: number(mark.col()).saturating_add(1) }
}

/// A parser's error, in words for an author.
fn syntax(error: &ScanError, text: &str) -> Fault {
    let at = place(error.marker());
    let line = text.lines().nth(at.line as usize - 1).unwrap_or_default();
    let tab = line.chars().take_while(|c| c.is_whitespace()).position(|c| c == '\t');
    if let Some(tab) = tab {
        let at = At { line: at.line, column: u32::try_from(tab + 1).unwrap_or(u32::MAX) };
        return Fault::new(at, "a tab in the indentation").help("indent with spaces");
    }
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => {
            Fault::new(at, format!("more than {MAX_DEPTH} collections within each other"))
                .help("nothing in a suite is that deep")
        }
        ErrorKind::DirectiveDisallowed => Fault::new(at, "a directive: suites have none")
            .help("take the line out; text that begins with `%` needs quotes"),
        _ => Fault::new(at, format!("not YAML: {}", shown(&error.info(), 200)))
            .help("mostly an indentation, a missing quote or a missing bracket, here or just above"),
    }
}
