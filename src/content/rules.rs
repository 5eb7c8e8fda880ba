//! What can be wrong with one node of a graph by itself: its name, sizes, platform, fields.

use super::GraphError;
use super::graph::{Blob, Entry, Format, Graph, Image, Index, Layer};
use super::platform::Platform;

/// The largest blob: 8 GiB, since every byte of it is made and hashed before a case can begin.
pub(super) const MAX_BLOB: u64 = 8 << 30;
/// The largest manifest: 64 MiB, since it is held in memory.
pub(super) const MAX_MANIFEST: u64 = 64 << 20;
/// All manifests of a graph together: 256 MiB.
pub(super) const MAX_MANIFESTS: u64 = 256 << 20;
/// The most entries that `absent` adds to the indexes of a graph, all together.
const MAX_ABSENT: u32 = 100_000;
/// How deep nodes name each other: enough for any question, and no stack is too small for it.
pub(super) const MAX_DEPTH: usize = 64;

/// Everything that is wrong with single nodes.
pub(super) fn check(graph: &Graph) -> Vec<GraphError> {
    let mut rules = Rules { absent: 0, errors: Vec::new() };
    for (name, blob) in &graph.blobs {
        let path = format!("blobs.{name}");
        rules.name(name, &path);
        rules.blob(blob, &path);
    }
    for (name, image) in &graph.images {
        let path = format!("images.{name}");
        rules.name(name, &path);
        rules.image(image, &path);
    }
    for (name, index) in &graph.indexes {
        let path = format!("indexes.{name}");
        rules.name(name, &path);
        rules.index(index, &path);
    }
    rules.errors
}

/// At most a hundred characters of what an author wrote, for a message.
pub(super) fn shown(text: &str) -> String {
    if text.chars().nth(100).is_some() {
        text.chars().take(100).chain("...".chars()).collect()
    } else {
        text.to_owned()
    }
}

/// Whether a graph has more absent entries than can be made.
pub(super) fn is_too_absent(graph: &Graph) -> bool {
    graph.indexes.values().map(|index| u64::from(index.absent)).sum::<u64>() > u64::from(MAX_ABSENT)
}

struct Rules {
    /// Absent entries so far.
    absent: u64,
    errors: Vec<GraphError>,
}

impl Rules {
    fn error(&mut self, path: String, problem: impl Into<String>) {
        self.errors.push(GraphError { path, problem: problem.into() });
    }

    fn name(&mut self, name: &str, path: &str) {
        let valid = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b));
        if !valid || name.is_empty() || name == "self" || name.len() > 100 {
            let problem =
                format!("{:?} cannot be a name: 1 to 100 of `A-Z a-z 0-9 . _ - /`, and not `self`", shown(name));
            self.error(path.to_owned(), problem);
        }
    }

    fn blob(&mut self, blob: &Blob, path: &str) {
        if blob.size.is_some_and(|size| size > MAX_BLOB) {
            self.error(
                format!("{path}.size"),
                format!("a blob has at most {MAX_BLOB} bytes: all of it must be hashed"),
            );
        }
        if blob.size.is_some() && blob.text.is_some() {
            self.error(format!("{path}.size"), "a blob has `size` or `text`: its text is as long as it is");
        }
    }

    fn image(&mut self, image: &Image, path: &str) {
        if let Some(platform) = &image.platform {
            self.platform(platform, format!("{path}.platform"));
        } else if image.os_version.is_some() || !image.os_features.is_empty() {
            let problem = "`os-version` and `os-features` belong to a platform; add `platform: os/architecture`";
            self.error(path.to_owned(), problem);
        }
        for (position, layer) in image.layers.iter().flatten().enumerate() {
            if let Layer::Own(blob) = layer {
                self.blob(blob, &format!("{path}.layers.{position}"));
            }
        }
        self.types(image.format, image.subject.is_some() || image.artifact_type.is_some(), path);
        self.fields(image.fields.keys(), &["config", "layers", "subject", "artifactType", "annotations"], path);
    }

    fn index(&mut self, index: &Index, path: &str) {
        let (before, most) = (self.absent, u64::from(MAX_ABSENT));
        self.absent += u64::from(index.absent);
        if before <= most && self.absent > most {
            let problem = format!("the indexes of a graph have at most {MAX_ABSENT} absent entries together");
            self.error(format!("{path}.absent"), problem);
        }
        if index.pad_to.is_some_and(|size| size > MAX_MANIFEST) {
            let problem = format!("a manifest has at most {MAX_MANIFEST} bytes: it is held in memory");
            self.error(format!("{path}.pad-to"), problem);
        }
        self.types(index.format, index.subject.is_some() || index.artifact_type.is_some(), path);
        self.fields(index.fields.keys(), &["manifests", "subject", "artifactType", "annotations"], path);
        for (position, entry) in index.manifests.iter().enumerate() {
            let Entry::Descriptor(descriptor) = entry else { continue };
            let path = format!("{path}.manifests.{position}");
            if let Some(platform) = descriptor.platform.as_deref().filter(|p| !matches!(*p, "none" | "empty")) {
                self.platform(platform, format!("{path}.platform"));
            }
            let own = ["digest", "platform", "annotations", "artifactType", "data", "urls"];
            self.fields(descriptor.fields.keys(), &own, &path);
        }
    }

    fn platform(&mut self, platform: &str, path: String) {
        if Platform::parse(platform).is_none() {
            let problem =
                format!("{:?} is no platform; write `os/architecture` or `os/architecture/variant`", shown(platform));
            self.error(path, problem);
        }
    }

    /// Docker's types have no subjects and no artifact types.
    fn types(&mut self, format: Option<Format>, oci_only: bool, path: &str) {
        if format == Some(Format::Docker) && oci_only {
            let problem =
                "Docker's types have neither `subject` nor `artifactType`; leave `format` out, and the node is OCI";
            self.error(format!("{path}.format"), problem);
        }
    }

    /// `fields` is for what the model has no key for; anything else would fall out of step with what is computed.
    fn fields<'f>(&mut self, fields: impl Iterator<Item = &'f String>, computed: &[&str], path: &str) {
        for field in fields.filter(|f| computed.contains(&f.as_str())) {
            self.error(format!("{path}.fields.{field}"), "this field is computed; it cannot be among the unknown ones");
        }
    }
}
