//! Media types of the two families.

use super::graph::Format;

/// An OCI image manifest.
pub const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// An OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// A Docker image manifest, version 2, schema 2.
pub const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// A Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The types of manifests.
pub const MANIFESTS: [&str; 4] = [OCI_IMAGE, OCI_INDEX, DOCKER_IMAGE, DOCKER_LIST];
/// The config of an artifact that lacuna makes.
pub const ARTIFACT_CONFIG: &str = "application/vnd.lacuna.artifact.config.v1+json";

/// The type of an image manifest.
pub fn image(format: Format) -> &'static str {
    match format {
        Format::Oci => OCI_IMAGE,
        Format::Docker => DOCKER_IMAGE,
    }
}

/// The type of an index or manifest list.
pub fn index(format: Format) -> &'static str {
    match format {
        Format::Oci => OCI_INDEX,
        Format::Docker => DOCKER_LIST,
    }
}

/// The type of an image's config.
pub fn config(format: Format) -> &'static str {
    match format {
        Format::Oci => "application/vnd.oci.image.config.v1+json",
        Format::Docker => "application/vnd.docker.container.image.v1+json",
    }
}

/// The type of a layer.
pub fn layer(format: Format) -> &'static str {
    match format {
        Format::Oci => "application/vnd.oci.image.layer.v1.tar+gzip",
        Format::Docker => "application/vnd.docker.image.rootfs.diff.tar.gzip",
    }
}
