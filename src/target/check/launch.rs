//! How something is started, where a profile says so: at its launch, and when it is started otherwise.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::{Checker, NO_VARIABLE, is_variable};
use crate::near;
use crate::target::profile::{Before, Launch};

/// What has a value where a registry is started.
pub(super) fn known(launch: Option<&Launch>) -> Vec<String> {
    let further = launch.into_iter().flat_map(|launch| &launch.ports).map(|name| format!("port-{name}"));
    ["port".to_owned(), "dir".to_owned()].into_iter().chain(further).collect()
}

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
        let known = known(Some(launch));
        self.start(path, &launch.command, &launch.env, &launch.files, &known);
        self.ports(path, &launch.ports);
        for (i, step) in launch.before.iter().enumerate() {
            let number = i.to_string();
            let place: Vec<&str> = path.iter().copied().chain(["before", &number]).collect();
            self.before(&place, step, launch, &known);
        }
    }

    /// Further ports.
    fn ports(&mut self, path: &[&str], ports: &[String]) {
        for (i, name) in ports.iter().enumerate() {
            let number = i.to_string();
            let place: Vec<&str> = path.iter().copied().chain(["ports", &number]).collect();
            let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if name.is_empty() || !name.chars().all(word) {
                self.fault(&place, format!("`{name}`: a port's name is of a-z, 0-9 and `-`"));
            } else if ports[..i].contains(name) {
                self.fault(&place, format!("`{name}` stands twice"));
            }
        }
    }

    /// What comes before a launch, at `path`.
    fn before(&mut self, path: &[&str], step: &Before, launch: &Launch, known: &[String]) {
        let below = |key: &'static str| -> Vec<&str> { path.iter().copied().chain([key]).collect() };
        if step.command.iter().all(String::is_empty) {
            self.fault(&below("command"), "`command` is empty: name the program and its arguments");
        }
        if step.within.0.is_zero() {
            self.fault(&below("within"), "nothing ends in no time, nor listens");
        }
        if let Some(port) = step.listens.as_ref().filter(|port| !launch.ports.contains(port)) {
            let hint = near::hint(port, launch.ports.iter().map(String::as_str));
            self.fault(&below("listens"), format!("`{port}` is none of the launch's `ports`{hint}"));
        }
        self.start(path, &step.command, &step.env, &BTreeMap::new(), known);
    }

    /// A program with its arguments, its environment and its files, which stand below `path`.
    pub(super) fn start(
        &mut self,
        path: &[&str],
        command: &[String],
        env: &BTreeMap<String, String>,
        files: &BTreeMap<String, String>,
        known: &[String],
    ) {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.words(path, command, &known);
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
            self.placeholders(&place, value, &known, true);
        }
        for (name, text) in files {
            let place = below("files", name);
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            // A configuration file may have braces of its own: only what looks like a slip is one.
            self.placeholders(&place, text, &known, false);
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
