//! What happens at barriers: that something does, that it can, and that it is what its name says.

use std::time::Duration;

use super::Checker;
use super::launch::known;
use crate::suite::barrier::Barrier;
use crate::target::actions::{Act, Http, Poll, While};
use crate::target::profile::{Launch, Profile};

/// The longest time that a run waits before a collection.
const GRACE: Duration = Duration::from_secs(60);

impl Checker<'_> {
    pub(super) fn windows(&mut self, profile: &Profile) {
        if profile.windows.grace.0 > GRACE {
            let message = "every collection would be waited for so long: at most 1m; set the product's own grace lower, or \
                           claim neither `gc.untagged` nor `gc.orphan-blobs`";
            self.fault(&["windows", "grace"], message);
        }
    }

    pub(super) fn actions(&mut self, profile: &Profile) {
        for barrier in Barrier::ALL {
            if let Some(act) = profile.actions.of(barrier) {
                self.action(barrier, act, profile.launch.as_ref());
            }
        }
        if let Some(usage) = &profile.actions.usage {
            let key = ["actions", "usage", "folder"];
            let known: &[&str] = if profile.launch.is_some() { &["dir"] } else { &[] };
            if !self.placeholders(&key, &usage.folder, known, true)
                && !usage.folder.starts_with("{dir}")
                && !usage.folder.starts_with('/')
            {
                self.fault(&key, "whose folder? begin with `{dir}`, or with `/`");
            }
        }
        if profile.actions.downgrade.is_some() && profile.actions.upgrade.is_none() {
            self.fault_of_key(&["actions", "downgrade"], "a way back from an `upgrade` that is not there: say it, too");
        }
    }

    fn action(&mut self, barrier: Barrier, act: &Act, launch: Option<&Launch>) {
        let known = known(launch);
        let at = ["actions", barrier.word()];
        let key = |key: &'static str| [at[0], at[1], key];
        let command = self.tree.find(at).entry("command").is_some();
        let kinds = [
            ("command", command),
            ("http", act.http.is_some()),
            ("until", act.until.is_some()),
            ("relaunch", act.relaunch.is_some()),
        ];
        let kinds: Vec<&'static str> = kinds.into_iter().filter(|(_, there)| *there).map(|(kind, _)| kind).collect();
        match kinds.as_slice() {
            [] if act.wait.0.is_zero() => {
                let message = "nothing would happen: say `command`, `http`, `until`, `relaunch` or `wait`";
                self.fault_of_key(&at, message);
            }
            [first, second, ..] => {
                let message = format!(
                    "`{first}` and `{second}`: an action is one of them; what takes more is a script, by `command`"
                );
                self.fault_of_key(&key(second), message);
            }
            _ => {}
        }
        if command && act.command.iter().all(String::is_empty) {
            self.fault(&key("command"), "`command` is empty: name the program and its arguments");
        }
        let own = known.iter().map(String::as_str).filter(|name| launch.is_some() || *name != "dir");
        self.words(&at, &act.command, &std::iter::once("url").chain(own).collect::<Vec<_>>());
        if act.within.0.is_zero() {
            self.fault(&key("within"), "nothing ends in no time");
        }
        self.meaning(barrier, act, &kinds);
        self.process(barrier, act, command, launch.is_some(), &known);
        match (&act.http, &act.poll) {
            (Some(http), _) => self.http(barrier, http),
            (None, Some(_)) => self
                .fault_of_key(&key("poll"), "nothing was promised that could be waited for: `poll` goes with `http`"),
            (None, None) => {}
        }
        if let Some(poll) = &act.poll {
            self.poll(barrier, poll);
        }
    }

    /// Whether it can be what its name says.
    fn meaning(&mut self, barrier: Barrier, act: &Act, kinds: &[&'static str]) {
        let at = ["actions", barrier.word()];
        let does = |kind: &str| kinds.contains(&kind);
        if matches!(barrier, Barrier::Restart | Barrier::Kill) && !does("relaunch") && !does("command") {
            // Where nothing happens at all, that was said.
            if !kinds.is_empty() || !act.wait.0.is_zero() {
                let message = format!(
                    "a `{barrier}` ends the registry and starts it again: say `relaunch: {{}}`, or a `command` that does"
                );
                self.fault_of_key(&at, message);
            }
        } else if act.until.is_some() && barrier != Barrier::Gc {
            self.fault_of_key(
                &[at[0], at[1], "until"],
                "only of a collection it is seen by what is gone: `until` goes with `gc`",
            );
        }
    }

    /// What is done with the registry's process.
    fn process(&mut self, barrier: Barrier, act: &Act, command: bool, launched: bool, known: &[String]) {
        let at = ["actions", barrier.word()];
        let key = |key: &'static str| [at[0], at[1], key];
        let not_ours = "only a registry that lacuna launched can be ended and started by it: add `launch`, or let a `command` do it";
        if act.r#while != While::Running {
            if !command {
                self.fault_of_key(
                    &key("while"),
                    "`while` says what the registry does while a `command` runs: there is none",
                );
            } else if !launched {
                self.fault(&key("while"), not_ours);
            }
        }
        match (&act.read_only, act.r#while == While::ReadOnly) {
            (None, true) => {
                let message = "how is it started so that it takes no writes? `read-only: {env: {...}}`, or another command or file";
                self.fault(&key("while"), message);
            }
            (Some(_), false) => self.fault_of_key(&key("read-only"), "goes with `while: read-only`"),
            _ => {}
        }
        if act.relaunch.is_some() && !launched {
            self.fault_of_key(&key("relaunch"), not_ours);
        }
        for (name, again) in [("relaunch", &act.relaunch), ("read-only", &act.read_only)] {
            let Some(again) = again else { continue };
            self.start(&key(name), &again.command, &again.env, &again.files, known);
        }
    }

    fn http(&mut self, barrier: Barrier, http: &Http) {
        let key = |key: &'static str| ["actions", barrier.word(), "http", key];
        if http.method.is_empty() || !http.method.chars().all(|c| c.is_ascii_alphabetic()) {
            self.fault(&key("method"), "no request has such a method: `POST`, for example");
        }
        if !self.placeholders(&key("path"), &http.path, &[], true)
            && (!http.path.starts_with('/') || http.path.chars().any(|c| c.is_control() || c.is_whitespace()))
        {
            let message = "no path: it begins with `/`, goes on from the profile's `url`, and has no blanks";
            self.fault(&key("path"), message);
        }
        if http.r#type.chars().any(char::is_control) {
            self.fault(&key("type"), "no media type has such characters");
        }
    }

    fn poll(&mut self, barrier: Barrier, poll: &Poll) {
        let key = |key: &'static str| ["actions", barrier.word(), "poll", key];
        for (name, text) in [("at", &poll.at), ("key", &poll.key)] {
            if text.is_empty() {
                self.fault(&key(name), "the name of a key of the answer's JSON belongs here");
            }
        }
        if poll.done.is_empty() {
            self.fault(&key("done"), "it would never have ended well: name at least one state");
        }
        if let Some(both) = poll.failed.iter().find(|state| poll.done.contains(state)) {
            self.fault(&key("failed"), format!("`{both}` stands under `done`, too"));
        }
    }
}
