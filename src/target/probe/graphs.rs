//! What the probe pushes.

use std::sync::Arc;

use crate::content::graph::{Algorithm, Blob, Descriptor, Entry, Form, Format, Graph, Image, Index, Layer};
use crate::content::{Content, Key, Node};

/// The platforms among which `require` is looked for.
pub const PLATFORMS: [&str; 8] = [
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/ppc64le",
    "linux/s390x",
    "linux/riscv64",
    "linux/386",
    "windows/amd64",
];

/// A platform that nobody requires: tells "all children" from "all eight platforms".
pub(super) const STRANGER: &str = "plan9/mips";

/// Built content, by name.
pub(super) struct Set(Content);

impl Set {
    /// Builds a graph for one question.
    ///
    /// # Errors
    /// The graph is wrong: a mistake of ours, told as evidence.
    pub(super) fn build(graph: &Graph, format: Format, seed: u64, question: &str) -> Result<Set, String> {
        let key = Key { seed, owner: format!("probe/{question}") };
        Content::build(graph, format, &key).map(Set).map_err(|errors| {
            let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
            format!("the probe's content cannot be built: {}", texts.join("; "))
        })
    }

    /// A node.
    ///
    /// # Errors
    /// There is none of this name: a mistake of ours, told as evidence.
    pub(super) fn get(&self, name: &str) -> Result<&Arc<Node>, String> {
        self.0.nodes.get(name).ok_or_else(|| format!("the probe's content has no `{name}`"))
    }

    /// Several nodes.
    ///
    /// # Errors
    /// As [`Set::get`].
    pub(super) fn all(&self, names: &[String]) -> Result<Vec<&Node>, String> {
        names.iter().map(|name| self.get(name).map(Arc::as_ref)).collect()
    }
}

/// An image of one small layer.
fn image(platform: &str) -> Image {
    Image { platform: Some(platform.into()), layers: Some(vec![Layer::Shared("layer".into())]), ..Image::default() }
}

fn entries<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Vec<Entry> {
    names.into_iter().map(|name| Entry::Node(name.into())).collect()
}

fn with_layer() -> Graph {
    Graph { blobs: [("layer".to_owned(), Blob::default())].into(), ..Graph::default() }
}

/// The name of the image that is pushed for the platform of this number.
pub(super) fn present(i: usize) -> String {
    format!("present-{i}")
}

/// Eight images, `present-0` to `-7`; `index` over them; for each platform `lacks-N`, that names an image of it that nobody
/// has, and the seven others, and `reversed-N`, the same in reverse order; `lacks-stranger`, that names all eight and an image of a ninth platform that nobody has.
/// `ground` is a blob that none of them names.
pub(super) fn platforms() -> Graph {
    let mut graph = with_layer();
    graph.blobs.insert("ground".into(), Blob { size: Some(99), ..Blob::default() });
    let count = PLATFORMS.len();
    for (i, platform) in PLATFORMS.iter().enumerate() {
        graph.images.insert(present(i), image(platform));
        graph.images.insert(format!("ghost-{i}"), image(platform));
        let mut manifests = entries((0..count).map(|j| if i == j { format!("ghost-{j}") } else { present(j) }));
        graph.indexes.insert(format!("lacks-{i}"), Index { manifests: manifests.clone(), ..Index::default() });
        manifests.reverse();
        graph.indexes.insert(format!("reversed-{i}"), Index { manifests, ..Index::default() });
    }
    graph.images.insert("ghost-stranger".into(), image(STRANGER));
    let strange = (0..count).map(present).chain(["ghost-stranger".to_owned()]);
    graph.indexes.insert("lacks-stranger".into(), Index { manifests: entries(strange), ..Index::default() });
    graph.indexes.insert("index".into(), Index { manifests: entries((0..count).map(present)), ..Index::default() });
    graph
}

/// Three images over one layer, and forms of an index over two of them: `index`, `empty`, `nested`, `bare` (no
/// `mediaType`).
pub(super) fn several() -> Graph {
    let mut graph = with_layer();
    graph.images.insert("image".into(), image("linux/amd64"));
    graph.images.insert("other".into(), image("linux/arm64"));
    graph.images.insert("third".into(), image("linux/s390x"));
    let index = |names: &[&str]| Index { manifests: entries(names.iter().copied()), ..Index::default() };
    graph.indexes.insert("index".into(), index(&["image", "other"]));
    graph.indexes.insert("empty".into(), index(&[]));
    graph.indexes.insert("inner".into(), index(&["image"]));
    // With a platform: what is made of a descriptor without one is another question.
    let inner = Descriptor { node: "inner".into(), platform: Some("linux/amd64".into()), ..Descriptor::default() };
    let nested = vec![Entry::Descriptor(Box::new(inner)), Entry::Node("other".into())];
    graph.indexes.insert("nested".into(), Index { manifests: nested, ..Index::default() });
    let form = Form { no_media_type: true, ..Form::default() };
    graph.indexes.insert("bare".into(), Index { form, ..index(&["other", "image"]) });
    graph.images.insert("anywhere".into(), Image { platform: None, ..image("linux/amd64") });
    graph.indexes.insert("platformless".into(), index(&["anywhere", "other"]));
    graph
}

/// An image of two layers of its own, `image/layer-0` and `image/layer-1`.
pub(super) fn two_layers() -> Graph {
    let layers = Some(vec![Layer::Own(Blob::default()), Layer::Own(Blob::default())]);
    let image = Image { platform: Some("linux/amd64".into()), layers, ..Image::default() };
    Graph { images: [("image".to_owned(), image)].into(), ..Graph::default() }
}

/// `image`, and `referrer` that refers to it.
pub(super) fn referrer() -> Graph {
    let mut graph = with_layer();
    graph.images.insert("image".into(), image("linux/amd64"));
    graph.images.insert(
        "referrer".into(),
        Image {
            subject: Some("image".into()),
            artifact_type: Some("application/vnd.lacuna.probe".into()),
            layers: Some(vec![Layer::Shared("layer".into())]),
            ..Image::default()
        },
    );
    graph
}

/// Blobs alone: `blob` and, of `large` bytes, `large`.
pub(super) fn blobs(large: u64) -> Graph {
    let large = Blob { size: Some(large), ..Blob::default() };
    Graph { blobs: [("blob".to_owned(), Blob::default()), ("large".to_owned(), large)].into(), ..Graph::default() }
}

/// `blob` and `image` by sha512; the image's own blobs are by sha256, so that only one thing is asked at a time.
pub(super) fn sha512() -> Graph {
    let mut graph = with_layer();
    graph.blobs.insert("blob".into(), Blob { algorithm: Algorithm::Sha512, ..Blob::default() });
    graph.images.insert("image".into(), Image { algorithm: Algorithm::Sha512, ..image("linux/amd64") });
    graph
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_graph_can_be_built_in_both_formats() {
        for format in [Format::Oci, Format::Docker] {
            for graph in [platforms(), several(), two_layers(), blobs(1 << 20), sha512(), referrer()] {
                Set::build(&graph, format, 1, "test").unwrap();
            }
        }
    }

    #[test]
    fn an_index_that_lacks_a_platform_names_all_eight() {
        let set = Set::build(&platforms(), Format::Oci, 1, "test").unwrap();
        let index = set.get("index").unwrap();
        assert_eq!(index.children.len(), 8);
        for i in 0..8 {
            let lacks = set.get(&format!("lacks-{i}")).unwrap();
            let differing: Vec<usize> =
                (0..8).filter(|j| lacks.children[*j].digest != index.children[*j].digest).collect();
            assert_eq!(differing, [i]);
        }
    }
}
