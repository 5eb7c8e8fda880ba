//! `each`: a case's parameters and their values.

use super::context::Context;
use super::fault::{At, Fault, shown};
use super::template;
use super::tree::{Kind, Meaning, Node, meaning};
use super::words;
use crate::content::graph::Format;

/// A parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where that stands.
    pub at: At,
    /// Its values.
    pub values: Vec<Value>,
}

/// A value of a parameter.
#[derive(Debug)]
pub struct Value {
    /// As it is put in.
    pub node: Node,
    /// As it stands in the case's id.
    pub component: String,
}

/// Instances of one case.
const MOST: usize = 5000;

/// Decodes `each`.
pub fn parameters(node: Option<Node>, context: &Context) -> Vec<Parameter> {
    let Some(node) = node else { return Vec::new() };
    let Kind::Map(entries) = &node.kind else {
        let fault = node.fault(format!("{} instead of a map from parameters to their values", node.what()));
        context.report(fault.help("write each: {by: [tag, digest]}"));
        return Vec::new();
    };
    if entries.is_empty() {
        context.report(node.fault("`each` names no parameter").help("name one, or take `each` out"));
    }
    let mut out: Vec<Parameter> = Vec::new();
    for entry in context.unique(entries) {
        let name = entry.key.text.to_string();
        if !words::is_slug(&name) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            let fault = Fault::new(entry.key.at, format!("`{}` cannot be a parameter's name", shown(&name, 60)));
            context.report(fault.help("names have lower-case letters, digits and hyphens, a letter first"));
        } else if template::ENGINE_NAMES.contains(&name.as_str()) {
            let fault = Fault::new(entry.key.at, format!("a parameter cannot be called `{name}`"));
            context.report(fault.help(format!("`{{{name}}}` is filled in by lacuna: choose another name")));
        }
        out.push(Parameter { name, at: entry.key.at, values: values(&entry.key.text, &entry.value, context) });
    }
    let mut count = 1usize;
    for parameter in &mut out {
        count = count.saturating_mul(parameter.values.len().max(1));
        if count > MOST {
            let fault = Fault::new(parameter.at, format!("with `{}` the case has {count} instances", parameter.name));
            context.report(fault.help(format!("at most {MOST}: name fewer values, or make two cases of it")));
            parameter.values.clear();
            break;
        }
    }
    out
}

/// A parameter's values, as far as they can be put in.
fn values(name: &str, node: &Node, context: &Context) -> Vec<Value> {
    let Kind::List(items) = &node.kind else {
        let fault = node.fault(format!("{} instead of the list of values of `{}`", node.what(), shown(name, 60)));
        context.report(fault.help(format!("write {}: [one, another]", shown(name, 60))));
        return Vec::new();
    };
    if items.is_empty() {
        let fault =
            node.fault(format!("the parameter `{}` has no value, so the case has no instance", shown(name, 60)));
        context.report(fault.help("name its values"));
    }
    let mut out: Vec<Value> = Vec::new();
    for item in items.iter() {
        let single = |node: &Node| matches!(&node.kind, Kind::Scalar { text, plain } if meaning(text, *plain) != Meaning::Nothing);
        let good = match &item.kind {
            Kind::List(parts) => parts.iter().all(single),
            _ => single(item),
        };
        if !good {
            let fault = item.fault(format!(
                "the value of a parameter is text, a number, or a list of these; this is {}",
                item.what()
            ));
            context.report(fault.help("put the template deeper, where such a value fits"));
            continue;
        }
        if name == "format" && context.decode::<Format>(item).is_none() {
            continue;
        }
        let component = component(item);
        if let Some(first) = out.iter().find(|value| value.component == component) {
            let fault = item.fault(format!("two values give the case the same id, by `{component}`"));
            context.report(fault.help(format!(
                "the first one is on line {}: take one out, or tell them apart by letters or digits",
                first.node.at.line
            )));
            continue;
        }
        out.push(Value { node: item.clone(), component });
    }
    out
}

/// A value as a part of an id: what an id cannot have becomes `-`; an empty list `none`, an empty text `empty`.
fn component(node: &Node) -> String {
    let text = match &node.kind {
        Kind::List(items) if items.is_empty() => "none".to_owned(),
        _ => template::text_of(node),
    };
    let clean: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "._+-".contains(c) { c } else { '-' }).collect();
    match clean.as_str() {
        "" => "empty".into(),
        // An id is also a path: none of its parts may lead anywhere.
        dots if dots.bytes().all(|b| b == b'.') => "-".repeat(dots.len()),
        _ => clean,
    }
}

/// Every combination of the values, as their places; the last parameter varies fastest.
pub fn combinations(parameters: &[Parameter]) -> Vec<Vec<usize>> {
    let mut out = vec![Vec::new()];
    for parameter in parameters {
        let longer = |start: &Vec<usize>| {
            let start = start.clone();
            (0..parameter.values.len()).map(move |i| [start.as_slice(), &[i]].concat())
        };
        out = out.iter().flat_map(longer).collect();
    }
    out
}

/// The value of the parameter `format` in a combination.
pub fn format(parameters: &[Parameter], combination: &[usize]) -> Option<Format> {
    let (parameter, &i) = parameters.iter().zip(combination).find(|(p, _)| p.name == "format")?;
    match parameter.values.get(i)?.component.as_str() {
        "docker" => Some(Format::Docker),
        _ => Some(Format::Oci),
    }
}
