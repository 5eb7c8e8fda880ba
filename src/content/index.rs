//! Indexes and manifest lists: entries, and what makes each unique and as long as it is wanted.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::build::{Builder, escapable, node};
use super::digest::Digest;
use super::graph::{Descriptor, Entry, Format, Index};
use super::manifest::{self, KEY, PADDING};
use super::resolve::{Item, Source};
use super::rules::MAX_MANIFEST;
use super::{Body, Node, NodeKind, json, media};

impl Builder<'_, '_> {
    pub(super) fn index(
        &mut self,
        item: &Item<'_>,
        index: &Index,
        children: Vec<Arc<Node>>,
        subject: Option<Arc<Node>>,
    ) -> Option<Node> {
        let entries = self.entries(item, index, &children)?;
        let mut annotations = index.annotations.clone();
        let value = manifest::index(index, item.format, entries, subject.as_deref());
        let bytes = match item.format {
            Format::Oci => {
                annotations.insert(KEY.to_owned(), self.keys.nonce(&item.name));
                self.oci_index(item, index, value, &mut annotations)?
            }
            Format::Docker => {
                annotations.clear();
                self.docker_list(item, index, value)?
            }
        };
        self.total += bytes.len() as u64;
        Some(Node {
            children,
            subject,
            artifact_type: index.artifact_type.clone(),
            annotations,
            ..node(item, NodeKind::Index, media::index(item.format), index.algorithm, bytes)
        })
    }

    /// The entries of an index, one for each child.
    fn entries(&mut self, item: &Item<'_>, index: &Index, children: &[Arc<Node>]) -> Option<Vec<Value>> {
        let before = self.errors.len();
        let mut entries = Vec::with_capacity(children.len());
        let mut embedded = 0_u64;
        for (position, (child, &place)) in children.iter().zip(&item.parts).enumerate() {
            let written = index.manifests.get(position);
            let own = match written {
                Some(Entry::Descriptor(own)) => Some(&**own),
                _ => None,
            };
            let path = || format!("{}.manifests.{position}", item.path);
            let platform = match self.items[place].source {
                Source::Phantom if own.is_none_or(|own| own.platform.is_none()) => Some(manifest::phantom_platform()),
                Source::Image(image) => manifest::platform(own.and_then(|own| own.platform.as_deref()), Some(image)),
                _ => manifest::platform(own.and_then(|own| own.platform.as_deref()), None),
            };
            let Some(size) = child.size.checked_add_signed(own.map_or(0, |own| own.size_off_by)) else {
                self.error(path(), format!("`size-off-by` makes {} bytes a size that is none; to write such a size, use `fields: {{size: ...}}`", child.size));
                continue;
            };
            let data = match own
                .filter(|own| own.data && item.format == Format::Oci)
                .map(|own| data(own, child, &mut embedded))
            {
                Some(Err(problem)) => {
                    self.error(path(), problem);
                    continue;
                }
                Some(Ok(data)) => Some(data),
                None => None,
            };
            entries.push(manifest::entry(child, platform, own, size, data, item.format));
        }
        (self.errors.len() == before).then_some(entries)
    }

    /// An OCI index: its annotations make it unique, and pad it.
    fn oci_index(
        &mut self,
        item: &Item<'_>,
        index: &Index,
        mut value: Map<String, Value>,
        annotations: &mut BTreeMap<String, String>,
    ) -> Option<Vec<u8>> {
        let escapable = escapable(item.format, &index.fields);
        value.insert("annotations".into(), Value::Null);
        value.extend(index.fields.clone());
        let mut bytes = |annotations: &BTreeMap<String, String>| {
            value.insert("annotations".into(), json!(annotations));
            json::write(&value, &index.form, &escapable)
        };
        let natural = bytes(annotations);
        let Some(wanted) = index.pad_to.filter(|&wanted| wanted != natural.len() as u64) else { return Some(natural) };
        annotations.insert(PADDING.to_owned(), String::new());
        let least = bytes(annotations).len() as u64;
        let Some(missing) = wanted.checked_sub(least).and_then(|missing| usize::try_from(missing).ok()) else {
            self.too_small(item, wanted, least);
            return None;
        };
        // Full stops: the same length in every form.
        annotations.insert(PADDING.to_owned(), ".".repeat(missing));
        Some(bytes(annotations))
    }

    /// A Docker list. Its schema has no annotations, so it is unique by what it names; where that is not enough (it names
    /// nothing, or just what another list names) it gets an unknown field. It is padded by spaces at its end.
    fn docker_list(&mut self, item: &Item<'_>, index: &Index, mut value: Map<String, Value>) -> Option<Vec<u8>> {
        value.extend(index.fields.clone());
        let escapable = escapable(item.format, &index.fields);
        let bytes = |value: &Map<String, Value>| json::write(value, &index.form, &escapable);
        let mut list = bytes(&value);
        if item.parts.is_empty() || self.lists.contains(&Digest::of(index.algorithm, &list)) {
            value.insert(KEY.to_owned(), self.keys.nonce(&item.name).into());
            list = bytes(&value);
        }
        self.lists.insert(Digest::of(index.algorithm, &list));
        let Some(wanted) = index.pad_to else { return Some(list) };
        let least = list.len() as u64;
        let Some(missing) = wanted.checked_sub(least).and_then(|missing| usize::try_from(missing).ok()) else {
            self.too_small(item, wanted, least);
            return None;
        };
        let end = list.split_off(list.len() - usize::from(index.form.newline));
        list.resize(list.len() + missing, b' ');
        list.extend(end);
        Some(list)
    }

    fn too_small(&mut self, item: &Item<'_>, wanted: u64, least: u64) {
        let problem = format!("{wanted} bytes are too few for this index; padded, it has at least {least}");
        self.error(format!("{}.pad-to", item.path), problem);
    }
}

/// The bytes of a child in base64; `embedded` counts what an index has of them, before they are made.
fn data(own: &Descriptor, child: &Node, embedded: &mut u64) -> Result<String, String> {
    *embedded = embedded.saturating_add(child.size.saturating_add(2) / 3 * 4);
    if *embedded > MAX_MANIFEST {
        return Err(format!("with the bytes of `{}` as `data` the index has more than {MAX_MANIFEST} bytes", own.node));
    }
    match &child.body {
        Body::Bytes(bytes) => Ok(STANDARD.encode(bytes)),
        Body::Generated(source) => Ok(STANDARD.encode(source.pieces(0, source.size).flatten().collect::<Vec<u8>>())),
        Body::None => Err(format!("`{}` is never there, so it has no bytes for `data`", own.node)),
    }
}
