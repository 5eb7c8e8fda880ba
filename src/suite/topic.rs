//! A case file to instances: one for each combination of each case's parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::context::{Context, Later};
use super::each::{self, Parameter};
use super::expect::Law;
use super::fault::{At, Fault, shown};
use super::model::{CaseInstance, Needs, Source};
use super::nodes::{Fixture, Fixtures};
use super::step::{self, Decoded};
use super::template::{self, Values};
use super::tree::{Kind, Node};
use super::vary::Varying;
use super::written::{Case, CaseFile};
use super::{needs, sequence, words};
use crate::content::graph::Format;

/// What case files can refer to.
#[derive(Debug, Default)]
pub struct World {
    /// Requirements and bundles.
    pub law: Law,
    /// Fixtures by name.
    pub fixtures: Fixtures,
    /// Defects by name.
    pub defects: BTreeSet<&'static str>,
}

/// Instances of one file.
const MOST: usize = 20_000;

/// What an empty list of cases or steps means.
const NOTHING: &str = "nothing would be asked";

/// A case file at hand.
pub struct Topic<'a> {
    /// What it can refer to.
    pub world: &'a World,
    /// Its path as it is printed.
    pub file: &'a Arc<str>,
    /// `area/topic`.
    pub id: &'a str,
    /// Its text by lines.
    pub lines: &'a [&'a str],
    /// Where faults go.
    pub context: &'a Context,
}

impl Topic<'_> {
    /// Every instance of the file, as far as it is without fault.
    pub fn instances(&self, root: &Node) -> Vec<CaseInstance> {
        let Some(file) = self.context.decode::<CaseFile>(root) else { return Vec::new() };
        let title = self.text(file.title.as_ref()).unwrap_or_default();
        if file.title.is_none() {
            let fault = root.fault("the file has no `title`");
            self.context.report(fault.help("say in a sentence what is asked: `title: ...`"));
        }
        let Some(cases) = file.cases.as_ref().and_then(|cases| self.context.node(cases)) else {
            self.context.report(root.fault("the file has no `cases`").help("add them, or delete the file"));
            return Vec::new();
        };
        let Some(items) = self.list(&cases, "cases", NOTHING) else { return Vec::new() };
        let mut names: BTreeMap<String, u32> = BTreeMap::new();
        let mut out = Vec::new();
        for item in items {
            let Some(case) = self.context.decode::<Case>(item) else { continue };
            let Some((name, at)) = self.name(&case, item) else { continue };
            if let Some(line) = names.insert(name.clone(), at.line) {
                let fault = Fault::new(at, format!("two cases are called `{name}`, so their ids are the same"));
                self.context.report(fault.help(format!("the first one is on line {line}: rename one")));
                continue;
            }
            let top = Top {
                title: &title,
                fixture: file.fixture.as_ref().and_then(|fixture| self.context.node(fixture)),
                needs: file.needs.as_ref().and_then(|needs| self.context.node(needs)),
            };
            self.case(&case, item, &name, at, &top, &mut out);
        }
        out
    }

    /// The items of a list that must have some.
    fn list<'n>(&self, node: &'n Node, key: &str, why: &str) -> Option<&'n [Node]> {
        match &node.kind {
            Kind::List(items) if !items.is_empty() => return Some(items),
            Kind::List(_) => self.context.report(node.fault(format!("`{key}` is an empty list")).help(why)),
            _ => self.context.report(node.fault(format!("{} instead of the list of {key}", node.what()))),
        }
        None
    }

    /// A text that must not be blank.
    fn text(&self, later: Option<&Later<String>>) -> Option<String> {
        let later = later?;
        let text: String = self.context.later(later)?;
        if text.trim().is_empty() {
            let at = self.context.node(later).map_or(At::START, |node| node.at);
            self.context.report(Fault::new(at, "a title without words").help("say in a sentence what is asked"));
        }
        Some(text)
    }

    /// A case's name, and where it stands.
    fn name(&self, case: &Case, item: &Node) -> Option<(String, At)> {
        let Some(node) = case.name.as_ref().and_then(|name| self.context.node(name)) else {
            self.context.report(
                item.fault("the case has no `name`").help("its id is made of it: `name: some-children-present`"),
            );
            return None;
        };
        let name: String = self.context.decode(&node)?;
        if !words::is_slug(&name) {
            let fault = node.fault(format!("`{}` cannot be a case's name", shown(&name, 60)));
            self.context
                .report(fault.help("names have lower-case letters and digits, with hyphens between, up to 100"));
            return None;
        }
        Some((name, node.at))
    }

    /// One case.
    fn case(&self, case: &Case, item: &Node, name: &str, at: At, top: &Top<'_>, out: &mut Vec<CaseInstance>) {
        let parameters = each::parameters(case.each.as_ref().and_then(|e| self.context.node(e)), self.context);
        self.templates(item, top, &parameters);
        let caught_by = self.caught_by(case, item);
        let alone = case.alone.as_ref().is_some_and(|alone| self.context.later(alone).unwrap_or_default());
        let fixed_format = self.format(case, &parameters);
        let Some(steps) = case.steps.as_ref().and_then(|steps| self.context.node(steps)) else {
            self.context.report(item.fault("the case has no `steps`").help("say what is asked: `steps: [...]`"));
            return;
        };
        let Some(steps) = self.list(&steps, "steps", NOTHING) else { return };
        let own = case.fixture.as_ref().and_then(|fixture| self.context.node(fixture));
        let fixture = own.or_else(|| top.fixture.clone());
        if fixture.is_none() {
            let fault = item.fault("the case has no `fixture`, and neither has the file");
            self.context.report(fault.choices("", self.world.fixtures.names(), "the fixtures are"));
        }
        let count: usize = parameters.iter().map(|p| p.values.len()).product();
        if out.len() + count > MOST {
            let fault = Fault::new(at, format!("with this case the file has more than {MOST} instances"));
            return self.context.report(fault.help("name fewer values, or move the case to another file"));
        }
        let title = case.title.as_ref().and_then(|t| self.context.node(t));
        let needs = needs::merged(top.needs.as_ref(), case.needs.as_ref().and_then(|needs| self.context.node(needs)));
        let mut fixture = fixture.map(|fixture| Varying::new(&fixture, &parameters));
        let mut title = title.map(|title| Varying::new(&title, &parameters));
        let mut needs = needs.map(|needs| Varying::new(&needs, &parameters));
        let mut steps: Vec<Varying<ByFixture>> = steps.iter().map(|step| Varying::new(step, &parameters)).collect();
        for combination in each::combinations(&parameters) {
            let values: Values<'_> =
                parameters.iter().zip(&combination).map(|(p, &i)| (p.name.as_str(), &p.values[i].node)).collect();
            // Steps are looked at without a fixture too: one fault shall not hide another.
            let fixture = fixture.as_mut().and_then(|f| f.made(&combination, &values, |node| self.fixture(node)));
            let (fixture_name, fixture) = fixture.unzip();
            let format = fixed_format.or_else(|| each::format(&parameters, &combination)).unwrap_or_default();
            let needs = needs.as_mut().map_or(Some(Needs::default()), |needs| {
                let made = needs.made(&combination, &values, |node| needs::decode(node, self.context))?;
                sequence::needs(&made, format, needs.at(&combination, &values).0, self.context);
                Some(made)
            });
            let title = title
                .as_mut()
                .and_then(|title| title.made(&combination, &values, |node| self.context.decode::<String>(node)));
            let mut decoded = Vec::with_capacity(steps.len());
            for step in steps.iter_mut().filter(|step| !step.spoiled) {
                let (node, made) = step.at(&combination, &values);
                if !made.contains_key(&fixture_name) {
                    let step = step::decode(node, self.file, &self.world.law, fixture.as_deref(), self.context);
                    made.insert(fixture_name.clone(), step.map(Arc::new));
                }
                decoded.extend(made.get(&fixture_name).cloned().flatten());
            }
            if decoded.len() < steps.len() {
                continue;
            }
            sequence::check(&decoded, self.context);
            let (Some(needs), Some(fixture)) = (needs, fixture) else { continue };
            let components = parameters.iter().zip(&combination).map(|(p, &i)| format!("/{}", p.values[i].component));
            out.push(CaseInstance {
                id: format!("{}/{name}{}", self.id, components.collect::<String>()),
                title: title.unwrap_or_else(|| top.title.to_owned()),
                source: Source { file: self.file.clone(), line: at.line as usize, column: at.column as usize },
                needs,
                fixture: fixture.graph.clone(),
                format,
                steps: decoded.iter().map(|decoded| decoded.step.clone()).collect(),
                caught_by: caught_by.clone(),
                alone,
            });
        }
    }

    /// The case's own `format`.
    fn format(&self, case: &Case, parameters: &[Parameter]) -> Option<Format> {
        let later = case.format.as_ref()?;
        if parameters.iter().any(|p| p.name == "format") {
            let at = self.context.node(later).map_or(At::START, |node| node.at);
            let fault = Fault::new(at, "the format is given twice: here and as a parameter");
            self.context.report(fault.help("take one of them out"));
        }
        self.context.later(later)
    }

    /// A fixture by name.
    fn fixture(&self, node: &Node) -> Option<(String, Arc<Fixture>)> {
        let name: String = self.context.decode(node)?;
        match self.world.fixtures.get(&name) {
            Some(fixture) => fixture.map(|fixture| (name, fixture)),
            None => {
                let fault = node.fault(format!("no fixture is called `{}`", shown(&name, 60)));
                self.context.report(fault.choices(&name, self.world.fixtures.names(), "the fixtures are"));
                None
            }
        }
    }

    /// `caught-by`.
    fn caught_by(&self, case: &Case, item: &Node) -> Vec<String> {
        let Some(node) = case.caught_by.as_ref().and_then(|c| self.context.node(c)) else {
            let fault = item.fault("the case has no `caught-by`");
            self.context.report(fault.help(
                "name a defect of the reference registry that turns it red: a check that nothing fails proves nothing",
            ));
            return Vec::new();
        };
        let Some(items) =
            self.list(&node, "caught-by", "a check that nothing fails proves nothing: name a defect that turns it red")
        else {
            return Vec::new();
        };
        let mut out: Vec<String> = Vec::new();
        for item in items {
            let Some(name) = self.context.decode::<String>(item) else { continue };
            if !self.world.defects.contains(name.as_str()) {
                let fault = item.fault(format!("the reference registry has no defect `{}`", shown(&name, 80)));
                let fault = fault.choices(&name, self.world.defects.iter().copied(), "its defects are");
                self.context.report(fault.help("`lacuna list --defects` shows them all"));
            } else if out.contains(&name) {
                self.context
                    .report(item.fault(format!("the defect `{name}` stands twice")).help("take one of them out"));
            }
            out.push(name);
        }
        out
    }

    /// Templates that name no parameter, and parameters that no template names.
    fn templates(&self, item: &Node, top: &Top<'_>, parameters: &[Parameter]) {
        let mut uses = Vec::new();
        uses.extend(top.needs.iter().flat_map(|needs| template::uses(needs, self.lines)));
        for key in ["title", "fixture", "needs", "steps"] {
            if let Some(entry) = item.entry(key) {
                uses.extend(template::uses(&entry.value, self.lines));
            }
        }
        let declared: BTreeSet<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
        for found in uses.iter().filter(|found| !declared.contains(found.name.as_str())) {
            let name = shown(&found.name, 60);
            let fault = Fault::new(found.at, format!("the template `{{{name}}}` names no parameter of the case"));
            let known = declared.iter().copied().chain(template::ENGINE_NAMES);
            self.context.report(
                fault
                    .choices(&found.name, known, "what can be named")
                    .help(format!("parameters are declared in `each: {{{name}: [...]}}`")),
            );
        }
        let free = |p: &&Parameter| p.name != "format" && !template::ENGINE_NAMES.contains(&p.name.as_str());
        for parameter in parameters.iter().filter(free) {
            if !uses.iter().any(|found| found.name == parameter.name) {
                let fault = Fault::new(parameter.at, format!("the parameter `{}` is never used", parameter.name));
                self.context
                    .report(fault.help(format!("write `{{{}}}` where it belongs, or take it out", parameter.name)));
            }
        }
    }
}

/// What one step became, by the fixture whose names it was held against; `None` where it is at fault.
type ByFixture = BTreeMap<Option<String>, Option<Arc<Decoded>>>;

/// What a case has from its file.
struct Top<'a> {
    title: &'a str,
    fixture: Option<Node>,
    needs: Option<Node>,
}
