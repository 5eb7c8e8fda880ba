//! Where faults are collected while a file is decoded, and values kept that are decoded later.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::decode::Decoder;
use super::fault::{At, Fault, shown};
use super::tree::{Entry, Node};

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
pub(super) const KEEP: &str = "lacuna::Later";

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

    /// Keeps a value; its number.
    pub(super) fn keep(&self, node: &Node) -> usize {
        let mut kept = self.kept.borrow_mut();
        kept.push(node.clone());
        kept.len() - 1
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
        match T::deserialize(Decoder::new(node, self, more)) {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(error.into_fault(node));
                None
            }
        }
    }

    /// The entries of a map, without those whose key stands before; reports these.
    pub fn unique<'n>(&self, entries: &'n [Entry]) -> Vec<&'n Entry> {
        let mut seen: BTreeMap<&str, At> = BTreeMap::new();
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
