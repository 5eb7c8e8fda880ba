//! What a manifest says: its kind, what it names, and what a referrers list must show of it.

use serde_json::Value;

/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image manifest.
pub const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker image manifest, schema 2.
pub const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// What a manifest is, by its media type; by its shape where the type is not one of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Names a config and layers.
    Image,
    /// Names manifests.
    Index,
    /// Neither: stored as it is.
    Other,
}

/// A descriptor, as far as a registry looks into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// `mediaType`.
    pub media_type: String,
    /// `digest`, of whatever algorithm.
    pub digest: String,
    /// `size`.
    pub size: u64,
    /// `os/architecture[/variant]`, where there is a platform with an `os` or an `architecture`.
    pub platform: Option<String>,
}

impl Descriptor {
    /// Whether the media type is that of a manifest.
    pub fn names_manifest(&self) -> bool {
        is_manifest_type(&self.media_type)
    }

    /// Whether the media type is that of an index, in either family.
    pub fn names_index(&self) -> bool {
        matches!(self.media_type.as_str(), OCI_INDEX | DOCKER_LIST)
    }

    /// Whether it is a layer that is fetched from elsewhere and may be absent (image-spec, layer.md).
    pub fn is_foreign(&self) -> bool {
        self.media_type.contains(".nondistributable.") || self.media_type.contains(".rootfs.foreign.")
    }
}

/// Whether this is the type of an image or an index, OCI or Docker.
pub fn is_manifest_type(media_type: &str) -> bool {
    [OCI_INDEX, OCI_IMAGE, DOCKER_LIST, DOCKER_IMAGE].contains(&media_type)
}

/// A manifest, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Kind.
    pub kind: Kind,
    /// The type that it is stored and served under.
    pub media_type: String,
    /// `mediaType`, where it says another type than the one that it came with.
    pub said: Option<String>,
    /// What an index names, in order, duplicates too.
    pub children: Vec<Descriptor>,
    /// What an image names: config first, then layers.
    pub blobs: Vec<Descriptor>,
    /// Digest of the subject.
    pub subject: Option<String>,
    /// What a referrers list shows as `artifactType`.
    pub artifact_type: Option<String>,
    /// What a referrers list shows as `annotations`.
    pub annotations: Option<Value>,
}

impl Manifest {
    /// Reads a manifest that came with this Content-Type (parameters are ignored; none: the body's own `mediaType`).
    ///
    /// # Errors
    /// Why it is none, for the person who pushed it.
    pub fn parse(content_type: Option<&str>, bytes: &[u8]) -> Result<Manifest, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|e| format!("the manifest is not JSON: {e}"))?;
        let object = value.as_object().ok_or("the manifest is not a JSON object")?;
        let inside = text(&value, "mediaType");
        let outside = content_type.map(|t| t.split(';').next().unwrap_or("").trim().to_owned());
        let outside = outside.filter(|t| !t.is_empty());
        let other = |inside: &&String| outside.as_ref().is_some_and(|outside| !inside.eq_ignore_ascii_case(outside));
        let said = inside.as_ref().filter(other).cloned();
        let media_type = outside.or(inside).unwrap_or_else(|| {
            let index = object.contains_key("manifests");
            if index { OCI_INDEX } else { OCI_IMAGE }.to_owned()
        });
        let kind = match media_type.to_ascii_lowercase().as_str() {
            OCI_INDEX | DOCKER_LIST => Kind::Index,
            OCI_IMAGE | DOCKER_IMAGE => Kind::Image,
            _ => Kind::Other,
        };
        if kind != Kind::Other && object.get("schemaVersion") != Some(&Value::from(2)) {
            return Err("schemaVersion is not 2".into());
        }
        let mut blobs = Vec::new();
        let mut children = Vec::new();
        let mut config_type = None;
        match kind {
            Kind::Index => children = descriptors(&value, "manifests")?.ok_or("an index needs the list `manifests`")?,
            Kind::Image => {
                let config = object.get("config").ok_or("an image needs `config`")?;
                let config = descriptor(config).map_err(|e| format!("config: {e}"))?;
                config_type = Some(config.media_type.clone());
                blobs.push(config);
                blobs.extend(descriptors(&value, "layers")?.ok_or("an image needs the list `layers`")?);
            }
            Kind::Other => {}
        }
        let subject = match object.get("subject") {
            None | Some(Value::Null) => None,
            Some(subject) => Some(descriptor(subject).map_err(|e| format!("subject: {e}"))?.digest),
        };
        let artifact_type = text(&value, "artifactType").filter(|t| !t.is_empty()).or(config_type);
        let annotations = object.get("annotations").filter(|a| a.is_object()).cloned();
        Ok(Manifest { kind, media_type, said, children, blobs, subject, artifact_type, annotations })
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn descriptors(value: &Value, key: &str) -> Result<Option<Vec<Descriptor>>, String> {
    let Some(list) = value.get(key) else { return Ok(None) };
    let list = list.as_array().ok_or_else(|| format!("`{key}` is not a list"))?;
    let read = |(i, item)| descriptor(item).map_err(|e| format!("{key}[{i}]: {e}"));
    list.iter().enumerate().map(read).collect::<Result<_, _>>().map(Some)
}

fn descriptor(value: &Value) -> Result<Descriptor, String> {
    let digest = text(value, "digest").ok_or("a descriptor needs a `digest`")?;
    if !is_digest(&digest) {
        return Err(format!("`{digest}` is not a digest"));
    }
    let size = value.get("size").and_then(Value::as_u64).ok_or("a descriptor needs a `size`")?;
    let media_type = text(value, "mediaType").unwrap_or_default();
    Ok(Descriptor { media_type, digest, size, platform: platform(value.get("platform")) })
}

fn platform(value: Option<&Value>) -> Option<String> {
    let value = value?;
    let (os, architecture) = (text(value, "os"), text(value, "architecture"));
    if os.is_none() && architecture.is_none() {
        return None;
    }
    let mut name = format!("{}/{}", os.unwrap_or_default(), architecture.unwrap_or_default());
    if let Some(variant) = text(value, "variant").filter(|v| !v.is_empty()) {
        name.push('/');
        name.push_str(&variant);
    }
    Some(name)
}

/// The image-spec's grammar of digests, whatever the algorithm; the two known ones must have their length.
pub fn is_digest(text: &str) -> bool {
    let Some((algorithm, encoded)) = text.split_once(':') else { return false };
    if matches!(algorithm, "sha256" | "sha512") {
        return crate::content::digest::Digest::parse(text).is_some();
    }
    let component = |c: &str| !c.is_empty() && c.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    algorithm.split(['+', '.', '_', '-']).all(component)
        && !encoded.is_empty()
        && encoded.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ZEROS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    #[test]
    fn children_without_platform_are_read() {
        let body = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{OCI_IMAGE}","size":1,"digest":"{ZEROS}"}},
            {{"mediaType":"{OCI_IMAGE}","size":1,"digest":"{ZEROS}","platform":{{"os":"linux","architecture":"arm","variant":"v7"}}}}]}}"#
        );
        let manifest = Manifest::parse(Some(&format!("{OCI_INDEX}; charset=utf-8")), body.as_bytes()).unwrap();
        assert_eq!((manifest.kind, manifest.media_type.as_str()), (Kind::Index, OCI_INDEX));
        assert_eq!(manifest.children[0].platform, None);
        assert_eq!(manifest.children[1].platform.as_deref(), Some("linux/arm/v7"));
    }

    #[test]
    fn what_is_no_manifest_is_refused_with_a_reason() {
        for body in ["", "[]", "{", "{\"schemaVersion\":1}", "{\"schemaVersion\":2,\"manifests\":3}", "\u{feff}{}"] {
            assert!(Manifest::parse(Some(OCI_INDEX), body.as_bytes()).is_err(), "{body}");
        }
        let deep = "[".repeat(100_000);
        assert!(Manifest::parse(None, deep.as_bytes()).is_err());
        let other = format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_IMAGE}","manifests":[]}}"#);
        assert_eq!(Manifest::parse(Some(OCI_INDEX), other.as_bytes()).unwrap().said.as_deref(), Some(OCI_IMAGE));
    }

    #[test]
    fn digests_of_other_algorithms_are_digests() {
        assert!(is_digest("blake3:abc") && is_digest("sha256+b64u:LCa0_a-=") && is_digest(ZEROS));
        assert!(!is_digest("sha256:zz") && !is_digest("latest") && !is_digest(":a") && !is_digest("A:b"));
    }
}
