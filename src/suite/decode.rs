//! A tree to Rust types, by serde. A derived type is all that says which keys and words there are; what does not fit is
//! reported at its own place, and reading goes on where it can: each [`Later`] is decoded apart from what is around it.

use std::cell::RefCell;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::fault::{At, Fault, shown};
use super::template;
use super::tree::{Entry, Key, Kind, Meaning, Node, meaning};

/// Collects what is wrong, and keeps what is to be decoded later.
#[derive(Debug, Default)]
pub struct Context {
    faults: RefCell<Vec<Fault>>,
    kept: RefCell<Vec<Node>>,
}

/// A value that is decoded on its own, so that a fault within it hides no other.
#[derive(Debug, Clone, Copy)]
pub struct Later<T> {
    index: usize,
    of: PhantomData<T>,
}

/// The name by which [`Later`] asks the decoder to keep a value.
const KEEP: &str = "lacuna::Later";

impl<'de, T> Deserialize<'de> for Later<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Index;
        impl Visitor<'_> for Index {
            type Value = usize;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a kept value")
            }
            fn visit_u64<E: de::Error>(self, index: u64) -> Result<usize, E> {
                usize::try_from(index).map_err(E::custom)
            }
        }
        Ok(Later { index: deserializer.deserialize_newtype_struct(KEEP, Index)?, of: PhantomData })
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Later<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

impl Context {
    /// Reports.
    pub fn report(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    /// How much was reported so far.
    pub fn reported(&self) -> usize {
        self.faults.borrow().len()
    }

    /// Everything that was reported, sorted, each once.
    pub fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort();
        faults.dedup();
        faults
    }

    /// The value that was kept.
    pub fn node<T>(&self, later: &Later<T>) -> Option<Node> {
        self.kept.borrow().get(later.index).cloned()
    }

    /// Decodes what was kept; reports and gives `None` where it does not fit.
    pub fn later<T: for<'de> Deserialize<'de>>(&self, later: &Later<T>) -> Option<T> {
        self.decode(&self.node(later)?)
    }

    /// Decodes a value; reports and gives `None` where it does not fit.
    pub fn decode<T: for<'de> Deserialize<'de>>(&self, node: &Node) -> Option<T> {
        let before = self.reported();
        self.decode_with(node, &[]).filter(|_| self.reported() == before)
    }

    /// Decodes a value, also one with keys that are reported and left out; `more` are keys that the outermost map could
    /// have had, for "did you mean".
    pub fn decode_with<T: for<'de> Deserialize<'de>>(&self, node: &Node, more: &'static [&'static str]) -> Option<T> {
        match T::deserialize(Decoder { node, context: self, more }) {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(error.into_fault(node));
                None
            }
        }
    }

    /// The entries of a map, without those whose key stands before; reports these.
    pub fn unique<'n>(&self, entries: &'n [Entry]) -> Vec<&'n Entry> {
        let mut seen: std::collections::BTreeMap<&str, At> = std::collections::BTreeMap::new();
        let mut out = Vec::new();
        for entry in entries {
            if let Some(first) = seen.get(&*entry.key.text) {
                let message = format!("the key `{}` stands twice", shown(&entry.key.text, 60));
                self.report(Fault::new(entry.key.at, message).help(format!("it stands first on line {}", first.line)));
            } else {
                seen.insert(&entry.key.text, entry.key.at);
                out.push(entry);
            }
        }
        out
    }
}

/// What serde says does not fit; the place is added on the way out.
#[derive(Debug)]
pub struct DecodeError(Box<Fault>, bool);

impl DecodeError {
    fn new(message: impl Into<String>) -> Self {
        DecodeError(Box::new(Fault::new(At::START, message)), false)
    }
    fn at(mut self, at: At) -> Self {
        if !self.1 {
            self.0.at = at;
            self.1 = true;
        }
        self
    }
    /// As [`Self::at`], and says where the value was put in.
    fn on(self, node: &Node) -> Self {
        if self.1 { self } else { DecodeError(Box::new(node.used_by(self.at(node.at).0.as_ref().clone())), true) }
    }
    fn help(mut self, line: impl Into<String>) -> Self {
        self.0.help.push(line.into());
        self
    }
    fn into_fault(self, node: &Node) -> Fault {
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

/// A value as serde sees it.
#[derive(Clone, Copy)]
struct Decoder<'a> {
    node: &'a Node,
    context: &'a Context,
    more: &'static [&'static str],
}

impl<'a> Decoder<'a> {
    fn of(self, node: &'a Node) -> Self {
        Decoder { node, context: self.context, more: &[] }
    }

    fn unfit(self, wanted: &str) -> DecodeError {
        let error = DecodeError::new(format!("{} instead of {wanted}", self.node.what())).on(self.node);
        match template::unquoted(self.node) {
            Some(name) => error.help(format!("a template needs quotes: \"{{{name}}}\"")),
            None => error,
        }
    }

    fn entries(self, wanted: &str) -> Result<&'a [Entry], DecodeError> {
        match &self.node.kind {
            Kind::Map(entries) => Ok(entries),
            _ => Err(self.unfit(wanted)),
        }
    }

    fn map<'de, V: Visitor<'de>>(self, entries: Vec<&'a Entry>, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_map(MapItems { decoder: self, entries: entries.into_iter(), value: None })
    }

    fn whole<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let wanted = "a whole number";
        let Kind::Scalar { text, plain } = &self.node.kind else { return Err(self.unfit(wanted)) };
        let Meaning::Integer(number) = meaning(text, *plain) else { return Err(self.unfit(wanted)) };
        if let Ok(number) = u64::try_from(number) {
            visitor.visit_u64(number)
        } else if let Ok(number) = i64::try_from(number) {
            visitor.visit_i64(number)
        } else {
            Err(DecodeError::new(format!("the number {number} does not fit")).help("write a smaller one"))
        }
    }

    /// Text: quoted, or plain and not a truth value or nothing; a number as it is written.
    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Kind::Scalar { text, plain } = &self.node.kind else { return Err(self.unfit("text")) };
        match meaning(text, *plain) {
            Meaning::Nothing => Err(self.unfit("text").help("an empty text is written \"\"")),
            Meaning::Truth(_) => Err(self.unfit("text").help("text that looks like a truth value needs quotes")),
            _ => visitor.visit_str(text),
        }
    }
}

/// Adds the place of the node at hand to errors that have none.
macro_rules! at_node {
    ($($method:ident($how:ident))*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.$how(visitor).map_err(|error| error.on(self.node))
        })*
    };
}

impl<'de> Deserializer<'de> for Decoder<'_> {
    type Error = DecodeError;

    at_node! {
        deserialize_u8(whole) deserialize_u16(whole) deserialize_u32(whole) deserialize_u64(whole)
        deserialize_i8(whole) deserialize_i16(whole) deserialize_i32(whole) deserialize_i64(whole)
        deserialize_str(text) deserialize_string(text) deserialize_char(text)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::List(_) => return self.deserialize_seq(visitor),
            Kind::Map(_) => return self.deserialize_map(visitor),
            Kind::Scalar { text, plain } => match meaning(text, *plain) {
                Meaning::Nothing => visitor.visit_unit(),
                Meaning::Truth(truth) => visitor.visit_bool(truth),
                Meaning::Integer(_) => self.whole(visitor),
                Meaning::Fraction(number) => visitor.visit_f64(number),
                Meaning::Text(text) => visitor.visit_str(text),
            },
        }
        .map_err(|error: DecodeError| error.on(self.node))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Kind::Scalar { text, plain } = &self.node.kind
            && let Meaning::Truth(truth) = meaning(text, *plain)
        {
            return visitor.visit_bool(truth);
        }
        Err(self.unfit("`true` or `false`"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name != KEEP {
            return visitor.visit_newtype_struct(self);
        }
        let mut kept = self.context.kept.borrow_mut();
        kept.push(self.node.clone());
        let index = kept.len() - 1;
        drop(kept);
        visitor.visit_u64(index as u64)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Kind::List(items) = &self.node.kind else {
            let fault = self.unfit("a list");
            return Err(if matches!(self.node.kind, Kind::Scalar { .. }) {
                fault.help("a list of one is written [value]")
            } else {
                fault
            });
        };
        visitor.visit_seq(ListItems { decoder: self, items: items.iter() }).map_err(|error| error.on(self.node))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let entries = self.entries("a map")?;
        self.map(self.context.unique(entries), visitor).map_err(|error| error.on(self.node))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let entries =
            self.entries("a map").map_err(|error| error.help(format!("its keys are {}", fields.join(", "))))?;
        let mut entries = self.context.unique(entries);
        entries.retain(|entry| {
            let known = fields.contains(&&*entry.key.text);
            if !known {
                let keys = fields.iter().chain(self.more).copied();
                let message = format!("the key `{}` is unknown", shown(&entry.key.text, 60));
                self.context.report(Fault::new(entry.key.at, message).choices(&entry.key.text, keys, "the keys are"));
            }
            known
        });
        self.map(entries, visitor).map_err(|error| error.on(self.node))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::Scalar { text, plain } if !matches!(meaning(text, *plain), Meaning::Nothing) => {
                visitor.visit_enum((&**text).into_deserializer()).map_err(|error: DecodeError| error.on(self.node))
            }
            Kind::Map(entries) if entries.len() == 1 => {
                visitor.visit_enum(Variant { decoder: self, entry: &entries[0] }).map_err(|error| error.on(self.node))
            }
            _ => Err(self.unfit("one word").help(format!("the words are {}", words.join(", ")))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 bytes byte_buf unit unit_struct tuple_struct identifier
    }
}

/// The items of a list.
struct ListItems<'a> {
    decoder: Decoder<'a>,
    items: std::slice::Iter<'a, Node>,
}

impl<'de> de::SeqAccess<'de> for ListItems<'_> {
    type Error = DecodeError;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        let Some(item) = self.items.next() else { return Ok(None) };
        seed.deserialize(self.decoder.of(item)).map(Some).map_err(|error| error.on(item))
    }
}

/// The entries of a map.
struct MapItems<'a> {
    decoder: Decoder<'a>,
    entries: std::vec::IntoIter<&'a Entry>,
    value: Option<&'a Node>,
}

impl<'de> de::MapAccess<'de> for MapItems<'_> {
    type Error = DecodeError;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.value = Some(&entry.value);
        key_of(&entry.key, seed).map(Some)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let Some(node) = self.value.take() else { return Err(DecodeError::new("a value without a key")) };
        seed.deserialize(self.decoder.of(node)).map_err(|error| error.on(node))
    }
}

/// A key, with its own place in what goes wrong.
fn key_of<'de, K: DeserializeSeed<'de>>(key: &Key, seed: K) -> Result<K::Value, DecodeError> {
    let text: de::value::StrDeserializer<'_, DecodeError> = (&*key.text).into_deserializer();
    seed.deserialize(text).map_err(|error| error.at(key.at))
}

/// `{word: content}` as an enum.
struct Variant<'a> {
    decoder: Decoder<'a>,
    entry: &'a Entry,
}

impl<'de, 'a> de::EnumAccess<'de> for Variant<'a> {
    type Error = DecodeError;
    type Variant = Decoder<'a>;
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Decoder<'a>), DecodeError> {
        let mut content = self.decoder.of(&self.entry.value);
        content.more = self.decoder.more;
        Ok((key_of(&self.entry.key, seed)?, content))
    }
}

impl<'de> de::VariantAccess<'de> for Decoder<'_> {
    type Error = DecodeError;
    fn unit_variant(self) -> Result<(), DecodeError> {
        Err(self.unfit("the word alone"))
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DecodeError> {
        seed.deserialize(self)
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_struct("", fields, visitor)
    }
}
