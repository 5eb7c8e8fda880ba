//! The keys of the steps that push, read and delete manifests, and of those that read all below them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::suite::either::Forms;

/// Keys of `push`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Push {
    /// Images, each with its config and layers.
    pub images: Vec<String>,
    /// Blobs alone (`layer`, `amd64/config`, `amd64/layer-0`).
    pub blobs: Vec<String>,
    /// Nodes with all that is reachable from them (an index with every child; never what is declared absent).
    pub graphs: Vec<String>,
    /// Manifests alone, by digest, without what they name.
    pub manifests: Vec<String>,
    /// Everything below these nodes, but not the nodes themselves (an index's children, for an index that is put later).
    pub children: Vec<String>,
    /// Left out of `graphs` and `children`: these nodes, and what only they reach.
    pub except: Vec<String>,
}

/// How a manifest is addressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// By tag.
    #[default]
    Tag,
    /// By its digest.
    Digest,
}

/// Keys of `put`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Put {
    /// The node to put.
    pub manifest: String,
    /// By tag (the default) or digest.
    #[serde(default)]
    pub by: By,
    /// The tag; `latest` where nothing is said.
    pub tag: Option<String>,
    /// Puts it under each of these tags, one after the other.
    pub tags: Option<TagSet>,
    /// Puts it under the digest of *this* node instead of its own.
    pub under: Option<String>,
    /// A literal reference instead of tag or digest.
    pub reference: Option<String>,
    /// Further tags, which a put by digest asks for in its query (development version).
    pub with_tags: Option<TagSet>,
    /// Content-Type instead of the node's own; `none` sends no such header; `{type:NODE}` is a node's media type.
    pub content_type: Option<String>,
}

/// Tags by name, or numbered `t0000`, `t0001`, ...
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum TagSet {
    /// Each by name.
    Named(Vec<String>),
    /// So many, numbered.
    Numbered(Numbered),
}

impl<'de> Deserialize<'de> for TagSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Forms::new("a list of tags, or {numbered: N}")
            .list(|tags| Ok(TagSet::Named(tags)))
            .map(TagSet::Numbered)
            .decode(deserializer)
    }
}

/// Keys of a numbered set of tags.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Numbered {
    /// How many: 0 to 100000.
    pub numbered: u32,
    /// Number of the first, 0 where nothing is said.
    #[serde(default)]
    pub from: u32,
}

impl TagSet {
    /// The tags, in the order in which they are put. Numbered ones come the odd ones first: a list in the order of their
    /// push must not pass for a sorted one.
    pub fn tags(&self) -> Vec<String> {
        match self {
            TagSet::Named(names) => names.clone(),
            TagSet::Numbered(n) => {
                let all = n.from..n.from.saturating_add(n.numbered);
                let odd = all.clone().filter(|i| i % 2 == 1);
                odd.chain(all.filter(|i| i % 2 == 0)).map(|i| format!("t{i:04}")).collect()
            }
        }
    }
}

/// Keys of `get` and `head`: `manifest` (with `by`, `tag`), or a literal `reference`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Read {
    /// The node asked for; `self` in the expectations.
    pub manifest: Option<String>,
    /// By tag or digest; by digest where nothing is said and no `tag` is given.
    pub by: Option<By>,
    /// The tag; `latest` where nothing is said.
    pub tag: Option<String>,
    /// A literal reference (`no-such-tag`, `sha256:zz`).
    pub reference: Option<String>,
}

/// Keys of `pull` and `absent`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Nodes {
    /// Images, each with its config and layers.
    pub images: Vec<String>,
    /// Nodes with all that is reachable from them.
    pub graphs: Vec<String>,
    /// Blobs alone.
    pub blobs: Vec<String>,
    /// Manifests alone.
    pub manifests: Vec<String>,
}

/// Keys of `settled`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settled {
    /// The node that was put.
    pub manifest: String,
    /// The tag that it was put under; `latest` where nothing is said.
    pub tag: Option<String>,
    /// Whether what it names is looked at too: what a read found there after the put was acknowledged.
    #[serde(default)]
    pub children: bool,
    /// Where it was acknowledged under the tag: everything below it that was pushed is read too, as by `pull`.
    #[serde(default)]
    pub graph: bool,
}

/// Keys of `joined`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Joined {
    /// Subjects whose lists of referrers are asked for too.
    pub referrers: Vec<String>,
}

/// Keys of `delete`: one of `manifest` (by digest), `tag`, `blob`, `reference`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Delete {
    /// A node, by its digest.
    pub manifest: Option<String>,
    /// A tag.
    pub tag: Option<String>,
    /// A blob, by its digest.
    pub blob: Option<String>,
    /// A literal manifest reference.
    pub reference: Option<String>,
}
