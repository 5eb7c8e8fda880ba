//! Values that may be written in two forms. Serde's untagged enums would say only that nothing matched; these say what
//! is wrong within the form that was written, where it is wrong.

use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The forms that are taken, each with what is made of it.
pub struct Forms<T, L, M> {
    /// What may be written, in words.
    what: &'static str,
    text: Option<fn(String) -> Result<T, String>>,
    number: Option<fn(i64) -> Result<T, String>>,
    list: Option<fn(L) -> Result<T, String>>,
    map: Option<fn(M) -> T>,
    of: PhantomData<(L, M)>,
}

impl<T> Forms<T, IgnoredAny, IgnoredAny> {
    /// No form yet; `what` names them all, for whoever wrote another one.
    pub fn new(what: &'static str) -> Self {
        Forms { what, text: None, number: None, list: None, map: None, of: PhantomData }
    }
}

impl<T, L, M> Forms<T, L, M> {
    /// Takes text.
    pub fn text(mut self, make: fn(String) -> Result<T, String>) -> Self {
        self.text = Some(make);
        self
    }

    /// Takes a whole number.
    pub fn number(mut self, make: fn(i64) -> Result<T, String>) -> Self {
        self.number = Some(make);
        self
    }

    /// Takes a list.
    pub fn list<N>(self, make: fn(N) -> Result<T, String>) -> Forms<T, N, M> {
        Forms {
            what: self.what,
            text: self.text,
            number: self.number,
            list: Some(make),
            map: self.map,
            of: PhantomData,
        }
    }

    /// Takes a map.
    pub fn map<N>(self, make: fn(N) -> T) -> Forms<T, L, N> {
        Forms {
            what: self.what,
            text: self.text,
            number: self.number,
            list: self.list,
            map: Some(make),
            of: PhantomData,
        }
    }

    /// Decodes whichever form is there.
    ///
    /// # Errors
    /// Another form, or what is wrong within this one.
    pub fn decode<'de, D>(self, deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        L: Deserialize<'de>,
        M: Deserialize<'de>,
    {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T, L: Deserialize<'de>, M: Deserialize<'de>> Visitor<'de> for Forms<T, L, M> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        match self.text {
            Some(make) => make(text.to_owned()).map_err(E::custom),
            None => Err(E::invalid_type(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        match self.number {
            Some(make) => make(number).map_err(E::custom),
            None => Err(E::invalid_type(de::Unexpected::Signed(number), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        match self.list {
            Some(make) => {
                make(L::deserialize(SeqAccessDeserializer::new(list))?).map_err(<A::Error as de::Error>::custom)
            }
            None => Err(de::Error::invalid_type(de::Unexpected::Seq, &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        match self.map {
            Some(make) => Ok(make(M::deserialize(MapAccessDeserializer::new(map))?)),
            None => Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
        }
    }
}
