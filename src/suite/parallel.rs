//! `parallel`: lanes of steps that are sent at once, each lane one after the other.

use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::context::{Context, Later};
use super::expect::Law;
use super::fault::{Fault, shown};
use super::model::{Action, Source, Step};
use super::nodes::Fixture;
use super::side::Side;
use super::step::{self, COMMON, CommonKeys, Decoded};
use super::tree::{Entry, Kind, Node};
use super::words;
use super::written::StepMap;

/// The step's word.
pub const WORD: &str = "parallel";

/// The most that `times` may be.
const MOST_TIMES: u32 = 1000;

/// Steps that mean nothing within a lane.
const REFUSED: [&str; 3] = ["barrier", "joined", WORD];

/// Lanes that run at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Parallel {
    /// At least two, in the order of the file.
    pub lanes: Vec<Lane>,
    /// So often all lanes begin together, and are waited for: 1 to 1000.
    pub times: u32,
}

/// One after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// For reports: lower-case letters, digits, hyphens.
    pub name: String,
    /// At least one.
    pub steps: Vec<Arc<Step>>,
}

/// The keys, as they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Keys {
    /// Steps by the lane's name.
    lanes: Later<Lanes>,
    /// So often all lanes begin together; once where nothing is said.
    times: Option<Later<u32>>,
}

/// Lanes by name.
#[derive(Debug)]
struct Lanes;

impl JsonSchema for Lanes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Lanes".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let step = generator.subschema_for::<StepMap>();
        json_schema!({
            "type": "object",
            "minProperties": 2,
            "propertyNames": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
            "additionalProperties": {"type": "array", "minItems": 1, "items": step},
        })
    }
}

/// The schema of the step's keys; of the `common` ones it takes `during` alone.
pub fn schema(common: &Map<String, Value>, generator: &mut SchemaGenerator) -> Value {
    let mut keys = Keys::json_schema(generator).to_value();
    if let Value::Object(keys) = &mut keys {
        if let Some(Value::Object(properties)) = keys.get_mut("properties") {
            properties.extend(common.get_key_value("during").map(|(key, value)| (key.clone(), value.clone())));
        }
        keys.insert("description".into(), json!("Lanes of steps that are sent at once."));
    }
    keys
}

/// Decodes the step of this entry.
pub fn decode(
    entry: &Entry,
    file: &Arc<str>,
    law: &Law,
    fixture: Option<&Fixture>,
    context: &Context,
) -> Option<Decoded> {
    let before = context.reported();
    let Kind::Map(entries) = &entry.value.kind else {
        let fault = entry.value.fault(format!("{} instead of the keys of `{WORD}`", entry.value.what()));
        context.report(fault.help("write parallel: {lanes: {one: [...], other: [...]}}"));
        return None;
    };
    let (common, own): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| COMMON.contains(&&*entry.key.text));
    for other in common.iter().filter(|entry| &*entry.key.text != "during") {
        let fault = Fault::new(other.key.at, format!("`{WORD}` takes no `{}`", other.key.text));
        context.report(fault.help("it sends nothing itself: write it at the steps of its lanes"));
    }
    let keys: Keys = context.decode(&step::map_of(own, entry))?;
    let during = common.into_iter().filter(|entry| &*entry.key.text == "during").collect();
    let during = context.decode::<CommonKeys>(&step::map_of(during, entry)).and_then(|keys| keys.during);
    let times = keys.times.map(|times| times_of(&times, context));
    let mut lanes = Vec::new();
    let mut below = Vec::new();
    for entry in entries_of(&context.node(&keys.lanes)?, context) {
        let decoded = lane(&entry, file, law, fixture, context);
        let steps = decoded.iter().map(|decoded| decoded.step.clone()).collect();
        lanes.push(Lane { name: entry.key.text.to_string(), steps });
        below.extend(decoded);
    }
    let at = entry.key.at;
    let step = Step {
        action: Action::Parallel(Parallel { lanes, times: times.unwrap_or(1) }),
        repository: "main".into(),
        at: Side::Main,
        accept: None,
        headers: Vec::new(),
        name: None,
        expect: Vec::new(),
        during: during.as_ref().and_then(|later| context.later(later)),
        source: Source { file: file.clone(), line: at.line as usize, column: at.column as usize },
    };
    let decoded = Decoded {
        step: Arc::new(step),
        expected: Vec::new(),
        node: entry.value.clone(),
        action: entry.key.text.clone(),
        below,
    };
    (context.reported() == before).then_some(decoded)
}

fn times_of(later: &Later<u32>, context: &Context) -> u32 {
    let times = context.later(later).unwrap_or(1);
    if let Some(node) = context.node(later).filter(|_| !(1..=MOST_TIMES).contains(&times)) {
        context.report(node.fault(format!("lanes cannot run {times} times")).help(format!("1 to {MOST_TIMES}")));
    }
    times
}

/// The lanes' entries, where there are enough of them.
fn entries_of(node: &Node, context: &Context) -> Vec<Entry> {
    let Kind::Map(entries) = &node.kind else {
        let fault = node.fault(format!("{} instead of lanes by name", node.what()));
        context.report(fault.help("write lanes: {one: [...], other: [...]}"));
        return Vec::new();
    };
    let entries: Vec<Entry> = context.unique(entries).into_iter().cloned().collect();
    if entries.len() < 2 {
        let fault = node.fault("nothing is sent at once: there are not two lanes");
        context.report(fault.help("add a lane, or write its steps as steps of the case"));
    }
    entries
}

/// The steps of one lane.
fn lane(entry: &Entry, file: &Arc<str>, law: &Law, fixture: Option<&Fixture>, context: &Context) -> Vec<Arc<Decoded>> {
    let name = &entry.key.text;
    if !words::is_slug(name) {
        let fault = Fault::new(entry.key.at, format!("`{}` cannot be a lane's name", shown(name, 60)));
        context.report(fault.help("names have lower-case letters and digits, with hyphens between"));
    }
    let steps = match &entry.value.kind {
        Kind::List(steps) if !steps.is_empty() => steps,
        Kind::List(_) => {
            let fault = entry.value.fault("a lane without steps");
            context.report(fault.help("write what it sends, or take the lane out"));
            return Vec::new();
        }
        _ => {
            let fault = entry.value.fault(format!("{} instead of the steps of a lane", entry.value.what()));
            context.report(fault.help("write a list of steps, one at least"));
            return Vec::new();
        }
    };
    steps.iter().filter_map(|step| of_lane(step, file, law, fixture, context)).map(Arc::new).collect()
}

/// A step of a lane, where it is one that a lane can have.
fn of_lane(node: &Node, file: &Arc<str>, law: &Law, fixture: Option<&Fixture>, context: &Context) -> Option<Decoded> {
    if let Kind::Map(entries) = &node.kind
        && let [only] = &entries[..]
    {
        if REFUSED.contains(&&*only.key.text) {
            let fault = Fault::new(only.key.at, format!("`{}` within a lane", only.key.text));
            context.report(fault.help("all lanes meet at the end of `parallel`: write it there, or before it"));
            return None;
        }
        let keys = if let Kind::Map(keys) = &only.value.kind { &keys[..] } else { &[] };
        for key in keys.iter().filter(|key| matches!(&*key.key.text, "as" | "during")) {
            let fault = Fault::new(key.key.at, format!("`{}` within a lane", key.key.text));
            context.report(match &*key.key.text {
                "as" => fault.help("which of several answers would be meant depends on the race: compare after it"),
                _ => fault.help("write it at `parallel`, for all lanes"),
            });
        }
    }
    step::decode(node, file, law, fixture, context)
}
