//! The registry, asked over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auth;
mod boot;
mod catalogue;
mod folder;
mod gc;
mod lists;
mod manifests;
mod uploads;

use std::net::SocketAddr;

use bytes::Bytes;
use serde_json::{Value, json};

use super::manifest::{OCI_IMAGE, OCI_INDEX};
use super::{Config, Running, start};
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::wire::{Ask, AskBody, Client, Response, Settings};

/// A registry and a client.
struct Peer {
    running: Running,
    client: Client,
}

fn sha256(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

/// A descriptor for an index.
fn child(bytes: &[u8], platform: Option<&str>) -> Value {
    let mut entry = json!({ "mediaType": OCI_IMAGE, "digest": sha256(bytes).as_str(), "size": bytes.len() });
    if let Some((os, architecture)) = platform.and_then(|p| p.split_once('/')) {
        entry["platform"] = json!({ "os": os, "architecture": architecture });
    }
    entry
}

fn index(children: &[Value]) -> Vec<u8> {
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children }).to_string().into_bytes()
}

impl Peer {
    async fn new(config: Config) -> Peer {
        let running = start(config, SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let client = Client::new(Settings::new(&running.url)).unwrap();
        Peer { running, client }
    }

    async fn send(&self, ask: Ask) -> Response {
        self.client.send(ask).await.result.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.send(Ask::new("GET", path)).await
    }

    async fn status(&self, method: &str, path: &str) -> u16 {
        self.send(Ask::new(method, path)).await.status
    }

    /// A blob by a single POST; its digest.
    async fn blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = sha256(bytes);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let answer = self.send(Ask::new("POST", &path).body(body(bytes))).await;
        assert_eq!(answer.status, 201);
        digest
    }

    async fn put(&self, repository: &str, reference: &str, media_type: &str, bytes: &[u8]) -> Response {
        let path = format!("/v2/{repository}/manifests/{reference}");
        self.send(Ask::new("PUT", &path).header("Content-Type", media_type).body(body(bytes))).await
    }

    /// An image of one layer, by digest; its bytes.
    async fn image(&self, repository: &str, layer: &[u8]) -> Vec<u8> {
        let (config, layer_digest) = (self.blob(repository, b"{}").await, self.blob(repository, layer).await);
        let bytes = image(&config, layer.len(), &layer_digest, json!({}));
        let answer = self.put(repository, sha256(&bytes).as_str(), OCI_IMAGE, &bytes).await;
        assert_eq!(answer.status, 201, "{}", text(&answer));
        bytes
    }
}

fn image(config: &Digest, size: usize, layer: &Digest, more: Value) -> Vec<u8> {
    let mut image = json!({
        "schemaVersion": 2,
        "mediaType": OCI_IMAGE,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config.as_str(), "size": 2 },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer.as_str(), "size": size }],
    });
    image.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    image.to_string().into_bytes()
}

fn body(bytes: &[u8]) -> AskBody {
    AskBody::Bytes(Bytes::copy_from_slice(bytes))
}

fn text(answer: &Response) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn value(answer: &Response) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// The codes of an error body.
fn codes(answer: &Response) -> Vec<String> {
    let errors = value(answer)["errors"].as_array().unwrap().clone();
    errors.iter().map(|entry| entry["code"].as_str().unwrap().to_owned()).collect()
}
