//! What tests of expectations share: content, responses, a world.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::content::digest::Digest;
use crate::content::graph::{Algorithm, Format, Graph};
use crate::content::{Content, Key};
use crate::wire::{Exchange, Request, Response, Secret};

fn build(graph: serde_json::Value) -> Content {
    let graph: Graph = serde_json::from_value(graph).expect("the graph's form");
    let key = Key { seed: 7, owner: "test".into() };
    Content::build(&graph, Format::Oci, &key).expect("the graph's content")
}

/// Four images, an index over them, an index over that, a blob, and an artifact.
pub(crate) fn content() -> Content {
    let image = |platform: &str| serde_json::json!({ "platform": platform });
    build(serde_json::json!({
        "blobs": { "layer": { "size": 1000 }, "big": { "size": 200_000 } },
        "images": {
            "amd64": image("linux/amd64"), "arm64": image("linux/arm64"),
            "ppc64le": image("linux/ppc64le"), "s390x": image("linux/s390x"),
            "sig": { "subject": "amd64", "artifact-type": "application/x.sig", "annotations": { "k": "v" } }
        },
        "indexes": {
            "index": { "manifests": ["amd64", "ppc64le", "s390x", "arm64"] },
            "outer": { "manifests": ["index"] }
        }
    }))
}

/// An index over so many manifests that nobody has.
pub(crate) fn wide(absent: u32) -> Content {
    build(serde_json::json!({ "indexes": { "wide": { "absent": absent } } }))
}

/// A response as the wire gives it.
pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let header = |name: &str| headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| (*v).to_owned());
    Response {
        status,
        version: "HTTP/1.1",
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), Bytes::copy_from_slice(v.as_bytes()))).collect(),
        body: Bytes::copy_from_slice(body),
        body_is_whole: true,
        body_digest: Digest::of(Algorithm::Sha256, body),
        location: header("location").map(|l| Secret(format!("http://h{l}"))),
        next: None,
        link_problem: None,
    }
}

/// An exchange that ended in a response.
pub(crate) fn exchange(response: Response) -> Exchange {
    let request = Request {
        method: "GET".into(),
        url: "http://h/".into(),
        headers: Vec::new(),
        body: None,
        generated: None,
        body_length: 0,
    };
    Exchange {
        request,
        result: Ok(response),
        hops: Vec::new(),
        seconds: 0.0,
        first_byte_seconds: Some(0.0),
        bytes_sent: 0,
        bytes_received: 0,
        requests: 1,
    }
}

/// Responses of earlier steps: none.
pub(crate) fn unnamed() -> BTreeMap<String, super::Seen> {
    BTreeMap::new()
}
