//! How something is started, where a profile says so: at its launch, and when it is started otherwise.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::{Checker, NO_VARIABLE, is_variable};
use crate::target::profile::Launch;

/// What has a value where a registry is started.
const KNOWN: &[&str] = &["port", "dir"];

impl Checker<'_> {
    /// How a server is started, at `path`.
    pub(super) fn launch(&mut self, path: &[&str], launch: &Launch) {
        let mut fault = |keys: &[&str], message: String| {
            let place: Vec<&str> = path.iter().chain(keys).copied().collect();
            self.fault(&place, message);
        };
        if launch.command.iter().all(String::is_empty) {
            fault(&["command"], "`command` is empty: name the program and its arguments".into());
        }
        if !launch.ready.get.starts_with('/') {
            fault(&["ready", "get"], format!("`{}` is no path: it begins with `/`", launch.ready.get));
        }
        if launch.ready.within.0.is_zero() {
            fault(&["ready", "within"], "nothing is ready in no time".into());
        }
        self.start(path, &launch.command, &launch.env, &launch.files);
    }

    /// A program with its arguments, its environment and its files, which stand below `path`.
    pub(super) fn start(
        &mut self,
        path: &[&str],
        command: &[String],
        env: &BTreeMap<String, String>,
        files: &BTreeMap<String, String>,
    ) {
        self.words(path, command, KNOWN);
        let below = |key: &'static str, name: &str| -> Vec<String> {
            path.iter().copied().chain([key, name]).map(str::to_owned).collect()
        };
        for (name, value) in env {
            let place = below("env", name);
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            if !is_variable(name) {
                self.fault_of_key(&place, NO_VARIABLE);
            }
            self.no_nul(&place, value);
            self.placeholders(&place, value, KNOWN, true);
        }
        for (name, text) in files {
            let place = below("files", name);
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            // A configuration file may have braces of its own: only what looks like a slip is one.
            self.placeholders(&place, text, KNOWN, false);
            self.no_nul(&place, name);
            let inside = Path::new(name).components().all(|c| matches!(c, Component::Normal(_)));
            if name.is_empty() || !inside {
                self.fault_of_key(&place, format!("`{name}`: files are written into {{dir}} only"));
            }
        }
    }

    /// A program and its arguments, at `command` below `path`.
    pub(super) fn words(&mut self, path: &[&str], command: &[String], known: &[&str]) {
        for (i, word) in command.iter().enumerate() {
            let number = i.to_string();
            let place: Vec<&str> = path.iter().copied().chain(["command", &number]).collect();
            self.no_nul(&place, word);
            if i == 0 && word.is_empty() && command.len() > 1 {
                self.fault(&place, "a program without a name");
            }
            self.placeholders(&place, word, known, true);
        }
    }
}
