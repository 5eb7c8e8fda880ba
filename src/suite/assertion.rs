//! What may be asserted of a response. Each key is one observation; all that do not hold are reported.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::either::Forms;
use super::model::TagSet;
pub use super::who::{ChallengeIs, TokenIs};

/// The keys under a requirement. `self` is the node that the step names.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Assertion {
    /// The status: a value, a class (`4xx`), or a set of both.
    pub status: Option<Statuses>,
    /// One of these error codes stands in the body, where the body is JSON (HEAD: nothing is asserted).
    pub code: Option<OneOrMany>,
    /// None of these error codes stands in the body.
    pub not_code: Option<OneOrMany>,
    /// `errors`: the body, where it is JSON, has the spec's error form with listed codes. `json-errors`: and it is JSON.
    /// `typed-errors`: where it is such JSON, `Content-Type` says JSON. `messages`: each message in it is text.
    pub form: Option<Form>,
    /// `absent-children`: every absent child of self has an entry whose `detail` names its digest.
    pub detail: Option<Detail>,
    /// `Location`: `resolves` (a GET of it gives self), or `present`.
    pub location: Option<LocationIs>,
    /// `Docker-Content-Digest`: that of a node (`self`), of the body as received (`body`), `absent`, `body-or-absent`, or
    /// `self-or-absent`: where it is there, it is a digest of self's bytes, by whatever algorithm it names (v1.1.1 L179-180).
    pub digest: Option<String>,
    /// `Content-Type`: that of a node (`self`, or a name), or a literal media type. Parameters are not compared. With
    /// `self-or-general` it may be one that is no manifest's, or left out: no reader takes that for another manifest.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// Of a 2xx: `Content-Type` is that of one of these nodes, parameters aside. Other statuses: nothing.
    pub type_among: Option<Vec<String>>,
    /// `Content-Length`: a number, or a node's size (`self`); where the header is absent, nothing (its presence is asked
    /// for by `headers`, as HEAD only should have it: v1.1.1 L214).
    pub length: Option<NumberOrNode>,
    /// The body's bytes: those of a node (`self`, a name), `empty`, or `range` (with 206 that slice of self which was asked
    /// for, or, of several, parts that each are what their `Content-Range` says; with 200 all of it).
    pub body: Option<String>,
    /// `Content-Range` of a 206 names the slice that was asked for and the whole size of self, that of a 416 the whole size; other
    /// statuses: nothing.
    pub content_range: Option<bool>,
    /// The body of any answer holds no such text.
    pub not_text: Option<String>,
    /// `Warning` headers: `well-formed` (v1.1.1 L831), or `bounded` (their texts have 4096 bytes at most, L833).
    pub warnings: Option<WarningsAre>,
    /// The body is none of these nodes.
    pub not_body: Option<Vec<String>>,
    /// Of a 200: it is one of these manifests, whole. Bytes, `Docker-Content-Digest`, `Content-Type` and `Content-Length` are
    /// of the same one. Other statuses: nothing.
    pub one_of: Option<Vec<String>>,
    /// The body hashes to the digest header, where there is one, and to the digest in the path.
    pub hashes: Option<bool>,
    /// Headers by name: `present`, `absent`, or a glob that the value must match.
    pub headers: Option<BTreeMap<String, String>>,
    /// Status, type, length and digest equal those of the response that an earlier step named with `as`.
    pub same_as: Option<String>,
    /// `Content-Type` (without parameters), `Content-Length` and `Docker-Content-Digest` are there as in the response that an
    /// earlier step named with `as`, with the same values. Nothing is asserted unless both are of the 2xx.
    pub same_headers: Option<String>,
    /// `ETag`, where there is one: `well-formed`, a single line of RFC 9110's grammar.
    pub etag: Option<EtagIs>,
    /// Of a 2xx: where the response that an earlier step named with `as` has an `ETag`, this one has the same.
    pub same_etag: Option<String>,
    /// Tag lists.
    pub tags: Option<TagsAre>,
    /// `Link`: `absent`, `present`, or `well-formed` (RFC 8288, rel="next", where there is one).
    pub link: Option<LinkIs>,
    /// Referrers lists.
    pub referrers: Option<ReferrersAre>,
    /// The catalog.
    pub repositories: Option<RepositoriesAre>,
    /// `WWW-Authenticate` of a 401; of other statuses nothing is asserted.
    pub challenge: Option<ChallengeIs>,
    /// The answer of a token endpoint.
    pub token: Option<TokenIs>,
}

/// A set of statuses, as written.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Statuses {
    /// One value or class.
    One(StatusItem),
    /// Any of these.
    Many(Vec<StatusItem>),
}

/// A status or a class of them.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum StatusItem {
    /// A value, 100 to 599.
    Value(#[schemars(range(min = 100, max = 599))] u16),
    /// `1xx` to `5xx`.
    Class(#[schemars(regex(pattern = "^[1-5]xx$"))] String),
}

/// What a status may look like.
const STATUS: &str = "a status, 100 to 599, a class, `1xx` to `5xx`, or a list of these";

impl StatusItem {
    fn value(number: i64) -> Result<Self, String> {
        match u16::try_from(number) {
            Ok(value @ 100..=599) => Ok(StatusItem::Value(value)),
            _ => Err(format!("{number} is no status: they go from 100 to 599")),
        }
    }

    fn class(text: String) -> Result<Self, String> {
        match text.as_bytes() {
            [b'1'..=b'5', b'x', b'x'] => Ok(StatusItem::Class(text)),
            _ => Err(format!("`{text}` is no class of statuses: they are 1xx, 2xx, 3xx, 4xx and 5xx")),
        }
    }
}

impl<'de> Deserialize<'de> for StatusItem {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Forms::new(STATUS).number(StatusItem::value).text(StatusItem::class).decode(deserializer)
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn many(items: Vec<StatusItem>) -> Result<Statuses, String> {
            let some = !items.is_empty();
            some.then_some(Statuses::Many(items)).ok_or_else(|| "a set of no status holds never".into())
        }
        Forms::new(STATUS)
            .number(|n| StatusItem::value(n).map(Statuses::One))
            .text(|text| StatusItem::class(text).map(Statuses::One))
            .list(many)
            .decode(deserializer)
    }
}

impl Statuses {
    /// The items, one or many.
    pub fn items(&self) -> &[StatusItem] {
        match self {
            Statuses::One(item) => std::slice::from_ref(item),
            Statuses::Many(items) => items,
        }
    }

    /// Whether `status` is in the set.
    pub fn contains(&self, status: u16) -> bool {
        self.items().iter().any(|item| match item {
            StatusItem::Value(value) => *value == status,
            StatusItem::Class(class) => {
                class.strip_suffix("xx").and_then(|c| c.parse::<u16>().ok()) == Some(status / 100)
            }
        })
    }
}

impl std::fmt::Display for Statuses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, item) in self.items().iter().enumerate() {
            if i > 0 {
                f.write_str(" or ")?;
            }
            match item {
                StatusItem::Value(value) => write!(f, "{value}")?,
                StatusItem::Class(class) => f.write_str(class)?,
            }
        }
        Ok(())
    }
}

/// One string or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Any of these.
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Forms::new("text, or a list of texts")
            .text(|text| Ok(OneOrMany::One(text)))
            .list(|list| Ok(OneOrMany::Many(list)))
            .decode(deserializer)
    }
}

impl OneOrMany {
    /// The strings, one or many.
    pub fn items(&self) -> &[String] {
        match self {
            OneOrMany::One(item) => std::slice::from_ref(item),
            OneOrMany::Many(items) => items,
        }
    }
}

/// A number, or the size of a node.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum NumberOrNode {
    /// Bytes.
    Number(u64),
    /// A node (`self`, or a name).
    Node(String),
}

impl<'de> Deserialize<'de> for NumberOrNode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Forms::new("a number of bytes, or a node's name")
            .number(|n| u64::try_from(n).map(NumberOrNode::Number).map_err(|_| format!("{n} bytes cannot be")))
            .text(|name| Ok(NumberOrNode::Node(name)))
            .decode(deserializer)
    }
}

/// The error body's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Where the body is JSON, it has the spec's form (must of v1.1.1 "Error Codes").
    Errors,
    /// The body is JSON of the spec's form.
    JsonErrors,
    /// Where the body is JSON of the spec's form, `Content-Type` says that it is JSON (RFC 9110 8.3).
    TypedErrors,
    /// Each `message` that an error has is text (should of v1.1.1 L805).
    Messages,
}

/// What `Warning` headers must be, where there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WarningsAre {
    /// Each is `299 - "text"`, without a date.
    WellFormed,
    /// Their texts have 4096 bytes at most, all together.
    Bounded,
}

/// What `ETag` must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EtagIs {
    /// One, in quotes, with `W/` before it where it is a weak one (RFC 9110 8.8.3).
    WellFormed,
}

/// What `detail` must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// Each absent child's digest.
    AbsentChildren,
}

/// What `Location` must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LocationIs {
    /// A GET of it gives self.
    Resolves,
    /// It is there.
    Present,
}

/// What `Link` must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkIs {
    /// None.
    Absent,
    /// One, well formed.
    Present,
    /// Well formed where there is one.
    WellFormed,
}

/// What a list of tags must be (all pages together where the step follows).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TagsAre {
    /// Exactly these, in any order.
    pub exactly: Option<TagSet>,
    /// At least these.
    pub including: Option<TagSet>,
    /// None of these.
    pub excluding: Option<TagSet>,
    /// Nothing but these (a page of a listing).
    pub within: Option<TagSet>,
    /// Bytewise or case-insensitive ascending order, the same one on all pages; no duplicates.
    pub ordered: Option<bool>,
    /// No duplicates.
    pub unique: Option<bool>,
    /// At most so many on each page.
    pub at_most: Option<u64>,
    /// Exactly so many in all.
    pub count: Option<u64>,
    /// Exactly so many on the page, or fewer and a `Link` (v1.1.1 L543-544).
    pub fills: Option<u64>,
    /// `tags` is a JSON list on every page, an empty one too: neither null nor left out.
    pub list: Option<bool>,
    /// `name` in the body is the repository's.
    pub named: Option<bool>,
}

/// What the catalog must be (all pages together where the step follows). Names are full ones: `{repo}`, `{repo:NICK}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RepositoriesAre {
    /// `repositories` is a JSON list of texts on every page.
    pub list: Option<bool>,
    /// At least these.
    pub including: Option<Vec<String>>,
    /// None of these.
    pub excluding: Option<Vec<String>>,
    /// No duplicates.
    pub unique: Option<bool>,
    /// At most so many on each page.
    pub at_most: Option<u64>,
}

/// What a list of referrers must be.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReferrersAre {
    /// Descriptors of exactly these nodes: digest, size, mediaType, artifactType and annotations as in the manifest.
    pub exactly: Option<Vec<String>>,
    /// At least these.
    pub including: Option<Vec<String>>,
    /// None of these.
    pub excluding: Option<Vec<String>>,
    /// Of this artifactType alone, where `OCI-Filters-Applied` says that it was filtered (v1.1.1 L632).
    pub filtered: Option<String>,
    /// Descriptors of all these nodes, where `OCI-Filters-Applied` does not say that it was filtered (v1.1.1 L632).
    pub unfiltered: Option<Vec<String>>,
    /// Each page is an image index of descriptors (v1.1.1 L580).
    pub index: Option<bool>,
}
