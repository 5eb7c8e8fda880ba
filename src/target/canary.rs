//! What lacuna pushes itself: to see that a product which collects by itself did so, and that no registry is quite empty.

use std::time::Duration;

use super::act::Trouble;
use super::actions::Until;
use super::backoff::Backoff;
use super::open::Live;
use super::probe::asks;
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::engine::ask::retry_after;
use crate::engine::names::Names;
use crate::wire::{Ask, AskBody, Exchange, Request};

/// The first pause between two looks, and the longest: some products collect at once, others every few minutes.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(8));

/// The type of the manifest that nothing leads to.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The longest that the ordinary image of a fresh registry may take.
const SETTLING: Duration = Duration::from_secs(10);

/// Pushes one ordinary image with a tag: some products' collectors stop at a storage with nothing in it, which is no case's
/// fault. Where it cannot be pushed, the cases will tell.
pub(super) async fn settle(live: &Live) {
    let pushing = async {
        let repository = repository(live, "settled").await?;
        image(live, &repository, "settled", Some("latest")).await
    };
    // A registry that does not take it is what the cases are about.
    let _ = tokio::time::timeout(SETTLING, pushing).await;
}

/// Pushes what is garbage, and waits until it is gone. Without end: whoever calls has a deadline.
pub(super) async fn gone(live: &Live, until: Until) -> Result<(), Trouble> {
    let run = format!("{:08x}", crate::run::fresh() >> 32);
    let repository = repository(live, &run).await?;
    let target = match until {
        Until::OrphanBlobGone => {
            let layer = blob(live, &repository, layer(&run)).await?;
            format!("/v2/{repository}/blobs/{layer}")
        }
        Until::UntaggedGone => image(live, &repository, &run, None).await?,
    };
    let mut pauses = Backoff::new(PAUSES.0, PAUSES.1);
    loop {
        let ask = Ask::new("HEAD", &target).header("Accept", MANIFEST);
        let looked = live.client.send(scoped(ask, &repository)).await;
        if looked.status() == Some(404) {
            return Ok(());
        }
        pauses.wait(looked.response().and_then(retry_after)).await;
    }
}

async fn repository(live: &Live, run: &str) -> Result<String, Trouble> {
    let names = Names::new(&live.profile.repositories, run);
    let lease = names.lease("canary", 1).await.map_err(|why| Trouble::new("no repository for the canary", why))?;
    Ok(lease.names.first().cloned().unwrap_or_default())
}

fn layer(run: &str) -> Vec<u8> {
    format!("lacuna's canary {run}").into_bytes()
}

/// Pushes an image, under a tag or its digest; the path that leads to it.
async fn image(live: &Live, repository: &str, run: &str, tag: Option<&str>) -> Result<String, Trouble> {
    // Whole, for Quay reads it: it answers 500 to an image's config without `rootfs`.
    let layer = layer(run);
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {"Labels": {"canary": run}},
        "rootfs": {"type": "layers", "diff_ids": [Digest::of(Algorithm::Sha256, &layer).as_str()]},
        "history": [{"created_by": "lacuna"}],
    });
    let config = config.to_string().into_bytes();
    let sizes = (config.len(), layer.len());
    let (config, layer) = (blob(live, repository, config).await?, blob(live, repository, layer).await?);
    let descriptor = |media: &str, digest: &Digest, size: usize| serde_json::json!({"mediaType": media, "digest": digest.as_str(), "size": size});
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config, sizes.0),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer, sizes.1)],
    });
    let bytes = manifest.to_string().into_bytes();
    let digest = Digest::of(Algorithm::Sha256, &bytes);
    let path = format!("/v2/{repository}/manifests/{}", tag.unwrap_or(digest.as_str()));
    let mut ask = Ask::new("PUT", &path).header("Content-Type", MANIFEST);
    ask.body = AskBody::Bytes(bytes.into());
    acknowledged(live.client.send(scoped(ask, repository)).await)?;
    Ok(path)
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
    let Request { method, url, .. } = &exchange.request;
    let answer = match &exchange.result {
        Ok(response) if (200..300).contains(&response.status) => return Ok(exchange),
        Ok(response) => format!("was answered with status {}", response.status),
        Err(failure) => format!("had no answer ({})", failure.kind.word()),
    };
    Err(Trouble::new(format!("the canary could not be pushed: {method} {answer}"), url.clone()))
}
