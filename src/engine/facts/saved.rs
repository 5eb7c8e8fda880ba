//! Facts as a journal keeps them, and back: nodes by their digests, for content is computed again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Facts, May, PutAnswer, Repository, State};
use crate::content::digest::Digest;
use crate::content::{Content, Node};

/// What a case knows of its repositories, by nickname. When something was acknowledged is left out: windows are for what
/// was just written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFacts(BTreeMap<String, SavedRepository>);

/// What is known of one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SavedRepository {
    manifests: BTreeMap<Digest, State>,
    blobs: BTreeMap<Digest, State>,
    tags: BTreeMap<String, Digest>,
    puts: BTreeMap<Digest, SavedPut>,
    older: BTreeSet<Digest>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    raced: BTreeMap<String, SavedMay>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    foreign: BTreeSet<String>,
}

/// What a tag may name after a race.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SavedMay {
    name: Vec<Digest>,
    be_gone: bool,
}

/// The answer to the last put of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SavedPut {
    status: Option<u16>,
    tag: Option<String>,
    older: Option<Digest>,
    stored_before: bool,
}

impl Facts {
    /// As a journal keeps them.
    pub fn save(&self) -> SavedFacts {
        SavedFacts(self.of.iter().map(|(nickname, known)| (nickname.clone(), known.save())).collect())
    }
}

impl Repository {
    fn save(&self) -> SavedRepository {
        let puts = self.puts.iter().map(|(digest, put)| {
            let older = put.older.as_ref().map(|node| node.digest.clone());
            let (status, tag, stored_before) = (put.status, put.tag.clone(), put.stored_before);
            (digest.clone(), SavedPut { status, tag, older, stored_before })
        });
        SavedRepository {
            manifests: self.manifests.clone(),
            blobs: self.blobs.clone(),
            tags: self.tags.iter().map(|(tag, node)| (tag.clone(), node.digest.clone())).collect(),
            puts: puts.collect(),
            older: self.older.clone(),
            foreign: self.foreign.clone(),
            raced: self.raced.iter().map(|(tag, may)| (tag.clone(), SavedMay::of(may))).collect(),
        }
    }
}

impl SavedMay {
    fn of(may: &May) -> SavedMay {
        SavedMay { name: may.name.iter().map(|node| node.digest.clone()).collect(), be_gone: may.be_gone }
    }
}

impl SavedFacts {
    /// The facts, over content that was computed again.
    ///
    /// # Errors
    /// A digest of a manifest that is none of this content.
    pub fn restore(&self, content: &Content) -> Result<Facts, String> {
        let nodes: BTreeMap<&Digest, &Arc<Node>> = content.nodes.values().map(|node| (&node.digest, node)).collect();
        let node = |digest: &Digest| {
            let found = nodes.get(digest).map(|node| Arc::clone(node));
            found.ok_or_else(|| format!("{digest} is none of its manifests"))
        };
        let mut facts = Facts::default();
        for (nickname, saved) in &self.0 {
            let known = facts.at(nickname);
            (known.manifests, known.blobs) = (saved.manifests.clone(), saved.blobs.clone());
            known.older = saved.older.clone();
            known.foreign = saved.foreign.clone();
            for (tag, digest) in &saved.tags {
                known.tags.insert(tag.clone(), node(digest)?);
            }
            for (tag, may) in &saved.raced {
                let name = may.name.iter().map(node).collect::<Result<_, String>>()?;
                known.raced.insert(tag.clone(), May { name, be_gone: may.be_gone });
            }
            for (digest, put) in &saved.puts {
                let older = put.older.as_ref().map(node).transpose()?;
                let (status, tag, stored_before) = (put.status, put.tag.clone(), put.stored_before);
                known.puts.insert(digest.clone(), PutAnswer { status, tag, older, stored_before });
            }
        }
        Ok(facts)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::expect::testing;

    #[test]
    fn what_was_acknowledged_comes_back_from_its_text() {
        let content = testing::content();
        let (index, image) = (content.nodes.get("index").unwrap(), content.nodes.get("amd64").unwrap());
        let mut facts = Facts::default();
        facts.at("main").put(image, Some("v1"), Some(201));
        facts.pass();
        facts.at("main").put(index, Some("v1"), Some(201));
        facts.at("other").put(image, None, Some(500));
        facts.at("main").delete_manifest(&image.digest, Some(202));
        let text = serde_json::to_string(&facts.save()).unwrap();
        let saved: SavedFacts = serde_json::from_str(&text).unwrap();
        let again = saved.restore(&content).unwrap();
        assert_eq!(again.save(), facts.save());
        assert!(again.is_present("main", index) && again.is_absent("main", image));
        assert!(!again.is_absent("other", image), "it is unclear, and stays so");
        assert!(!again.is_older("main", index));
        assert_eq!(again.tagged("main", "v1").unwrap().name, "index");
        assert_eq!(again.last_put("main", index).unwrap().older.as_ref().unwrap().name, "amd64");
    }

    #[test]
    fn other_content_and_no_digests_are_refused() {
        let mut facts = Facts::default();
        facts.at("main").put(testing::content().nodes.get("index").unwrap(), Some("v1"), Some(201));
        let none = Content { nodes: BTreeMap::new() };
        assert!(facts.save().restore(&none).unwrap_err().contains("is none of its manifests"));
        let text = r#"{"main":{"manifests":{"sha256:zz":"present"},"blobs":{},"tags":{},"puts":{},"older":[]}}"#;
        let error = serde_json::from_str::<SavedFacts>(text).unwrap_err().to_string();
        assert!(error.contains("no digest"), "{error}");
    }
}
