//! A file as a tree that knows where everything stands.

use std::sync::Arc;

use super::fault::{At, Fault, shown};

/// A value, and where it stands. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub at: At,
    /// Where the template stands that it was put into, if it was.
    pub put_in: Option<At>,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Text, as written; `plain` without quotes, so that it may mean a number, a truth value or nothing.
    Scalar {
        /// The text, escapes resolved.
        text: Arc<str>,
        /// Whether it had no quotes.
        plain: bool,
    },
    /// A list.
    List(Arc<[Node]>),
    /// A map in the order of the file; keys that stand twice are both here.
    Map(Arc<[Entry]>),
}

/// An entry of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Node,
}

/// A key, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Where it stands.
    pub at: At,
    /// Its text.
    pub text: Arc<str>,
}

/// What a plain scalar means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning<'a> {
    /// Nothing: `null`, `~`, or empty.
    Nothing,
    /// `true` or `false`.
    Truth(bool),
    /// A decimal integer.
    Integer(i128),
    /// A decimal fraction.
    Fraction(f64),
    /// Text.
    Text(&'a str),
}

/// Reads what a scalar means: the core schema's decimal numbers, `true`, `false`, `null`; all else is text.
pub fn meaning(text: &str, plain: bool) -> Meaning<'_> {
    if !plain {
        return Meaning::Text(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Meaning::Nothing,
        "true" | "True" | "TRUE" => return Meaning::Truth(true),
        "false" | "False" | "FALSE" => return Meaning::Truth(false),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = digits.len() <= 30 && digits.starts_with(|c: char| c.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    if !number || leading_zero || !digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Meaning::Text(text);
    }
    if let Ok(integer) = text.parse() {
        return Meaning::Integer(integer);
    }
    match text.parse() {
        Ok(fraction) if !digits.ends_with('.') => Meaning::Fraction(fraction),
        _ => Meaning::Text(text),
    }
}

impl Node {
    /// What it is, in words.
    pub fn what(&self) -> String {
        match &self.kind {
            Kind::List(_) => "a list".into(),
            Kind::Map(_) => "a map".into(),
            Kind::Scalar { text, plain } => match meaning(text, *plain) {
                Meaning::Nothing => "nothing".into(),
                Meaning::Truth(_) => format!("`{text}`"),
                Meaning::Integer(_) | Meaning::Fraction(_) => format!("the number {text}"),
                Meaning::Text(text) => format!("the text `{}`", shown(text, 60)),
            },
        }
    }

    /// The entry of a key, where this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| &*entry.key.text == key),
            _ => None,
        }
    }

    /// The deepest value that a path of keys and indexes leads to.
    pub fn find<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> &Node {
        let mut node = self;
        for part in path {
            let next = match &node.kind {
                Kind::Map(_) => node.entry(part).map(|entry| &entry.value),
                Kind::List(items) => part.parse::<usize>().ok().and_then(|i| items.get(i)),
                Kind::Scalar { .. } => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// A fault of this value. Where it was put in for a template, the advice says for which.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        self.used_by(Fault::new(self.at, message))
    }

    /// Adds where this value was put in, if it was.
    pub fn used_by(&self, fault: Fault) -> Fault {
        match self.put_in {
            Some(place) if place.line != fault.at.line => fault.help(format!("it is put in on line {}", place.line)),
            _ => fault,
        }
    }
}
