//! Files to a library: all that can be asked, or everything that is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::Context;
use super::expect::Law;
use super::fault::{At, Diagnostic, Diagnostics, Fault, shown};
use super::files::{self, File, Role, SuiteSource};
use super::model::{CaseInstance, Expectation};
use super::requirement::{self, Requirement};
use super::topic::{Topic, World};
use super::tree::{Kind, Node};
use super::{nodes, template, yaml};
use crate::content::graph::Graph;

/// Everything that can be asked.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// Every case instance: by area and topic in the order of the alphabet, then in the order of the file, then of `each`.
    pub instances: Vec<CaseInstance>,
    /// Requirements by id.
    pub requirements: BTreeMap<String, Requirement>,
    /// Bundles of expectations by name.
    pub bundles: BTreeMap<String, Vec<Expectation>>,
    /// Graphs by name; of those that are shipped beside a folder's own, the ones that its cases name.
    pub graphs: BTreeMap<String, Arc<Graph>>,
    /// Case files that were loaded.
    pub topics: usize,
    /// `sha256:...` over all files.
    pub digest: String,
}

/// The most instances that one library may have.
const MOST_INSTANCES: usize = 200_000;

/// Loads everything.
///
/// # Errors
/// All that is wrong with all files, sorted by file, line and column.
pub fn load(source: &SuiteSource) -> Result<Library, Diagnostics> {
    let mut files = files::read(source);
    let mut diagnostics = std::mem::take(&mut files.faults);
    let mut library = Library { digest: files.digest(), ..Library::default() };
    let mut world =
        World { defects: crate::reference::defects().iter().map(|defect| defect.name).collect(), ..World::default() };
    for file in &files.files {
        let lazy = file.shipped && *source != SuiteSource::Shipped;
        read(file, lazy, &mut world, &mut library, &mut diagnostics);
        if library.instances.len() > MOST_INSTANCES {
            let message = format!("with this file there are more than {MOST_INSTANCES} case instances");
            diagnostics.push(Diagnostic::new(
                &file.path,
                Fault::new(At::START, message).help("name fewer values"),
                None,
            ));
            break;
        }
    }
    if diagnostics.is_empty() {
        library.requirements = world.law.requirements;
        library.bundles = world.law.bundles;
        library.graphs = world.fixtures.into_graphs();
        return Ok(library);
    }
    diagnostics.sort();
    diagnostics.dedup();
    Err(Diagnostics(diagnostics))
}

/// Reads one file into what its role says; a graph only when a case names it, where `lazy` says so.
fn read(file: &File, lazy: bool, world: &mut World, library: &mut Library, diagnostics: &mut Vec<Diagnostic>) {
    let text = match yaml::text(&file.bytes) {
        Ok(text) => text,
        Err(fault) => {
            let lossy = String::from_utf8_lossy(&file.bytes);
            let line = lossy.lines().nth(fault.at.line as usize - 1).map(str::to_owned);
            diagnostics.push(Diagnostic::new(&file.path, fault, line.as_deref()));
            // A faulty graph is there all the same: those who name it are not at fault.
            if let Role::Graph(name) = &file.role {
                world.fixtures.add(name, None);
            }
            return;
        }
    };
    if let (Role::Graph(name), true) = (&file.role, lazy) {
        return world.fixtures.add_shipped(name, text);
    }
    let lines: Vec<&str> = text.lines().collect();
    let context = Context::default();
    match yaml::parse(text) {
        Err(fault) => {
            context.report(fault);
            if let Role::Graph(name) = &file.role {
                world.fixtures.add(name, None);
            }
        }
        Ok(root) => match &file.role {
            Role::Requirements => world.law.requirements.extend(requirement::decode(&root, &context)),
            Role::Expectations => bundles(&root, file, &lines, &mut world.law, &context),
            Role::Graph(name) => world.fixtures.add(name, nodes::fixture(&root, &context)),
            Role::Topic(id) => {
                let topic = Topic { world, file: &file.path, id, lines: &lines, context: &context };
                library.instances.extend(topic.instances(&root));
                library.topics += 1;
            }
        },
    }
    let faults = context.into_faults().into_iter();
    diagnostics.extend(faults.map(|fault| {
        let line = lines.get(fault.at.line as usize - 1).copied();
        Diagnostic::new(&file.path, fault, line)
    }));
}

/// Decodes expectations.yaml.
fn bundles(root: &Node, file: &File, lines: &[&str], law: &mut Law, context: &Context) {
    let Kind::Map(entries) = &root.kind else {
        let fault = root.fault(format!("{} instead of a map from names to bundles", root.what()));
        context.report(fault.help("write NAME: {REQUIREMENT: {status: ...}}"));
        return;
    };
    for found in template::uses(root, lines) {
        let message =
            format!("the template `{{{}}}` stands in a bundle, which has no parameters", shown(&found.name, 60));
        context.report(Fault::new(found.at, message).help("write the expectation in the case"));
    }
    for entry in context.unique(entries) {
        let name = &entry.key.text;
        if law.requirements.contains_key(&**name) {
            let fault = Fault::new(entry.key.at, format!("the bundle `{name}` is called like a requirement"));
            context.report(fault.help("rename it, so that readers can tell them apart"));
        }
        if matches!(&entry.value.kind, Kind::Map(entries) if entries.is_empty()) {
            let fault = entry.value.fault(format!("the bundle `{}` expects nothing", shown(name, 60)));
            context.report(fault.help("name a requirement, with what is asserted under it"));
            continue;
        }
        let bundle = law.assertions(&entry.value, &file.path, context);
        let bundle = bundle.into_iter().map(|(expectation, _)| expectation).collect();
        law.bundles.insert(name.to_string(), bundle);
    }
}
