//! The case file as an author writes it, and the instances that one case expands to.
//!
//! A file is read into a tree that keeps positions; each combination of `each` is put into the tree, and only then are
//! steps decoded into these types. So no type here knows of templates.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assertion::Assertion;
use super::barrier::Barrier;
use super::either::Forms;
use super::parallel::{Lane, Parallel};
use super::side::Side;
use crate::clients::Deed;
use crate::content::graph::{Format, Graph};

/// A place in a file: `line` and `column` count from 1; a column counts characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The path as it is printed, relative to the folder of suites (`suites/sparse/push.yaml`).
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One combination of a case's parameters, ready to be run.
#[derive(Debug, Clone)]
pub struct CaseInstance {
    /// `area/topic/name/value/...`, stable for ever.
    pub id: String,
    /// The case's own title, else the topic's.
    pub title: String,
    /// Where the case's `name` stands.
    pub source: Source,
    /// What the target must be or be able to do.
    pub needs: Needs,
    /// The content that the steps name.
    pub fixture: Arc<Graph>,
    /// The family of media types that the content is built with (parameter `format`, else `oci`).
    pub format: Format,
    /// The steps, parameters put in, bundles expanded; shared by the instances for which they are the same.
    pub steps: Vec<Arc<Step>>,
    /// The defects that must turn it red.
    pub caught_by: Vec<String>,
    /// Runs while no other case does.
    pub alone: bool,
}

impl CaseInstance {
    /// Every step, and the steps of its lanes after it.
    pub fn every_step(&self) -> impl Iterator<Item = &Arc<Step>> {
        self.steps.iter().flat_map(|step| std::iter::once(step).chain(step.action.lanes().flat_map(|lane| &lane.steps)))
    }
}

impl Action {
    /// The lanes of `parallel`; other actions have none.
    pub fn lanes(&self) -> impl Iterator<Item = &Lane> {
        let parallel = if let Action::Parallel(parallel) = self { Some(parallel) } else { None };
        parallel.into_iter().flat_map(|parallel| &parallel.lanes)
    }
}

/// What a case needs of its target. All of it must hold, else the case is skipped with the reason.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs {
    /// The stance for the case's format must be one of these words; empty: any.
    pub stance: Vec<StanceWord>,
    /// A platform that a registry with stance `require` demands.
    pub required: Option<String>,
    /// A platform that a registry with stance `require` does not demand.
    pub optional: Option<String>,
    /// Scope of a refusing registry's existence check.
    pub scope: Option<Scope>,
    /// Capabilities by name, and whether they must be there (`supported`, which `broken` satisfies) or `absent`.
    pub capabilities: BTreeMap<String, Presence>,
}

/// The stance's word, without the platforms of `require`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StanceWord {
    /// Takes an index whatever is absent.
    Accept,
    /// Refuses an index of which any child is absent.
    Refuse,
    /// Refuses an index of which a child of a listed platform is absent.
    Require,
    /// Answers with something that is neither acceptance nor refusal.
    Broken,
}

/// Where a refusing registry looks for a child (v1.1.1 L199: "in the registry").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The child must be in the same repository.
    Repository,
    /// A child in another repository is enough.
    Registry,
}

/// What a case asks of a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// Not absent: a broken one runs, and fails.
    Supported,
    /// Absent.
    Absent,
}

/// One step: an action, what all actions may carry, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Repository by nickname, or `NICKNAME/REST` for one below it; `main` where nothing is said.
    pub repository: String,
    /// The server that it is sent to.
    pub at: Side,
    /// `Accept` header lines; `None` sends what the action itself wants (all manifest types), an empty list none.
    /// `{type:NODE}` in a line is that node's media type.
    pub accept: Option<Vec<String>>,
    /// Further request headers; they replace what lacuna would send.
    pub headers: Vec<(String, String)>,
    /// A name by which later steps can compare with this step's response.
    pub name: Option<String>,
    /// What must hold of every response of the step; empty where the action brings its own.
    pub expect: Vec<Expectation>,
    /// Sent while the action of this barrier, which was met directly before, is under way.
    pub during: Option<Barrier>,
    /// Where the step stands.
    pub source: Source,
}

/// A requirement and what is asserted under it.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// A requirement's id.
    pub requirement: String,
    /// What must hold.
    pub assertion: Assertion,
    /// Where the requirement's id stands in the case file, or in expectations.yaml.
    pub source: Source,
}

/// What a step does. The keys of each struct are the keys in the case file; the common ones are on [`Step`].
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Uploads blobs and puts manifests by digest, children first. Must succeed.
    Push(Push),
    /// Puts one manifest, by tag or by digest.
    Put(Put),
    /// HEAD of a manifest.
    Head(Read),
    /// GET of a manifest.
    Get(Read),
    /// Reads every present node below the named ones, to the last byte, and verifies it.
    Pull(Nodes),
    /// Asks by GET and HEAD for every node below the named ones that was never pushed here: each must be 404.
    Absent(Nodes),
    /// Whatever the last put of this manifest was answered: acknowledged, then it is served by tag and digest; refused,
    /// then neither its digest nor (unless it had an older value, which stays) its tag is there.
    Settled(Settled),
    /// DELETE of a manifest, a tag or a blob.
    Delete(Delete),
    /// Lists tags, one page or all.
    Tags(Tags),
    /// Lists referrers of a node.
    Referrers(Referrers),
    /// GET or HEAD of a blob.
    Blob(BlobRead),
    /// Mounts a blob from another repository.
    Mount(Mount),
    /// Uploads one blob in a named way.
    Upload(Upload),
    /// Any request, bytes as given.
    Raw(Raw),
    /// A real client does something, and ends as it does against the reference registry.
    Client(ClientStep),
    /// Measures what the registry's storage holds; with `since`, by how much that has grown.
    Usage(UsageStep),
    /// Lets time pass.
    Wait(Wait),
    /// Whatever was answered so far in this repository, also to what was under way at once: the registry keeps to it. Every
    /// tag, manifest and blob that a step wrote or deleted is asked for, and the list of tags.
    Joined(Joined),
    /// Lanes of steps that are sent at once.
    #[serde(skip)]
    Parallel(Parallel),
    /// Waits for all other cases that wait here; then something happens to the registry, once for all of them. A word
    /// alone: `- barrier: gc`.
    Barrier(Barrier),
}

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

/// Keys of `tags`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Tags {
    /// The query's `n`, as written (`0`, `-1`, `abc`).
    pub n: Option<Literal>,
    /// The query's `last`.
    pub last: Option<Literal>,
    /// Follows `Link` to exhaustion (bounded), asserts on all pages together.
    pub follow: bool,
    /// Steps between the first page and the next, where `follow` is set: a tag to delete.
    pub delete_between: Option<String>,
}

/// A query value: text or a number, sent as written.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum Literal {
    /// A number.
    Number(i64),
    /// Text.
    Text(String),
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Forms::new("text or a whole number; any other number in quotes")
            .number(|n| Ok(Literal::Number(n)))
            .text(|text| Ok(Literal::Text(text)))
            .decode(deserializer)
    }
}

impl std::fmt::Display for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Literal::Number(n) => write!(f, "{n}"),
            Literal::Text(t) => f.write_str(t),
        }
    }
}

/// Keys of `referrers`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Referrers {
    /// The subject: a node.
    pub of: Option<String>,
    /// The subject: a literal digest.
    pub digest: Option<String>,
    /// The query's `artifactType`.
    pub artifact_type: Option<String>,
}

/// GET or HEAD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReadMethod {
    /// GET.
    #[default]
    Get,
    /// HEAD.
    Head,
}

/// Keys of `blob`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlobRead {
    /// The blob's node, or any node whose digest is asked for as a blob; or a literal digest after `=`.
    pub of: String,
    /// `get` (the default) or `head`.
    #[serde(default)]
    pub method: ReadMethod,
    /// The `Range` header's value (`bytes=0-99`).
    pub range: Option<String>,
}

/// Keys of `mount`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mount {
    /// The blob's node.
    pub blob: String,
    /// Source repository by nickname; absent: an anonymous mount.
    pub from: Option<String>,
}

/// Ways to upload a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UploadHow {
    /// One POST with the digest.
    Post,
    /// POST, then one PUT.
    PostPut,
    /// POST, PATCH for each chunk, PUT.
    Chunked,
}

/// Keys of `upload`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Upload {
    /// The blob's node.
    pub blob: String,
    /// The way.
    pub how: UploadHow,
    /// Bytes a chunk; 64 KiB where nothing is said.
    pub chunk: Option<u64>,
    /// Claims the digest of this node instead of its own.
    pub claim: Option<String>,
    /// Ends after so many chunks, of an upload in chunks: its session stays open, for a later step to go on with.
    pub stop_after: Option<u64>,
    /// Goes on with the session that an earlier step left open of this blob, where it stands; where it is not there any
    /// more, from the beginning.
    #[serde(default)]
    pub resume: bool,
}

/// Keys of `raw`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Raw {
    /// The method, as sent.
    pub method: String,
    /// Path and query, as sent; `{repo}` is the repository's name, `{digest:NODE}` a node's digest.
    pub path: String,
    /// The body, as text.
    pub body: Option<String>,
    /// The body: a node's bytes.
    pub bytes_of: Option<String>,
}

/// Keys of `client`. What it writes goes to the step's repository.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientStep {
    /// The client, by the name of its file in `fixtures/clients`.
    pub name: String,
    /// What it does.
    pub run: Deed,
    /// The node that it is told to copy, fetch or push.
    pub manifest: String,
    /// How it is told: by tag (`latest`) or by digest.
    #[serde(default)]
    pub by: By,
    /// The repository that it reads from, by nickname; the step's own where nothing is said.
    pub from: Option<String>,
    /// Platforms, where what it does is about some.
    #[serde(default)]
    pub platforms: Vec<String>,
    /// What is acknowledged when it ended well, beside `manifest` itself.
    #[serde(default)]
    pub brings: Nodes,
    /// How it must end.
    #[serde(default)]
    pub ends: Ends,
}

/// How a client ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// It says that it did what it was told.
    #[default]
    Well,
    /// It says that it could not.
    Badly,
}

/// Keys of `usage`. Without any of them it is what a later one, by `as`, is compared with.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct UsageStep {
    /// The earlier step, by its `as`.
    pub since: Option<String>,
    /// What is looked at: the requirement's name after `storage.`.
    pub shows: Option<Shows>,
    /// What may have come since then: the bytes of these nodes, each counted once.
    pub holds: Nodes,
}

/// What a measurement shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// A sparse index takes what was pushed of it.
    Sparse,
    /// What is pushed again, or belongs to several images of a repository, is stored once.
    Once,
    /// What is in several repositories is stored once.
    Shared,
    /// What was collected is not stored any more.
    Freed,
}

impl Shows {
    /// The requirement.
    pub fn requirement(self) -> &'static str {
        match self {
            Shows::Sparse => "storage.sparse",
            Shows::Once => "storage.once",
            Shows::Shared => "storage.shared",
            Shows::Freed => "storage.freed",
        }
    }
}

/// Keys of `wait`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Wait {
    /// A duration with its unit: `500ms`, `2s`.
    pub time: String,
}
