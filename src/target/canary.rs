//! What lacuna pushes itself to see that a product which collects by itself did so.

use std::time::Duration;

use super::act::Trouble;
use super::actions::Until;
use super::open::Live;
use super::probe::asks;
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::engine::names::Names;
use crate::wire::{Ask, AskBody, Exchange};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The type of the manifest that nothing leads to.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Pushes what is garbage, and waits until it is gone. Without end: whoever calls has a deadline.
pub(super) async fn gone(live: &Live, until: Until) -> Result<(), Trouble> {
    let run = format!("{:08x}", crate::run::fresh() >> 32);
    let names = Names::new(&live.profile.repositories, &run);
    let lease = names.lease("canary", 1).await.map_err(|why| Trouble::new("no repository for the canary", why))?;
    let repository = lease.names.first().cloned().unwrap_or_default();
    let layer = blob(live, &repository, format!("lacuna's canary {run}").into_bytes()).await?;
    let target = match until {
        Until::OrphanBlobGone => format!("/v2/{repository}/blobs/{layer}"),
        Until::UntaggedGone => {
            let config = blob(live, &repository, format!("{{\"canary\":\"{run}\"}}").into_bytes()).await?;
            let descriptor = |media: &str, digest: &Digest, size: usize| serde_json::json!({"mediaType": media, "digest": digest.as_str(), "size": size});
            let manifest = serde_json::json!({
                "schemaVersion": 2, "mediaType": MANIFEST,
                "config": descriptor("application/vnd.oci.image.config.v1+json", &config, 21),
                "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer, 24)],
            });
            let bytes = manifest.to_string().into_bytes();
            let digest = Digest::of(Algorithm::Sha256, &bytes);
            let path = format!("/v2/{repository}/manifests/{digest}");
            let mut ask = Ask::new("PUT", &path).header("Content-Type", MANIFEST);
            ask.body = AskBody::Bytes(bytes.into());
            acknowledged(live.client.send(scoped(ask, &repository)).await)?;
            path
        }
    };
    loop {
        let ask = Ask::new("HEAD", &target).header("Accept", MANIFEST);
        match live.client.send(scoped(ask, &repository)).await.status() {
            Some(404) => return Ok(()),
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Uploads a blob.
async fn blob(live: &Live, repository: &str, bytes: Vec<u8>) -> Result<Digest, Trouble> {
    let digest = Digest::of(Algorithm::Sha256, &bytes);
    let begun =
        live.client.send(scoped(Ask::new("POST", &format!("/v2/{repository}/blobs/uploads/")), repository)).await;
    let begun = acknowledged(begun)?;
    let Some(location) = begun.response().and_then(|response| response.location.as_ref()) else {
        return Err(Trouble::new("the canary could not be pushed", "an upload without a Location"));
    };
    let mut ask =
        Ask::new("PUT", &asks::with_digest(&location.0, &digest)).header("Content-Type", "application/octet-stream");
    ask.body = AskBody::Bytes(bytes.into());
    acknowledged(live.client.send(scoped(ask, repository)).await)?;
    Ok(digest)
}

fn scoped(mut ask: Ask, repository: &str) -> Ask {
    ask.scopes = vec![format!("repository:{repository}:pull,push")];
    ask
}

fn acknowledged(exchange: Exchange) -> Result<Exchange, Trouble> {
    match exchange.status() {
        Some(status) if (200..300).contains(&status) => Ok(exchange),
        Some(status) => Err(Trouble::new("the canary could not be pushed", format!("status {status}"))),
        None => Err(Trouble::new("the canary could not be pushed", "no answer")),
    }
}
