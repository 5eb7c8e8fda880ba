//! What a decision is about: the facts that the registry, and whoever corrects it, decides from.

use std::collections::BTreeSet;
use std::time::SystemTime;

use axum::http::header::HeaderMap;
use axum::http::{Method, Uri};
use bytes::Bytes;

use super::answer::Body;
use super::config::{Config, GcConfig};
use super::content::Content;
use super::manifest::{Descriptor, Manifest};
use super::problem::Verdict;
use super::route::{Query, Route, is_tag};
use super::state::{Repository, State, Stored};
use super::traffic::Traffic;
use crate::content::digest::Digest;

/// A request, without its body.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Method.
    pub method: Method,
    /// Path and query, as they came.
    pub uri: Uri,
    /// What the path names.
    pub route: Route,
    /// The query.
    pub query: Query,
    /// Headers.
    pub headers: HeaderMap,
    /// The names of the header fields as they were written, of the first request on a connection.
    pub spelled: Vec<String>,
}

impl Asked {
    /// Reads a request's head.
    pub fn new(method: Method, uri: Uri, headers: HeaderMap) -> Asked {
        let route = Route::parse(uri.path());
        let query = Query::parse(uri.query().unwrap_or_default());
        Asked { method, uri, route, query, headers, spelled: Vec::new() }
    }

    /// A header's value, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// Whether it asks for content or for whether it is there.
    pub fn reads(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    /// The repository that the path names; of a token's endpoint, the first one that a token is asked for; of an unknown path,
    /// whatever is in the place of one.
    pub fn repository(&self) -> Option<&str> {
        let of_scope = || self.query.get("scope")?.strip_prefix("repository:")?.rsplit_once(':').map(|(name, _)| name);
        match self.route {
            Route::Token => of_scope(),
            Route::Unknown => self.uri.path().strip_prefix("/v2/"),
            _ => self.route.repository(),
        }
    }

    /// All media ranges of all `Accept` lines, lower case, parameters cut off.
    pub fn accepts(&self) -> Vec<String> {
        let lines = self.headers.get_all("accept").iter().filter_map(|v| v.to_str().ok());
        let ranges = lines.flat_map(|line| line.split(','));
        ranges.map(|r| r.split(';').next().unwrap_or("").trim().to_ascii_lowercase()).collect()
    }
}

/// A manifest's reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A tag.
    Tag(String),
    /// A digest of an algorithm that the registry knows.
    Digest(Digest),
    /// Neither: malformed, or a digest of another algorithm.
    Other(String),
}

impl Reference {
    /// Reads a reference; anything is one.
    pub fn parse(text: &str) -> Reference {
        match Digest::parse(text) {
            Some(digest) => Reference::Digest(digest),
            None if is_tag(text) => Reference::Tag(text.to_owned()),
            None => Reference::Other(text.to_owned()),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        match self {
            Reference::Tag(text) | Reference::Other(text) => text,
            Reference::Digest(digest) => digest.as_str(),
        }
    }

    /// The digest, where it is one.
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Reference::Digest(digest) => Some(digest),
            _ => None,
        }
    }

    /// The tag, where it is one.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Reference::Tag(tag) => Some(tag),
            _ => None,
        }
    }
}

/// What the registry knows while it decides.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Repositories.
    pub state: &'a State,
    /// Bytes.
    pub content: &'a Content,
    /// What kind of registry it is.
    pub config: &'a Config,
    /// Requests that are under way.
    pub traffic: &'a Traffic,
}

/// A manifest is pushed.
pub struct Push<'a> {
    /// What the registry holds before it.
    pub view: View<'a>,
    /// Repository.
    pub repository: &'a str,
    /// Where it is put.
    pub reference: &'a Reference,
    /// Further tags (`?tag=` of the development version).
    pub tags: &'a [String],
    /// Its bytes.
    pub bytes: &'a Bytes,
    /// What it says.
    pub manifest: &'a Manifest,
    /// The digest of its bytes, by the algorithm of the reference.
    pub digest: &'a Digest,
    /// What it names and is not there, in order, each once.
    pub missing: &'a [Descriptor],
}

/// Is what a manifest names there?
pub struct Wanted<'a> {
    /// What the registry holds.
    pub view: View<'a>,
    /// Repository of the push.
    pub repository: &'a str,
    /// The manifest that names it.
    pub parent: &'a Manifest,
    /// What is named.
    pub descriptor: &'a Descriptor,
}

/// What a read of a manifest or blob asks for.
pub struct Lookup<'a> {
    /// What the registry holds.
    pub view: View<'a>,
    /// Repository.
    pub repository: &'a str,
    /// Reference of a manifest; a blob's digest.
    pub reference: &'a Reference,
    /// The request.
    pub asked: &'a Asked,
}

/// What a read is given.
#[derive(Debug, Clone)]
pub struct Served {
    /// `Content-Type`.
    pub media_type: String,
    /// `Docker-Content-Digest`.
    pub digest: Digest,
    /// Bytes.
    pub body: Body,
}

/// What is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A tag.
    Tag(String),
    /// A manifest.
    Manifest(Digest),
    /// A blob.
    Blob(Digest),
}

/// A delete.
pub struct Removal<'a> {
    /// What the registry holds before it.
    pub view: View<'a>,
    /// Repository.
    pub repository: &'a str,
    /// What goes.
    pub target: &'a Target,
}

/// What leads to writes.
pub enum Change<'a> {
    /// A manifest was pushed, and accepted or refused.
    Put(&'a Push<'a>, &'a Verdict),
    /// Something is deleted; it is there, and may go.
    Delete(&'a Removal<'a>),
    /// A blob's upload was closed.
    Upload(&'a Blob<'a>),
    /// A blob is mounted.
    Mount(&'a Blob<'a>),
}

impl Change<'_> {
    /// The repository that it changes.
    pub fn repository(&self) -> &str {
        match self {
            Change::Put(push, _) => push.repository,
            Change::Delete(removal) => removal.repository,
            Change::Upload(blob) | Change::Mount(blob) => blob.repository,
        }
    }
}

/// A blob comes into a repository.
pub struct Blob<'a> {
    /// What the registry holds before it.
    pub view: View<'a>,
    /// Repository that it comes into.
    pub repository: &'a str,
    /// Repository that it is mounted from, where the request says so.
    pub from: Option<&'a str>,
    /// Its digest, as claimed.
    pub digest: &'a Digest,
}

/// A list is asked for: of tags, or of repositories.
pub struct Listing<'a> {
    /// What the registry holds.
    pub view: View<'a>,
    /// Repository; empty for the catalog.
    pub repository: &'a str,
    /// `n`.
    pub n: Option<usize>,
    /// `last`.
    pub last: Option<&'a str>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its items.
    pub items: Vec<String>,
    /// `last` of the next page, where there is one.
    pub next: Option<String>,
}

/// A chunk of an upload.
pub struct Chunk<'a> {
    /// Bytes that are there already.
    pub have: u64,
    /// `Content-Range`, as it came.
    pub range: Option<&'a str>,
    /// `Content-Length`.
    pub length: Option<u64>,
    /// Whether it is the closing PUT's.
    pub closing: bool,
    /// Whether the connection ended before all of it came.
    pub cut: bool,
}

/// The end of an upload.
pub struct Closing<'a> {
    /// The request that closes it.
    pub asked: &'a Asked,
    /// The digest that the request claims.
    pub claimed: &'a Digest,
    /// The digest of the bytes that came.
    pub computed: &'a Digest,
    /// How many came.
    pub length: u64,
}

/// A collection reaches one repository.
pub struct Collection<'a> {
    /// What the registry holds.
    pub view: View<'a>,
    /// Repository.
    pub repository: &'a str,
    /// What it holds.
    pub held: &'a Repository,
    /// What was marked: what stays, and the digests that are named and absent.
    pub live: &'a BTreeSet<Digest>,
    /// Uploads into it that were begun and not closed.
    pub unfinished: usize,
    /// By which rules.
    pub gc: GcConfig,
    /// When it began: requests were answered since.
    pub begun: SystemTime,
    /// The time that ages are reckoned at.
    pub now: SystemTime,
}

/// A digest that the collector marks as live.
pub struct Marked<'a> {
    /// What the registry holds.
    pub view: View<'a>,
    /// Repository.
    pub repository: &'a str,
    /// What it holds.
    pub held: &'a Repository,
    /// The digest.
    pub digest: &'a Digest,
    /// The manifest, where it is one that is there.
    pub stored: Option<&'a Stored>,
    /// Steps from the nearest root, which has 0.
    pub depth: usize,
}

/// A manifest or blob that the collector looks at.
pub struct Doomed<'a> {
    /// The collection.
    pub collection: &'a Collection<'a>,
    /// Digest.
    pub digest: &'a Digest,
    /// What it says, where it is a manifest.
    pub stored: Option<&'a Stored>,
    /// Whether a manifest led to it, or it is a root.
    pub reached: bool,
    /// When it was stored.
    pub since: SystemTime,
}
