//! From names to an order: every name resolved, every rule of a graph checked, before a byte is made.

use std::collections::BTreeMap;

use super::GraphError;
use super::graph::{Algorithm, Blob, Entry, Format, Graph, Image, Index, Layer};
use super::order::order;
use super::rules::{self, MAX_DEPTH, shown};
use crate::near::hint;

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'g> {
    Blob(&'g Blob),
    /// The config of an image, with the layers that it lists.
    Config(&'g Image),
    Image(&'g Image),
    Index(&'g Index),
    Phantom,
}

impl Source<'_> {
    fn is_manifest(self) -> bool {
        matches!(self, Source::Image(_) | Source::Index(_) | Source::Phantom)
    }

    fn word(self) -> &'static str {
        match self {
            Source::Blob(_) | Source::Config(_) => "a blob",
            Source::Image(_) => "an image",
            Source::Index(_) => "an index",
            Source::Phantom => "an absent manifest",
        }
    }
}

/// One name, resolved. `config`, `parts` (layers or entries) and `subject` are places in [`Resolved::items`].
#[derive(Debug)]
pub(super) struct Item<'g> {
    pub name: String,
    /// Where it stands in the graph, dotted.
    pub path: String,
    pub source: Source<'g>,
    pub format: Format,
    pub config: Option<usize>,
    pub parts: Vec<usize>,
    pub subject: Option<usize>,
}

impl Item<'_> {
    /// What must be built before it.
    fn needs(&self) -> impl Iterator<Item = usize> {
        self.config.into_iter().chain(self.parts.iter().copied()).chain(self.subject)
    }
}

/// A graph without a fault in its names.
#[derive(Debug)]
pub(super) struct Resolved<'g> {
    pub items: Vec<Item<'g>>,
    /// Places in `items`, what is named before what names it.
    pub order: Vec<usize>,
}

/// The blob that the layer at `position` of an image brings with it.
fn layer_name(image: &str, position: usize) -> String {
    format!("{image}/layer-{position}")
}

pub(super) fn resolve(graph: &Graph, format: Format) -> Result<Resolved<'_>, Vec<GraphError>> {
    let errors = rules::check(graph);
    if rules::is_too_absent(graph) {
        return Err(errors);
    }
    let mut resolver = Resolver { items: Vec::new(), places: BTreeMap::new(), errors };
    resolver.collect(graph, format);
    resolver.link();
    let order = resolver.order();
    if resolver.errors.is_empty() { Ok(Resolved { items: resolver.items, order }) } else { Err(resolver.errors) }
}

struct Resolver<'g> {
    items: Vec<Item<'g>>,
    places: BTreeMap<String, usize>,
    errors: Vec<GraphError>,
}

impl<'g> Resolver<'g> {
    fn error(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.errors.push(GraphError { path: path.into(), problem: problem.into() });
    }

    fn add(&mut self, name: String, path: String, source: Source<'g>, format: Format) {
        if let Some(&first) = self.places.get(&name) {
            let first = self.items[first].path.clone();
            self.error(
                path,
                format!("the name `{name}` is taken by {first}; names are unique over blobs, images, indexes and what they bring"),
            );
            return;
        }
        self.places.insert(name.clone(), self.items.len());
        self.items.push(Item { name, path, source, format, config: None, parts: Vec::new(), subject: None });
    }

    /// Gives every declared and every implied name its place.
    fn collect(&mut self, graph: &'g Graph, format: Format) {
        for (name, blob) in &graph.blobs {
            let path = format!("blobs.{name}");
            self.add(name.clone(), path, Source::Blob(blob), format);
        }
        for (name, image) in &graph.images {
            let path = format!("images.{name}");
            let format = format_of(image.format, image.subject.is_some() || image.artifact_type.is_some(), format);
            for (position, layer) in image.layers.iter().flatten().enumerate() {
                if let Layer::Own(blob) = layer {
                    let path = format!("{path}.layers.{position}");
                    self.add(layer_name(name, position), path, Source::Blob(blob), format);
                }
            }
            if image.layers.is_none() {
                self.add(layer_name(name, 0), format!("{path}.layers"), Source::Blob(&DEFAULT_LAYER), format);
            }
            if image.config.is_none() {
                self.add(format!("{name}/config"), path.clone(), Source::Config(image), format);
            }
            self.add(name.clone(), path, Source::Image(image), format);
        }
        for (name, index) in &graph.indexes {
            let path = format!("indexes.{name}");
            let format = format_of(index.format, index.subject.is_some() || index.artifact_type.is_some(), format);
            for number in 0..index.absent {
                self.add(format!("{name}/absent-{number:04}"), format!("{path}.absent"), Source::Phantom, format);
            }
            self.add(name.clone(), path, Source::Index(index), format);
        }
    }

    /// Resolves what every item names.
    fn link(&mut self) {
        for place in 0..self.items.len() {
            let (source, name, path) = {
                let item = &self.items[place];
                (item.source, item.name.clone(), item.path.clone())
            };
            match source {
                Source::Blob(_) | Source::Phantom => {}
                Source::Config(image) => {
                    let image_name = name.strip_suffix("/config").unwrap_or(&name).to_owned();
                    // The image itself reports what is wrong with its layers.
                    self.items[place].parts = self.layers(image, &image_name, &path).0;
                }
                Source::Image(image) => {
                    let (layers, errors) = self.layers(image, &name, &path);
                    self.errors.extend(errors);
                    self.items[place].parts = layers;
                    self.items[place].config = self.config(image, &name, &path);
                    self.items[place].subject = self.subject(image.subject.as_deref(), &path);
                }
                Source::Index(index) => {
                    let mut parts = Vec::with_capacity(index.manifests.len() + index.absent as usize);
                    for (position, entry) in index.manifests.iter().enumerate() {
                        let node = match entry {
                            Entry::Node(node) => node,
                            Entry::Descriptor(descriptor) => &descriptor.node,
                        };
                        match self.find(node, &format!("{path}.manifests.{position}")) {
                            Ok(found) => parts.push(found),
                            Err(error) => self.errors.push(error),
                        }
                    }
                    for number in 0..index.absent {
                        parts.extend(self.places.get(&format!("{name}/absent-{number:04}")));
                    }
                    self.items[place].parts = parts;
                    self.items[place].subject = self.subject(index.subject.as_deref(), &path);
                }
            }
        }
    }

    fn layers(&self, image: &Image, name: &str, path: &str) -> (Vec<usize>, Vec<GraphError>) {
        let Some(layers) = &image.layers else {
            return (self.places.get(&layer_name(name, 0)).copied().into_iter().collect(), Vec::new());
        };
        let mut found = Vec::with_capacity(layers.len());
        let mut errors = Vec::new();
        for (position, layer) in layers.iter().enumerate() {
            let path = format!("{path}.layers.{position}");
            let place = match layer {
                Layer::Shared(blob) => self.find(blob, &path),
                Layer::Own(_) => self.find(&layer_name(name, position), &path),
            };
            match place {
                Ok(place) if self.items[place].source.is_manifest() => {
                    let item = &self.items[place];
                    let problem = format!("`{}` is {}; a layer is a blob", item.name, item.source.word());
                    errors.push(GraphError { path, problem });
                }
                Ok(place) => found.push(place),
                Err(error) => errors.push(error),
            }
        }
        (found, errors)
    }

    fn config(&mut self, image: &Image, name: &str, path: &str) -> Option<usize> {
        let Some(config) = &image.config else { return self.places.get(&format!("{name}/config")).copied() };
        let path = format!("{path}.config");
        match self.find(config, &path) {
            Ok(place) if self.items[place].source.is_manifest() => {
                let problem = format!("`{config}` is {}; a config is a blob", self.items[place].source.word());
                self.error(path, problem);
                None
            }
            Ok(place) => Some(place),
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn subject(&mut self, subject: Option<&str>, path: &str) -> Option<usize> {
        let path = format!("{path}.subject");
        match self.find(subject?, &path) {
            Ok(place) if self.items[place].source.is_manifest() => Some(place),
            Ok(place) => {
                let problem = format!("`{}` is a blob; a subject is a manifest", self.items[place].name);
                self.error(path, problem);
                None
            }
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn find(&self, name: &str, path: &str) -> Result<usize, GraphError> {
        self.places.get(name).copied().ok_or_else(|| {
            // A suggestion compares with every name: not for the thousandth mistake, and not with what nobody wrote.
            let known = self.items.iter().filter(|i| !matches!(i.source, Source::Phantom)).map(|i| i.name.as_str());
            let near = if self.errors.len() < 50 { hint(name, known) } else { String::new() };
            GraphError { path: path.to_owned(), problem: format!("nothing is named `{}`{near}", shown(name)) }
        })
    }

    /// What is named before what names it; cycles and excessive depth are errors.
    fn order(&mut self) -> Vec<usize> {
        let needs: Vec<Vec<usize>> = self.items.iter().map(|item| item.needs().collect()).collect();
        let found = order(&needs);
        for (item, _) in self.items.iter().zip(&found.depth).filter(|(_, depth)| **depth == MAX_DEPTH + 1) {
            let problem = format!("nested deeper than {MAX_DEPTH}");
            self.errors.push(GraphError { path: item.path.clone(), problem });
        }
        for cycle in found.cycles {
            let mut names: Vec<&str> = cycle.iter().take(10).map(|&place| self.items[place].name.as_str()).collect();
            if cycle.len() > names.len() {
                names.push("...");
            }
            names.extend(names.first().copied());
            let problem = format!("names itself: {}; a digest cannot contain itself", names.join(" -> "));
            let path = cycle.first().map(|&place| self.items[place].path.clone()).unwrap_or_default();
            self.error(path, problem);
        }
        found.order
    }
}

/// The layer of an image that says nothing of layers.
static DEFAULT_LAYER: Blob =
    Blob { size: None, text: None, media_type: None, urls: Vec::new(), algorithm: Algorithm::Sha256 };

/// Only OCI has subjects and artifact types, so such a node is OCI whatever the case's format is.
fn format_of(own: Option<Format>, oci_only: bool, format: Format) -> Format {
    own.unwrap_or(if oci_only { Format::Oci } else { format })
}
