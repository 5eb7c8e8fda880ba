//! `{param}` in a case: found, and put in. What is put in is a tree, so text that is exactly one template takes its
//! value's type, and a value can never change the structure around it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::At;
use super::tree::{Entry, Key, Kind, Node};

/// A piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it stands.
    Text(&'a str),
    /// `{name}`: a parameter, or a word that the engine fills in.
    Name(&'a str),
    /// `{word:argument}`: filled in by the engine.
    Filled(&'a str, &'a str),
}

/// Words that the engine fills in, alone.
pub const ENGINE_NAMES: [&str; 3] = ["repo", "run", "wrong-password"];
/// Words that the engine fills in, with an argument: a repository's nickname; a node, whose digest, digest as clients encode it
/// in a query, what follows a digest's colon, type or tag made of its digest is meant; a token's name.
pub const ENGINE_WORDS: [&str; 8] = ["repo", "digest", "encoded", "hex", "size", "type", "tag", "token"];

/// Cuts text into its pieces. Braces around anything but a name (JSON, say) are text.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let (mut from, mut search) = (0, 0);
    while let Some(open) = text[search..].find('{').map(|i| i + search) {
        search = open + 1;
        let Some(close) = text[search..].find(['}', '{']).map(|i| i + search) else { break };
        if !text[close..].starts_with('}') {
            continue;
        }
        let piece = match text[search..close].split_once(':') {
            None if is_name(&text[search..close]) => Piece::Name(&text[search..close]),
            Some((word, argument)) if ENGINE_WORDS.contains(&word) && !argument.is_empty() => {
                Piece::Filled(word, argument)
            }
            _ => continue,
        };
        if from < open {
            out.push(Piece::Text(&text[from..open]));
        }
        out.push(piece);
        from = close + 1;
        search = from;
    }
    if from < text.len() {
        out.push(Piece::Text(&text[from..]));
    }
    out
}

/// The text with a tag of the usual length in place of each `{tag:NODE}`: whether it can be a tag is known before the digest is.
pub fn with_a_tag(text: &str) -> Cow<'_, str> {
    if !text.contains("{tag:") {
        return Cow::Borrowed(text);
    }
    let whole = |piece: &Piece<'_>| match *piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Name(name) => format!("{{{name}}}"),
        Piece::Filled("tag", _) => "x".repeat(71),
        Piece::Filled(word, argument) => format!("{{{word}:{argument}}}"),
    };
    Cow::Owned(pieces(text).iter().map(whole).collect())
}

/// Letters, digits and `-`, a letter first.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A template that stands in a tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub at: At,
}

/// All templates below a node that name a parameter, or should; `lines` is the file's text by lines.
pub fn uses(node: &Node, lines: &[&str]) -> Vec<Use> {
    fn walk(node: &Node, lines: &[&str], out: &mut Vec<Use>) {
        match &node.kind {
            Kind::Scalar { text, .. } => names(text, node.at, lines, out),
            Kind::List(items) => items.iter().for_each(|item| walk(item, lines, out)),
            Kind::Map(entries) => {
                if let Some(name) = unquoted(node) {
                    out.push(Use { name: name.to_owned(), at: node.at });
                }
                for entry in entries.iter() {
                    names(&entry.key.text, entry.key.at, lines, out);
                    walk(&entry.value, lines, out);
                }
            }
        }
    }
    let mut out = Vec::new();
    walk(node, lines, &mut out);
    out
}

/// The name of a template that stands without quotes, and so is a map of one key without a value.
pub fn unquoted(node: &Node) -> Option<&str> {
    let Kind::Map(entries) = &node.kind else { return None };
    let [Entry { key, value: Node { kind: Kind::Scalar { text, plain: true }, .. } }] = &entries[..] else {
        return None;
    };
    (text.is_empty() && is_name(&key.text)).then_some(&*key.text)
}

/// The names in one text.
fn names(text: &str, at: At, lines: &[&str], out: &mut Vec<Use>) {
    if !text.contains('{') {
        return;
    }
    for piece in pieces(text) {
        if let Piece::Name(name) = piece
            && !ENGINE_NAMES.contains(&name)
        {
            out.push(Use { name: name.to_owned(), at: within(at, &format!("{{{name}}}"), lines) });
        }
    }
}

/// Where `what` stands, from `at` on in the same line; `at` where it is not there (text folded over lines).
pub fn within(at: At, what: &str, lines: &[&str]) -> At {
    let line = lines.get(at.line as usize - 1).copied().unwrap_or_default();
    let start = line.char_indices().nth(at.column as usize - 1).map_or(line.len(), |(i, _)| i);
    match line[start..].find(what) {
        Some(i) => {
            let before = line[start..start + i].chars().count();
            At { line: at.line, column: at.column + u32::try_from(before).unwrap_or(0) }
        }
        None => at,
    }
}

/// One value for every parameter.
pub type Values<'a> = BTreeMap<&'a str, &'a Node>;

/// Puts values into a tree. Whatever names no parameter stays; a value keeps its own place, so that what is wrong with it
/// is reported there.
pub fn put_in(node: &Node, values: &Values<'_>) -> Node {
    match &node.kind {
        Kind::Scalar { text, .. } => match filled(text, values) {
            None => node.clone(),
            Some(Filled::Value(value)) => Node { put_in: Some(node.at), ..value.clone() },
            Some(Filled::Text(text)) => {
                Node { at: node.at, put_in: Some(node.at), kind: Kind::Scalar { text: text.into(), plain: false } }
            }
        },
        Kind::List(items) => {
            let kind = Kind::List(items.iter().map(|item| put_in(item, values)).collect());
            Node { at: node.at, put_in: node.put_in, kind }
        }
        Kind::Map(entries) => {
            let entry = |entry: &Entry| Entry { key: key(&entry.key, values), value: put_in(&entry.value, values) };
            Node { at: node.at, put_in: node.put_in, kind: Kind::Map(entries.iter().map(entry).collect()) }
        }
    }
}

/// A key, values put in.
fn key(key: &Key, values: &Values<'_>) -> Key {
    let text: Arc<str> = match filled(&key.text, values) {
        None => key.text.clone(),
        Some(Filled::Value(value)) => text_of(value).into(),
        Some(Filled::Text(text)) => text.into(),
    };
    Key { at: key.at, text }
}

enum Filled<'a> {
    Value(&'a Node),
    Text(String),
}

/// Text with its values; `None` where there is none to put in.
fn filled<'a>(text: &str, values: &Values<'a>) -> Option<Filled<'a>> {
    if !text.contains('{') {
        return None;
    }
    let pieces = pieces(text);
    if let [Piece::Name(name)] = pieces[..] {
        return values.get(name).map(|value| Filled::Value(value));
    }
    let named = |piece: &Piece<'_>| matches!(piece, Piece::Name(name) if values.contains_key(name));
    if !pieces.iter().any(named) {
        return None;
    }
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Name(name) => match values.get(name) {
                Some(value) => out.push_str(&text_of(value)),
                None => out.push_str(&format!("{{{name}}}")),
            },
            Piece::Filled(word, argument) => out.push_str(&format!("{{{word}:{argument}}}")),
        }
    }
    Some(Filled::Text(out))
}

/// A value as text: scalars as written, lists joined with `+`.
pub fn text_of(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar { text, .. } => text.to_string(),
        Kind::List(items) => items.iter().map(text_of).collect::<Vec<_>>().join("+"),
        Kind::Map(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_made_of_a_digest_counts_with_its_length() {
        assert_eq!(with_a_tag("v1"), "v1");
        assert_eq!(with_a_tag("{tag:index}.sig"), format!("{}.sig", "x".repeat(71)));
        assert_eq!(with_a_tag("{digest:index}-{tag:"), "{digest:index}-{tag:");
    }

    #[test]
    fn only_names_in_braces_are_templates() {
        assert_eq!(pieces("{by}"), [Piece::Name("by")]);
        assert_eq!(pieces("a-{by}-b"), [Piece::Text("a-"), Piece::Name("by"), Piece::Text("-b")]);
        assert_eq!(pieces("/v2/{repo}/x"), [Piece::Text("/v2/"), Piece::Name("repo"), Piece::Text("/x")]);
        assert_eq!(pieces("{digest:amd64/config}"), [Piece::Filled("digest", "amd64/config")]);
        assert_eq!(pieces("{digest:{child}}"), [Piece::Text("{digest:"), Piece::Name("child"), Piece::Text("}")]);
        for text in ["{\"a\": {}}", "{}", "{ by }", "{", "}{", "{{{{", "{9}", "{digest:}", "{length:x}"] {
            assert_eq!(pieces(text), [Piece::Text(text)], "{text}");
        }
    }
}
