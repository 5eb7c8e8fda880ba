//! What is put into a client's texts.

use std::path::Path;

use crate::wire::Access;

/// Where a command works.
#[derive(Debug, Clone)]
pub struct Places<'a> {
    /// The client's folder.
    pub dir: &'a Path,
    /// The registry.
    pub access: &'a Access,
    /// Repository and reference: `lacuna/r/c:latest`.
    pub from: String,
    /// The same.
    pub to: String,
    /// `linux/arm64`.
    pub platforms: &'a [String],
}

/// What can stand in every text, and what in arguments.
#[cfg(test)]
pub(super) const COMMON: &[&str] = &["dir", "host", "tls", "verify"];
#[cfg(test)]
pub(super) const ALL: &[&str] = &["dir", "host", "tls", "verify", "from", "to", "platform", "os", "architecture"];

impl Places<'_> {
    /// A text of the environment or of a file.
    pub(super) fn text(&self, text: &str) -> String {
        let tls = match (self.access.secure, self.access.insecure) {
            (false, _) => "disabled",
            (true, true) => "insecure",
            (true, false) => "enabled",
        };
        text.replace("{dir}", &self.dir.display().to_string())
            .replace("{host}", &self.access.host)
            .replace("{tls}", tls)
            .replace("{verify}", if tls == "enabled" { "true" } else { "false" })
    }

    /// An argument: one, or one for each platform.
    pub(super) fn argument(&self, text: &str) -> Vec<String> {
        let host = &self.access.host;
        let text = text.replace("{from}", &format!("{host}/{}", self.from));
        let text = self.text(&text.replace("{to}", &format!("{host}/{}", self.to)));
        if !["{platform}", "{os}", "{architecture}"].iter().any(|place| text.contains(place)) {
            return vec![text];
        }
        let each = self.platforms.iter().map(|platform| {
            let mut parts = platform.split('/');
            let (os, architecture) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            text.replace("{platform}", platform).replace("{os}", os).replace("{architecture}", architecture)
        });
        each.collect()
    }
}

/// A place in a text that nothing is put into.
#[cfg(test)]
pub(super) fn unknown(text: &str, known: &[&str]) -> Option<String> {
    let word = |c: char| c.is_ascii_lowercase() || c == '-';
    let places = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    places.filter(|name| !name.is_empty() && name.chars().all(word) && !known.contains(name)).map(str::to_owned).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_stands_once_for_each_platform() {
        let access = Access { host: "127.0.0.1:5000".into(), ..Access::default() };
        let platforms = ["linux/amd64".to_owned(), "linux/arm/v7".to_owned()];
        let (from, to) = ("a/b:latest".to_owned(), "c@sha256:00".to_owned());
        let places = Places { dir: Path::new("/d"), access: &access, from, to, platforms: &platforms };
        assert_eq!(places.argument("--platforms={platform}"), ["--platforms=linux/amd64", "--platforms=linux/arm/v7"]);
        assert_eq!(places.argument("{architecture}"), ["amd64", "arm"]);
        assert_eq!(places.argument("docker://{from}"), ["docker://127.0.0.1:5000/a/b:latest"]);
        assert_eq!(places.argument("{to}"), ["127.0.0.1:5000/c@sha256:00"]);
        assert_eq!(places.text("{dir} {tls} {verify} {{x}}"), "/d disabled false {{x}}");
        assert_eq!(unknown("{dir} {dri}", COMMON), Some("dri".into()));
    }
}
