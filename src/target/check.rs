//! What serde cannot see in a profile: names, placeholders, contradictions. Each fault stands where the author wrote it.

use super::findings::CAPABILITIES;
use super::profile::{Profile, StanceClaim};
use crate::near;
use crate::suite::fault::{At, Fault};
use crate::suite::tree::Node;

/// Everything that is wrong with `profile`, which was read from `tree`.
pub fn check(profile: &Profile, tree: &Node) -> Vec<Fault> {
    let mut checker = Checker { tree, faults: Vec::new() };
    checker.url(profile);
    checker.launch(profile);
    checker.auth(profile);
    checker.repositories(profile);
    checker.claims(profile);
    if profile.limits.jobs == Some(0) {
        checker.fault(&["limits", "jobs"], "no case would ever run: at least 1");
    }
    checker.faults.sort();
    checker.faults
}

struct Checker<'a> {
    tree: &'a Node,
    faults: Vec<Fault>,
}

impl Checker<'_> {
    /// A fault of the value that the path leads to.
    fn fault(&mut self, path: &[&str], message: impl Into<String>) {
        self.at(self.tree.find(path.iter().copied()).at, message);
    }

    /// A fault of the last key of the path.
    fn fault_of_key(&mut self, path: &[&str], message: impl Into<String>) {
        let (key, outer) = path.split_last().map_or(("", path), |(key, outer)| (*key, outer));
        let map = outer.iter().try_fold(self.tree, |node, part| node.entry(part).map(|entry| &entry.value));
        let at =
            map.and_then(|map| map.entry(key)).map_or_else(|| self.tree.find(path.iter().copied()).at, |e| e.key.at);
        self.at(at, message);
    }

    fn at(&mut self, at: At, message: impl Into<String>) {
        self.faults.push(Fault::new(at, message));
    }

    fn url(&mut self, profile: &Profile) {
        let launched = profile.launch.is_some();
        let known: &[&str] = if launched { &["port"] } else { &[] };
        if self.placeholders(&["url"], &profile.url, known, true) {
            return;
        }
        if profile.url.is_empty() {
            self.fault(&["url"], "a profile needs a `url`, such as `http://127.0.0.1:{port}`");
        } else if let Err(message) = super::argument::base_url(&profile.url.replace("{port}", "1")) {
            self.fault(&["url"], message);
        } else if launched && !profile.url.contains("{port}") {
            self.fault(&["url"], "a launched target listens on a free port: write `{port}` into its `url`");
        }
    }

    fn launch(&mut self, profile: &Profile) {
        let Some(launch) = &profile.launch else { return };
        const KNOWN: &[&str] = &["port", "dir"];
        if launch.command.iter().all(String::is_empty) {
            self.fault(&["launch", "command"], "`command` is empty: name the program and its arguments".to_owned());
        }
        for (i, word) in launch.command.iter().enumerate() {
            self.placeholders(&["launch", "command", &i.to_string()], word, KNOWN, true);
        }
        for (name, value) in &launch.env {
            self.placeholders(&["launch", "env", name], value, KNOWN, true);
        }
        for (name, text) in &launch.files {
            // A configuration file may have braces of its own: only what looks like a slip is one.
            self.placeholders(&["launch", "files", name], text, KNOWN, false);
            let path = std::path::Path::new(name);
            let inside = path.components().all(|c| matches!(c, std::path::Component::Normal(_)));
            if name.is_empty() || !inside {
                self.fault_of_key(&["launch", "files", name], format!("`{name}`: files are written into {{dir}} only"));
            }
        }
        if !launch.ready.get.starts_with('/') {
            self.fault(&["launch", "ready", "get"], format!("`{}` is no path: it begins with `/`", launch.ready.get));
        }
    }

    fn auth(&mut self, profile: &Profile) {
        let Some(auth) = &profile.auth else { return };
        let ways = [auth.env.is_some(), auth.docker_config, auth.helper.is_some()];
        if ways.iter().filter(|way| **way).count() != 1 {
            self.fault_of_key(&["auth"], "exactly one of `env`, `docker-config: true` and `helper`".to_owned());
        }
    }

    fn repositories(&mut self, profile: &Profile) {
        let repositories = &profile.repositories;
        if !repositories.pool.is_empty() {
            return;
        }
        if self.placeholders(&["repositories", "template"], &repositories.template, &["run", "case", "n"], true) {
            return;
        }
        for needed in ["{run}", "{case}", "{n}"] {
            if !repositories.template.contains(needed) {
                let message = format!("without `{needed}` two repositories would have one name");
                self.fault(&["repositories", "template"], message);
            }
        }
    }

    fn claims(&mut self, profile: &Profile) {
        for name in profile.claims.capabilities.keys() {
            if !CAPABILITIES.iter().any(|(known, _)| known == name) {
                let hint = near::hint(name, CAPABILITIES.iter().map(|(known, _)| *known));
                let message = format!("`{name}` is no capability{hint} (docs/profiles.md lists them)");
                self.fault_of_key(&["claims", name], message);
            }
        }
        for (format, claim) in &profile.claims.stance {
            if format != "oci" && format != "docker" {
                let hint = near::hint(format, ["oci", "docker"]);
                self.fault_of_key(
                    &["claims", "stance", format],
                    format!("`{format}` is no format: `oci` or `docker`{hint}"),
                );
            }
            let StanceClaim::Require { require } = claim else { continue };
            if require.is_empty() {
                self.fault(&["claims", "stance", format], "which platforms? `require: [linux/amd64]`".to_owned());
            }
            for (i, platform) in require.iter().enumerate() {
                let parts: Vec<&str> = platform.split('/').collect();
                if !(2..=3).contains(&parts.len()) || parts.iter().any(|part| part.is_empty()) {
                    let message =
                        format!("`{platform}` is no platform: `os/architecture` or `os/architecture/variant`");
                    self.fault(&["claims", "stance", format, "require", &i.to_string()], message);
                }
            }
        }
    }

    /// Refuses every `{word}` that is not `known`; where not `strict`, only those that are nearly one of them. Whether it
    /// did.
    fn placeholders(&mut self, path: &[&str], text: &str, known: &[&str], strict: bool) -> bool {
        let before = self.faults.len();
        for word in words_in_braces(text) {
            if known.contains(&word) {
                continue;
            }
            let hint = near::nearest(word, known.iter().copied());
            let message = match hint {
                Some(near) => format!("`{{{word}}}` is no placeholder; did you mean `{{{near}}}`?"),
                None if !strict => continue,
                None if known.is_empty() => format!("`{{{word}}}`: no placeholder has a value here"),
                None => {
                    let list: Vec<String> = known.iter().map(|name| format!("`{{{name}}}`")).collect();
                    format!("`{{{word}}}` is no placeholder here: {}", list.join(", "))
                }
            };
            self.fault(path, message);
        }
        self.faults.len() > before
    }
}

/// Every `word` that stands as `{word}`.
fn words_in_braces(text: &str) -> Vec<&str> {
    let ends = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    ends.map(|(word, _)| word)
        .filter(|w| !w.is_empty() && w.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_'))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::target::load;

    /// The faults of a profile, each as `line:column: message`.
    fn faults(text: &str) -> Vec<String> {
        let Err(diagnostics) = load::parse(text.as_bytes(), "p.yaml") else { return Vec::new() };
        diagnostics.0.iter().map(|d| format!("{}:{}: {}", d.source.line, d.source.column, d.message)).collect()
    }

    #[test]
    fn each_fault_is_told_at_its_own_place() {
        for (text, expected) in [
            ("product: x\n", "1:1: a profile needs a `url`, such as `http://127.0.0.1:{port}`"),
            ("url: http://h:{port}\n", "1:6: `{port}`: no placeholder has a value here"),
            (
                "url: http://h:{prot}\nlaunch: {command: [x]}\n",
                "1:6: `{prot}` is no placeholder; did you mean `{port}`?",
            ),
            ("url: http://h:1\nlaunch: {command: [x]}\n", "1:6: a launched target listens on a free port"),
            ("url: http://u:secret@h\n", "1:6: credentials do not belong in a URL"),
            ("url: http://h/v2/\n", "1:6: `http://h/v2/`: leave `/v2/` out"),
            ("url: http://h:{port}\nlaunch: {command: []}\n", "2:19: `command` is empty"),
            (
                "url: http://h:{port}\nlaunch: {command: [x, '{where}']}\n",
                "2:23: `{where}` is no placeholder here: `{port}`, `{dir}`",
            ),
            (
                "url: http://h:{port}\nlaunch:\n  command: [x]\n  files: {../y: z}\n",
                "4:11: `../y`: files are written into {dir} only",
            ),
            ("url: http://h:{port}\nlaunch:\n  command: [x]\n  files: {/y: z}\n", "4:11: `/y`: files"),
            (
                "url: http://h:{port}\nlaunch:\n  command: [x]\n  files: {y: 'a {potr}'}\n",
                "4:14: `{potr}` is no placeholder",
            ),
            ("url: http://h\nauth: {}\n", "2:1: exactly one of"),
            ("url: http://h\nrepositories: {template: 'a/{run}/{case}'}\n", "2:26: without `{n}`"),
            (
                "url: http://h\nclaims: {refferers: absent}\n",
                "2:10: `refferers` is no capability; did you mean `referrers`?",
            ),
            (
                "url: http://h\nclaims: {stance: {oic: refuse}}\n",
                "2:19: `oic` is no format: `oci` or `docker`; did you mean `oci`?",
            ),
            ("url: http://h\nclaims: {stance: {oci: {require: []}}}\n", "2:24: which platforms?"),
            ("url: http://h\nclaims: {stance: {oci: {require: [amd64]}}}\n", "2:35: `amd64` is no platform"),
            ("url: http://h\nlimits: {jobs: 0}\n", "2:16: no case would ever run"),
            ("url: http://h\nlimits: {connect: 5}\n", "2:19: `5` is no duration"),
            ("url: http://h\nlimits: {body: 64M}\n", "2:16: `64M` is no size"),
            ("url: http://h\nlimits: {rate: 5}\n", "2:16: `5` is no rate"),
            ("url: http://h\nurl: http://i\n", "2:1: the key `url` stands twice"),
            ("url: http://h\nlimts: {}\n", "2:1: the key `limts` is unknown"),
        ] {
            let found = faults(text);
            assert!(
                found.len() == 1 && found[0].starts_with(expected),
                "{text}\n  wanted {expected}\n  found {found:?}"
            );
        }
    }

    #[test]
    fn braces_of_a_configuration_file_are_its_own() {
        let text = "url: http://h:{port}\nlaunch:\n  command: [x]\n  files: {y: '{a: {b: c}} {} {other} {dir}'}\n";
        assert_eq!(faults(text), Vec::<String>::new());
    }

    #[test]
    fn all_faults_of_a_file_are_told_at_once_in_order() {
        let text = "url: ftp://h\nauth: {}\nclaims: {moutn: absent}\nlimits: {jobs: 0}\n";
        let lines: Vec<String> = faults(text).iter().map(|f| f.chars().take(1).collect()).collect();
        assert_eq!(lines, ["1", "2", "3", "4"]);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let many: [&[u8]; 8] =
            [b"", b"\xff\xfe", b"---\n---\n", b"[", b"&a [*a]", b"url: \x00", b"- - - - -", b"url: [{}]\nlaunch: 1\n"];
        for bytes in many {
            assert!(load::parse(bytes, "p.yaml").is_err(), "{bytes:?}");
        }
        let deep = "a: {".repeat(100_000);
        assert!(load::parse(deep.as_bytes(), "p.yaml").is_err());
    }
}
