//! The JSON Schema of a case file, made from the types that decode it, so that an editor knows every key and word.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::assertion::Assertion;
use super::model::Action;
use super::parallel;
use super::step::CommonKeys;
use super::written::CaseFile;

/// Text that is exactly one template: it takes its parameter's type, so it may stand for any value.
const TEMPLATE: &str = "^\\{[a-z][a-z0-9-]*\\}$";

/// A key with a template within.
pub const TEMPLATE_WITHIN: &str = "\\{[a-z][a-z0-9-]*\\}";

/// The schema of a case file.
pub fn case_file() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<CaseFile>().to_value();
    no_nulls(&mut schema);
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        // What has no parameters: the case's own keys, and what declares them.
        let varying = definitions.iter_mut().filter(|(name, _)| !matches!(name.as_str(), "Case" | "Each"));
        varying.for_each(|(_, definition)| templates(definition));
    }
    schema
}

/// Takes `null` out: a key that is there has a value.
fn no_nulls(schema: &mut Value) {
    let null = json!({"type": "null"});
    if let Value::Object(object) = schema {
        if object.get("default").is_some_and(Value::is_null) {
            object.remove("default");
        }
        if let Some(Value::Array(kinds)) = object.get_mut("type") {
            kinds.retain(|kind| kind != "null");
            if let [kind] = &kinds[..] {
                let kind = kind.clone();
                object.insert("type".into(), kind);
            }
        }
        if let Some(Value::Array(kinds)) = object.get_mut("anyOf") {
            kinds.retain(|kind| *kind != null);
            if let [Value::Object(only)] = &kinds[..] {
                let only = only.clone();
                object.remove("anyOf");
                for (key, value) in only {
                    object.entry(key).or_insert(value);
                }
            }
        }
    }
    match schema {
        Value::Object(object) => object.values_mut().for_each(no_nulls),
        Value::Array(items) => items.iter_mut().for_each(no_nulls),
        _ => {}
    }
}

/// Lets a template stand for every value that is no text, wherever there is a map of keys.
fn templates(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(templates);
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                properties.values_mut().for_each(or_template);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(templates),
        _ => {}
    }
}

/// The properties of an object's schema.
pub fn properties(schema: &mut Schema) -> Map<String, Value> {
    match schema.remove("properties") {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// The schema of a step: a map of one action, whose map has the action's keys and the common ones.
pub fn step(generator: &mut SchemaGenerator) -> Schema {
    let mut common = CommonKeys::json_schema(generator);
    let common = properties(&mut common);
    let actions = Action::json_schema(generator).to_value();
    let mut steps = Map::new();
    for variant in actions.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        let Some((name, reference)) =
            variant.get("properties").and_then(Value::as_object).and_then(|properties| properties.iter().next())
        else {
            continue;
        };
        let description = variant.get("description").cloned().unwrap_or_default();
        steps.insert(name.clone(), action(reference, description, &common, generator));
    }
    steps.insert(parallel::WORD.to_owned(), parallel::schema(&common, generator));
    json_schema!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": steps,
        "patternProperties": {TEMPLATE_WITHIN: {"type": "object"}},
        "additionalProperties": false,
    })
}

/// The schema of an action's keys.
fn action(reference: &Value, description: Value, common: &Map<String, Value>, generator: &SchemaGenerator) -> Value {
    let name = reference.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    let mut keys = name.and_then(|name| generator.definitions().get(name)).cloned().unwrap_or_default();
    if let Some(Value::Object(properties)) = keys.get_mut("properties") {
        properties.extend(common.clone());
    }
    if let Value::Object(keys) = &mut keys {
        keys.insert("description".into(), description);
        if keys.contains_key("properties") {
            keys.insert("additionalProperties".into(), false.into());
        }
    }
    keys
}

/// Lets a template stand for a value that is no text.
fn or_template(schema: &mut Value) {
    let text = |schema: &Value| match schema.get("type") {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => false,
    };
    if text(schema) && schema.get("enum").is_none() {
        return;
    }
    let description = schema.get("description").cloned();
    let mut either = json!({"anyOf": [schema.take(), {"type": "string", "pattern": TEMPLATE}]});
    if let (Some(description), Value::Object(either)) = (description, &mut either) {
        either.insert("description".into(), description);
    }
    *schema = either;
}

/// The value of `expect`.
#[derive(Debug)]
pub struct Expect;

impl JsonSchema for Expect {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expect".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let assertion = generator.subschema_for::<Assertion>();
        let bundle = json!({"type": "string", "description": "A bundle of expectations.yaml."});
        let own = json!({
            "type": "object",
            "description": "Requirements of requirements.yaml, each with what is asserted under it.",
            "minProperties": 1,
            "additionalProperties": assertion,
        });
        json_schema!({"anyOf": [bundle, own, {"type": "array", "minItems": 1, "items": {"anyOf": [bundle, own]}}]})
    }
}
