//! The case file as an author writes it, and the instances that one case expands to.
//!
//! A file is read into a tree that keeps positions; each combination of `each` is put into the tree, and only then are
//! steps decoded into these types. So no type here knows of templates.

mod blobs;
mod lists;
mod manifests;
mod others;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assertion::Assertion;
use super::barrier::Barrier;
use super::parallel::{Lane, Parallel};
use super::side::Side;
use crate::content::graph::{Format, Graph};

pub use blobs::{BlobRead, Mount, ReadMethod, SessionRequest, SessionStep, Upload, UploadHow};
pub use lists::{Catalog, Literal, Referrers, Tags};
pub use manifests::{By, Delete, Joined, Nodes, Numbered, Push, Put, Read, Settled, TagSet};
pub use others::{Asker, ClientStep, Ends, Raw, Shows, TokenStep, UsageStep, Wait};

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

/// Where a refusing registry looks for a child (v1.1.1 L224: "in the registry").
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
    /// Lists repositories, one page or all: Docker's, of no repository.
    Catalog(Catalog),
    /// GET or HEAD of a blob.
    Blob(BlobRead),
    /// Mounts a blob from another repository.
    Mount(Mount),
    /// Uploads one blob in a named way.
    Upload(Upload),
    /// One request of an upload.
    Session(SessionStep),
    /// Any request, bytes as given.
    Raw(Raw),
    /// A token is asked for, where the registry's challenges say that it is to be had.
    Token(TokenStep),
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
