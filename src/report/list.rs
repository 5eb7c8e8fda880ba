//! Lists: cases with what would skip them, defects, requirements. A line each, or JSON.

use serde::Serialize;

use super::{clean, text};
use crate::plan::Planned;
use crate::reference;
use crate::suite::Library;
use crate::suite::requirement::{Basis, Level, Spec};

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct CaseLine<'a> {
    id: &'a str,
    title: &'a str,
    source: String,
    requirements: Vec<&'a str>,
    caught_by: &'a [String],
    skip: Option<SkipLine<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct SkipLine<'a> {
    reason: &'a str,
    evidence: &'a str,
}

/// Planned cases, an id a line; a skipped one with its reason after two spaces.
pub fn cases(library: &Library, planned: &[Planned], json: bool) -> String {
    let planned = planned.iter().filter_map(|plan| Some((plan, library.instances.get(plan.case)?)));
    if json {
        return as_json(planned.map(|(plan, case)| {
            let named = case.every_step().flat_map(|step| &step.expect).map(|e| e.requirement.as_str());
            let mut requirements: Vec<&str> = named.collect();
            requirements.sort_unstable();
            requirements.dedup();
            CaseLine {
                id: &case.id,
                title: &case.title,
                source: case.source.to_string(),
                requirements,
                caught_by: &case.caught_by,
                skip: plan.skip.as_ref().map(|skip| SkipLine { reason: &skip.reason, evidence: &skip.evidence }),
            }
        }));
    }
    planned
        .map(|(plan, case)| match &plan.skip {
            None => format!("{}\n", case.id),
            Some(skip) => {
                format!("{}  skipped: {}: {}\n", case.id, clean::line(&skip.reason), clean::line(&skip.evidence))
            }
        })
        .collect()
}

#[derive(Debug, Serialize)]
struct DefectLine<'a> {
    name: &'a str,
    sentence: &'a str,
    requirement: &'a str,
}

/// The reference registry's defects.
pub fn defects(json: bool) -> String {
    let all = reference::defects().iter();
    let lines = all.map(|d| DefectLine { name: d.name, sentence: d.sentence, requirement: d.requirement });
    if json {
        return as_json(lines);
    }
    lines.map(|d| format!("{}  {} (breaks {})\n", d.name, d.sentence, d.requirement)).collect()
}

#[derive(Debug, Serialize)]
struct VariationLine {
    name: &'static str,
    sentence: &'static str,
}

/// The lawful differences of the reference registry.
pub fn variations(json: bool) -> String {
    let lines = reference::variations().iter().map(|v| VariationLine { name: v.name, sentence: v.sentence });
    if json {
        return as_json(lines);
    }
    lines.map(|v| format!("{}  {}\n", v.name, v.sentence)).collect()
}

#[derive(Debug, Serialize)]
struct RequirementLine<'a> {
    id: &'a str,
    level: Level,
    basis: Basis,
    source: &'a str,
    question: u8,
    text: &'a str,
}

/// The requirements, with their levels in one edition.
pub fn requirements(library: &Library, spec: Spec, json: bool) -> String {
    let lines = library.requirements.values().map(|r| RequirementLine {
        id: &r.id,
        level: r.level(spec),
        basis: r.basis,
        source: &r.source,
        question: r.question,
        text: &r.text,
    });
    if json {
        return as_json(lines);
    }
    let line = |r: RequirementLine<'_>| format!("{}  {}, {}: {}\n", r.id, text::level(r.level), r.source, r.text);
    lines.map(line).collect()
}

/// An array; values of ours have a form in JSON.
fn as_json<T: Serialize>(lines: impl Iterator<Item = T>) -> String {
    serde_json::to_string_pretty(&lines.collect::<Vec<_>>()).unwrap_or_default() + "\n"
}
