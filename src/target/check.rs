//! What serde cannot see in a profile: names, placeholders, contradictions. Each fault stands where the author wrote it.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::findings::all_capabilities;
use super::profile::{Profile, StanceClaim};
use super::repository;
use super::variables::sample;
use crate::suite::fault::{At, Fault, shown};
use crate::suite::tree::Node;
use crate::{input, near};

/// What the spec says of repositories' names.
const GRAMMAR: &str = "lower-case letters and digits, with `.`, `_`, `__` or `-` between, and `/` between its parts";

/// What is said of such a name.
const NO_VARIABLE: &str = "no environment variable has such a name: write one without `=`";

/// Everything that is wrong with `profile`, which was read from `tree`.
pub fn check(profile: &Profile, tree: &Node) -> Vec<Fault> {
    let mut checker = Checker { tree, faults: Vec::new() };
    checker.variables(profile);
    let variables: Vec<&str> = profile.variables.keys().map(String::as_str).collect();
    checker.url(&["url"], &profile.url, profile.launch.is_some(), &variables);
    if let Some(launch) = &profile.launch {
        checker.launch(&["launch"], launch);
    }
    checker.beside(profile);
    checker.auth(profile);
    checker.tls(profile);
    checker.repositories(profile);
    checker.claims(profile);
    checker.limits(profile);
    checker.windows(profile);
    checker.actions(profile);
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

    fn variables(&mut self, profile: &Profile) {
        for name in profile.variables.keys() {
            let word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(word) {
                let message = format!("`{name}`: a variable's name is of A-Z, 0-9 and `_`");
                self.fault_of_key(&["variables", name], message);
            } else if !profile.places().any(|text| text.contains(&format!("{{{name}}}"))) {
                let message = format!("`{{{name}}}` stands neither in `url` nor in `repositories`");
                self.fault_of_key(&["variables", name], message);
            }
        }
        if profile.launch.is_some() && !profile.variables.is_empty() {
            self.fault_of_key(&["variables"], "what lacuna launches asks nothing of its user".to_owned());
        }
    }

    /// A base URL, of what is launched or runs already.
    fn url(&mut self, path: &[&str], url: &str, launched: bool, variables: &[&str]) {
        let known: Vec<&str> = variables.iter().copied().chain(launched.then_some("port")).collect();
        if self.placeholders(path, url, &known, true) {
            return;
        }
        if url.is_empty() {
            self.fault(path, "a profile needs a `url`, such as `http://127.0.0.1:{port}`");
        } else if let Err(message) = super::argument::base_url(&sample(url, variables).replace("{port}", "1")) {
            self.fault(path, message);
        } else if launched && !url.contains("{port}") {
            self.fault(path, "a launched target listens on a free port: write `{port}` into its `url`");
        }
    }

    fn beside(&mut self, profile: &Profile) {
        let Some(beside) = &profile.beside else { return };
        match (&beside.launch, profile.launch.is_some()) {
            (Some(_), false) => {
                let message =
                    "its storage is not lacuna's to open: start it yourself beside the target, and say its `url`";
                self.fault_of_key(&["beside", "launch"], message);
            }
            (None, true) => {
                let message = "the target's storage is a fresh folder, which nobody serves yet: say `launch`";
                self.fault_of_key(&["beside"], message);
                return;
            }
            (None, false) if beside.url == profile.url => {
                self.fault(&["beside", "url"], "the target's own `url`: one server is not two");
            }
            _ => {}
        }
        self.url(&["beside", "url"], &beside.url, beside.launch.is_some(), &[]);
        if let Some(launch) = &beside.launch {
            self.launch(&["beside", "launch"], launch);
        }
    }

    fn auth(&mut self, profile: &Profile) {
        let Some(auth) = &profile.auth else { return };
        let (user, password) = auth.env.clone().unzip();
        for (i, name) in [user, password].into_iter().flatten().enumerate() {
            if !is_variable(&name) {
                self.fault(&["auth", "env", &i.to_string()], NO_VARIABLE);
            }
        }
        let ways = [auth.env.is_some(), auth.docker_config, auth.helper.is_some()];
        if ways.iter().filter(|way| **way).count() != 1 {
            self.fault_of_key(&["auth"], "exactly one of `env`, `docker-config: true` and `helper`".to_owned());
        }
    }

    /// Read once more where it is used; a fault of the file is told here, by its place in the profile.
    fn tls(&mut self, profile: &Profile) {
        let Some(ca) = &profile.tls.ca else { return };
        let message = match input::read(Path::new(ca), input::MOST) {
            Err(e) => format!("{ca} cannot be read: {e}"),
            Ok(bytes) if CertificateDer::pem_slice_iter(&bytes).flatten().next().is_none() => {
                format!("{ca} holds no PEM certificate")
            }
            Ok(_) => return,
        };
        self.fault(&["tls", "ca"], message);
    }

    fn limits(&mut self, profile: &Profile) {
        let limits = &profile.limits;
        if limits.jobs == Some(0) {
            self.fault(&["limits", "jobs"], "no case would ever run: at least 1");
        }
        for (name, time) in [("connect", limits.connect), ("idle", limits.idle), ("total", limits.total)] {
            if time.0.is_zero() {
                self.fault(&["limits", name], "nothing can be answered in no time");
            }
        }
        if limits.body.0 == 0 {
            self.fault(&["limits", "body"], "no answer would be read: at least 1B");
        }
    }

    fn repositories(&mut self, profile: &Profile) {
        let repositories = &profile.sampled().repositories;
        for (i, name) in repositories.pool.iter().enumerate() {
            let place = i.to_string();
            if !repository::is_name(name) {
                let message = format!("`{}` is no repository's name: {GRAMMAR}", shown(name, 100));
                self.fault(&["repositories", "pool", &place], message);
            } else if repositories.pool[..i].contains(name) {
                let message = format!("`{name}` stands twice: two cases would share it");
                self.fault(&["repositories", "pool", &place], message);
            }
        }
        if !repositories.pool.is_empty() {
            return;
        }
        if self.tree.entry("repositories").is_some_and(|entry| entry.value.entry("pool").is_some()) {
            self.fault(&["repositories", "pool"], "an empty pool has no repository for any case");
        }
        let template = &repositories.template;
        let own = ["run", "case", "n"];
        let known: Vec<&str> = own.into_iter().chain(profile.variables.keys().map(String::as_str)).collect();
        if self.placeholders(&["repositories", "template"], template, &known, true) {
            return;
        }
        for needed in ["{run}", "{case}", "{n}"] {
            if !template.contains(needed) {
                let message = format!("without `{needed}` two repositories would have one name");
                self.fault(&["repositories", "template"], message);
            }
        }
        if !repository::is_name(&["{run}", "{case}", "{n}"].iter().fold(template.clone(), |t, p| t.replace(p, "0"))) {
            let message = format!("`{}` makes no repository's name: {GRAMMAR}", shown(template, 100));
            self.fault(&["repositories", "template"], message);
        }
    }

    fn claims(&mut self, profile: &Profile) {
        for name in profile.claims.capabilities.keys() {
            if !all_capabilities().any(|(known, _)| known == name) {
                let hint = near::hint(name, all_capabilities().map(|(known, _)| known));
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

    /// No program can be given a NUL.
    fn no_nul(&mut self, path: &[&str], text: &str) {
        if text.contains('\0') {
            self.fault(path, "a NUL ends a text for the system: leave it out");
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

/// Whether an environment variable can have this name.
fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

/// Every `word` that stands as `{word}`.
fn words_in_braces(text: &str) -> Vec<&str> {
    let ends = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    ends.map(|(word, _)| word)
        .filter(|w| !w.is_empty() && w.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_'))
        .collect()
}

mod actions;
mod launch;
#[cfg(test)]
mod tests;
