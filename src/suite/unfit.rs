//! What serde says when a value does not fit, in words for an author and with the value's own place.

use serde::de;

use super::fault::{At, Fault, shown};
use super::tree::Node;

/// What serde says does not fit; the place is added on the way out.
#[derive(Debug)]
pub(super) struct DecodeError(Box<Fault>, bool);

impl DecodeError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        DecodeError(Box::new(Fault::new(At::START, message)), false)
    }
    pub(super) fn at(mut self, at: At) -> Self {
        if !self.1 {
            self.0.at = at;
            self.1 = true;
        }
        self
    }
    /// As [`Self::at`], and says where the value was put in.
    pub(super) fn on(self, node: &Node) -> Self {
        if self.1 { self } else { DecodeError(Box::new(node.used_by(self.at(node.at).0.as_ref().clone())), true) }
    }
    pub(super) fn help(mut self, line: impl Into<String>) -> Self {
        self.0.help.push(line.into());
        self
    }
    pub(super) fn into_fault(self, node: &Node) -> Fault {
        *self.on(node).0
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        DecodeError::new(shown(&message.to_string(), 400))
    }
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let fault = Fault::new(At::START, format!("the key `{}` is unknown", shown(field, 60)));
        DecodeError(Box::new(fault.choices(field, expected.iter().copied(), "the keys are")), false)
    }
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let fault = Fault::new(At::START, format!("`{}` is none of the words that can stand here", shown(variant, 60)));
        DecodeError(Box::new(fault.choices(variant, expected.iter().copied(), "the words are")), false)
    }
    fn missing_field(field: &'static str) -> Self {
        DecodeError::new(format!("the key `{field}` is missing")).help(format!("add `{field}: ...`"))
    }
    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let range = match expected.to_string().as_str() {
            "u8" => "a whole number, 0 to 255".to_owned(),
            "u16" => "a whole number, 0 to 65535".to_owned(),
            "u32" => "a whole number, 0 to 4294967295".to_owned(),
            "u64" => "a whole number from 0".to_owned(),
            "i64" => "a whole number".to_owned(),
            other => other.to_owned(),
        };
        DecodeError::new(format!("{} does not fit", words(unexpected))).help(format!("write {range}"))
    }
    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        DecodeError::new(format!("{} cannot stand here", words(unexpected))).help(format!("write {expected}"))
    }
}

/// What serde found, in our words.
fn words(unexpected: de::Unexpected<'_>) -> String {
    use de::Unexpected::{Bool, Float, Map, Seq, Signed, Str, Unit, Unsigned};
    match unexpected {
        Bool(b) => format!("`{b}`"),
        Unsigned(n) => format!("the number {n}"),
        Signed(n) => format!("the number {n}"),
        Float(n) => format!("the number {n}"),
        Str(text) => format!("the text `{}`", shown(text, 60)),
        Unit => "nothing".into(),
        Seq => "a list".into(),
        Map => "a map".into(),
        other => other.to_string(),
    }
}
