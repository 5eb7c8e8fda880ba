//! The case file as serde and the JSON Schema see it. What varies with a case's parameters is kept as a tree, and decoded
//! for each instance.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::context::Later;
use super::model::{Scope, StanceWord};
use super::schema;
use crate::content::graph::Format;
use crate::target::findings::all_capabilities;

/// A topic: what one aspect of a registry is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "lacuna case file")]
pub struct CaseFile {
    /// What is asked, in a sentence.
    #[schemars(required)]
    pub title: Option<Later<String>>,
    /// The graph of `fixtures/content/` that the cases push.
    pub fixture: Option<Later<String>>,
    /// What every case needs of its target; a case's own needs are added, and stand in for those of the same name.
    pub needs: Option<Later<NeedsMap>>,
    /// The cases.
    #[schemars(required, length(min = 1))]
    pub cases: Option<Later<Vec<Case>>>,
}

/// A case: one instance for each combination of its parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// Part of its id, stable for ever: lower-case letters, digits, hyphens.
    #[schemars(required)]
    pub name: Option<Later<Name>>,
    /// What is asked, where it is more than the topic's title.
    pub title: Option<Later<String>>,
    /// The graph instead of the topic's.
    pub fixture: Option<Later<String>>,
    /// The family of media types, where it is no parameter.
    pub format: Option<Later<Format>>,
    /// What the target must be or be able to do; else the case is skipped.
    pub needs: Option<Later<NeedsMap>>,
    /// Parameters, in the order of the id: each a list of values.
    pub each: Option<Later<EachMap>>,
    /// Runs while no other case does.
    pub alone: Option<Later<bool>>,
    /// What is done, in order.
    #[schemars(required, length(min = 1))]
    pub steps: Option<Later<Vec<StepMap>>>,
    /// The defects of the reference registry that turn it red.
    #[schemars(required, length(min = 1))]
    pub caught_by: Option<Later<Vec<String>>>,
}

/// A case's name.
#[derive(Debug)]
pub struct Name;

impl JsonSchema for Name {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Name".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"})
    }
}

/// The keys of `needs` beside the capabilities.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct NeedsKeys {
    /// The stance for the case's format: one word, or a list of those that will do.
    pub stance: Option<Later<Stances>>,
    /// A platform that a registry with stance `require` demands.
    pub required: Option<Later<String>>,
    /// A platform that a registry with stance `require` does not demand.
    pub optional: Option<Later<String>>,
    /// Where a refusing registry looks for children.
    pub scope: Option<Later<Scope>>,
}

/// One stance or several.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "read only by schemars")]
pub enum Stances {
    /// This one.
    One(StanceWord),
    /// Any of these.
    Many(Vec<StanceWord>),
}

/// `needs`: the keys above, and capabilities by name.
#[derive(Debug)]
pub struct NeedsMap;

impl JsonSchema for NeedsMap {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Needs".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = NeedsKeys::json_schema(generator);
        let mut properties = schema::properties(&mut schema);
        for (name, meaning) in all_capabilities() {
            let value =
                serde_json::json!({"description": format!("The registry {meaning}."), "enum": ["supported", "absent"]});
            properties.insert((*name).to_owned(), value);
        }
        schema.insert("properties".into(), properties.into());
        schema.insert("patternProperties".into(), serde_json::json!({schema::TEMPLATE_WITHIN: {}}));
        schema.insert("additionalProperties".into(), false.into());
        schema
    }
}

/// `each`: parameters by name.
#[derive(Debug)]
pub struct EachMap;

impl JsonSchema for EachMap {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Each".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let scalar = serde_json::json!({"type": ["string", "number", "boolean"]});
        json_schema!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[a-z][a-z0-9-]*$"},
            "additionalProperties": {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [scalar, {"type": "array", "items": scalar}]}
            }
        })
    }
}

/// A step: one action by name.
#[derive(Debug)]
pub struct StepMap;

impl JsonSchema for StepMap {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Step".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schema::step(generator)
    }
}
