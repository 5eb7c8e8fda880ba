//! Wrong about an image of a form that the image-spec lets be: types that nobody knows, configs that are no JSON, unknown fields.

use serde_json::Value;

use super::tools::*;

/// The types of configs that such registries know.
const CONFIGS: &[&str] = &[
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.empty.v1+json",
];

/// The fields of an image manifest in the image-spec.
const FIELDS: &[&str] = &["schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"];

fn is_image(push: &Push) -> bool {
    push.manifest.kind == Kind::Image
}

/// The manifest as JSON.
fn raw(push: &Push) -> Value {
    serde_json::from_slice(push.bytes).unwrap_or_default()
}

fn config<'a>(push: &'a Push) -> Option<&'a Descriptor> {
    push.manifest.blobs.first().filter(|_| is_image(push))
}

fn any_layer(push: &Push, is: impl Fn(&Descriptor) -> bool) -> bool {
    is_image(push) && push.manifest.blobs.iter().skip(1).any(is)
}

/// Whether a layer says where else it is to be had.
fn has_urls(push: &Push) -> bool {
    let manifest = raw(push);
    is_image(push) && manifest["layers"].as_array().into_iter().flatten().any(|layer| layer["urls"].is_array())
}

/// Whether the config is there, and is no JSON object.
fn has_odd_config(push: &Push) -> bool {
    let digest = config(push).and_then(|config| Digest::parse(&config.digest));
    let body = digest.and_then(|digest| push.view.content.body(&digest));
    body.is_some_and(|body| !serde_json::from_slice::<Value>(&body.to_bytes()).is_ok_and(|value| value.is_object()))
}

fn is_known_config(push: &Push) -> bool {
    config(push).is_some_and(|config| CONFIGS.contains(&config.media_type.as_str()))
}

fn invalid(wrong: bool, right: Verdict, why: &str) -> Verdict {
    if wrong { Err(Problem::manifest_invalid(why)) } else { right }
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "put-artifact-type-refused",
        "An image whose artifactType is not in a list is invalid.",
        "manifest.put.artifact-type",
        &[Seam::Accept(|push, right| {
            let listed = ["application/vnd.cncf.helm.chart.v1", "application/spdx+json"];
            let wrong = raw(push)["artifactType"].as_str().is_some_and(|own| !listed.contains(&own));
            invalid(wrong && is_image(push), right, "the artifactType is not allowed")
        })],
    ),
    Defect::new(
        "put-config-type-refused",
        "An image whose config has a type that the registry does not know is invalid.",
        "manifest.put.config-type",
        &[Seam::Accept(|push, right| {
            invalid(is_image(push) && !is_known_config(push), right, "the type of the config is not known")
        })],
    ),
    Defect::new(
        "put-config-parsed",
        "Every config is read as a JSON object, whatever its type: an image whose config is none is invalid.",
        "manifest.put.config-opaque",
        &[Seam::Accept(|push, right| {
            invalid(!is_known_config(push) && has_odd_config(push), right, "the config cannot be read")
        })],
    ),
    Defect::new(
        "put-config-read-500",
        "Labels are read from an image's config when it is pushed: one that is no JSON object makes the registry fall over.",
        "manifest.put.shape-answered",
        &[Seam::Accept(|push, right| falls_over(is_known_config(push) && has_odd_config(push), right))],
    ),
    Defect::new(
        "put-layer-type-refused",
        "An image with a layer of a type that the registry does not know is invalid.",
        "manifest.put.layer-type",
        &[Seam::Accept(|push, right| {
            let foreign =
                |layer: &Descriptor| !layer.media_type.contains(".layer.") && !layer.media_type.contains(".rootfs.");
            invalid(any_layer(push, foreign), right, "the type of a layer is not known")
        })],
    ),
    Defect::new(
        "put-docker-layer-refused",
        "An OCI image with a layer of Docker's type is invalid.",
        "manifest.put.layer-type",
        &[Seam::Accept(|push, right| {
            let docker = |layer: &Descriptor| is_docker_type(&layer.media_type);
            invalid(!is_docker(push) && any_layer(push, docker), right, "the type of a layer is not OCI's")
        })],
    ),
    Defect::new(
        "put-restricted-layer-refused",
        "An image with a nondistributable layer is invalid, though the layer is there.",
        "manifest.put.layer-known",
        &[Seam::Accept(|push, right| invalid(any_layer(push, Descriptor::is_foreign), right, "a layer is restricted"))],
    ),
    Defect::new(
        "put-layer-urls-500",
        "The addresses of a layer are held against a list; what is not on it is an error that nobody translates \
         (distribution 3.1.1 registry/handlers/app.go:235-237, manifests.go:320-321).",
        "manifest.put.layer-urls",
        &[Seam::Accept(|push, right| falls_over(has_urls(push), right))],
    ),
    Defect::new(
        "put-layer-urls-refused",
        "An image with a layer that says where else it is to be had is invalid.",
        "manifest.put.layer-urls-taken",
        &[Seam::Accept(|push, right| invalid(has_urls(push), right, "a layer is to be had elsewhere"))],
    ),
    Defect::new(
        "put-zstd-refused",
        "An image with a layer that zstd compressed is invalid.",
        "manifest.put.layer-zstd",
        &[Seam::Accept(|push, right| {
            invalid(any_layer(push, |layer| layer.media_type.ends_with("+zstd")), right, "the compression is not known")
        })],
    ),
    Defect::new(
        "absent-restricted-layer-500",
        "A nondistributable layer that was never pushed makes the registry fall over.",
        "image.sparse.answered",
        &[Seam::Accept(|push, right| {
            let gone = |layer: &Descriptor| {
                let there = Digest::parse(&layer.digest).is_some_and(|d| push.view.state.has_blob(push.repository, &d));
                layer.is_foreign() && !there
            };
            falls_over(any_layer(push, gone), right)
        })],
    ),
    Defect::new(
        "put-unknown-fields-refused",
        "An image with a field that the registry does not know is invalid.",
        "manifest.put.shape-taken",
        &[Seam::Accept(|push, right| {
            let manifest = raw(push);
            let mut keys = manifest.as_object().into_iter().flat_map(|fields| fields.keys());
            let wrong = is_image(push) && keys.any(|key| !FIELDS.contains(&key.as_str()));
            invalid(wrong, right, "a field is not known")
        })],
    ),
    Defect::new(
        "put-repeated-blob-refused",
        "An image that names one blob twice, as layers or as config and layer, is invalid.",
        "manifest.put.shape-taken",
        &[Seam::Accept(|push, right| {
            let blobs = &push.manifest.blobs;
            let twice = blobs.iter().enumerate().any(|(i, a)| blobs.iter().skip(i + 1).any(|b| a.digest == b.digest));
            invalid(is_image(push) && twice, right, "a blob is named twice")
        })],
    ),
    Defect::new(
        "put-image-without-media-type-500",
        "An image without mediaType makes the registry fall over.",
        "manifest.put.shape-answered",
        &[Seam::Accept(|push, right| falls_over(is_image(push) && raw(push).get("mediaType").is_none(), right))],
    ),
    Defect::new(
        "sparse-foreign-child-refused",
        "Of an index only children of known types may be absent.",
        "index.child.foreign-type",
        &[Seam::Accept(|push, right| {
            let wrong = push.missing.iter().any(|child| !child.names_manifest());
            if is_index(push) && wrong { Err(refusal(push)) } else { right }
        })],
    )
    .when(stances::ACCEPT),
];
