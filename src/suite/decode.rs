//! A tree to Rust types, by serde. A derived type is all that says which keys and words there are; what does not fit is
//! reported at its own place, and reading goes on where it can: each [`Later`] is decoded apart from what is around it.

use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::context::{Context, KEEP};
use super::fault::{Fault, shown};
use super::template;
use super::tree::{Entry, Key, Kind, Meaning, Node, meaning};
use super::unfit::DecodeError;

/// A value as serde sees it.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    node: &'a Node,
    context: &'a Context,
    more: &'static [&'static str],
}

impl<'a> Decoder<'a> {
    pub(super) fn new(node: &'a Node, context: &'a Context, more: &'static [&'static str]) -> Self {
        Decoder { node, context, more }
    }

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
        visitor.visit_u64(self.context.keep(self.node) as u64)
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

    fn deserialize_tuple<V: Visitor<'de>>(self, size: usize, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::List(items) if items.len() != size => {
                let message = format!("a list of {} instead of a list of {size}", items.len());
                Err(DecodeError::new(message).on(self.node))
            }
            _ => self.deserialize_seq(visitor),
        }
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
