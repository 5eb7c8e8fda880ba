//! What makes no sense between the steps of a case: what can never be observed, and names that nothing earlier gave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::barrier::Barrier;
use super::context::Context;
use super::expect::Expected;
use super::fault::{Fault, shown};
use super::model::{Action, Needs, Nodes, SessionRequest, StanceWord};
use super::side::Side;
use super::step::Decoded;
use super::template::{self, Piece};
use super::tree::{Kind, Node};
use crate::content::graph::Format;

/// The nickname of a repository that nothing is written to.
pub const NOWHERE: &str = "nowhere";

/// Checks the steps of one instance.
pub fn check(steps: &[Arc<Decoded>], context: &Context) {
    let mut seen = Seen::default();
    let nicknames: BTreeSet<&str> = every(steps).map(|step| step.step.repository.as_str()).collect();
    for (i, decoded) in steps.iter().enumerate() {
        seen.step(decoded, &steps[i + 1..], context);
        repositories(&decoded.node, &nicknames, context);
    }
    barriers(steps, context);
    if let Some(last) = steps.last()
        && matches!(last.step.action, Action::Wait(_))
    {
        let fault = last.node.fault("nothing comes after this `wait`");
        context.report(fault.help("add the step that it waits for, or take it out"));
    }
    for (name, decoded) in seen.unused.iter().filter(|(name, _)| !seen.wanted.contains(*name)) {
        let fault = decoded.node.find(["as"]).fault(format!("no later step compares with `{}`", shown(name, 60)));
        context.report(fault.help(format!("write `same-as: {}` in one, or take `as` out", shown(name, 60))));
    }
}

/// Every step, and the steps of its lanes after it.
fn every(steps: &[Arc<Decoded>]) -> impl Iterator<Item = &Arc<Decoded>> {
    steps.iter().flat_map(|step| std::iter::once(step).chain(&step.below))
}

/// Barriers in an order that can be, and what is sent during one directly behind it.
fn barriers(steps: &[Arc<Decoded>], context: &Context) {
    let mut upgraded = false;
    let mut open = None;
    let skewed = every(steps).find(|decoded| decoded.step.at == Side::Beside);
    for decoded in steps {
        let fault = |message: String, help: &str| context.report(decoded.node.fault(message).help(help));
        match (&decoded.step.action, decoded.step.during) {
            (Action::Barrier(barrier), _) => {
                if let Some(skewed) = skewed {
                    let message =
                        format!("a `{barrier}` in a case that asks a second server (line {})", skewed.step.source.line);
                    fault(
                        message,
                        "what a barrier stands for is done to one server: take the barrier or `at: beside` out",
                    );
                }
                match (barrier, upgraded) {
                    (Barrier::Upgrade, true) => {
                        fault("a second `upgrade` without a `downgrade` between".into(), "take one of them out");
                    }
                    (Barrier::Downgrade, false) => {
                        fault("a `downgrade` without an `upgrade` before it".into(), "a registry is first upgraded");
                    }
                    _ => {}
                }
                upgraded = if barrier.changes_version() { *barrier == Barrier::Upgrade } else { upgraded };
                open = Some(*barrier);
            }
            (_, None) => open = None,
            (_, Some(during)) if during != Barrier::Gc => {
                fault(format!("a step during `{during}`"), "nothing can be sent then: only `during: gc` can be");
            }
            (_, Some(during)) if open != Some(during) => {
                let message = format!("a step during `{during}` that does not stand behind its barrier");
                fault(message, "write it directly behind `- barrier: gc`, or behind another step of this kind");
            }
            _ => {}
        }
    }
}

/// What the steps so far have done.
#[derive(Default)]
struct Seen<'a> {
    /// Repositories that something was written to.
    written: BTreeSet<&'a str>,
    /// What was put: repository and node.
    put: BTreeSet<(&'a str, &'a str)>,
    /// Uploads that were left open: repository and blob.
    open: BTreeSet<(&'a str, &'a str)>,
    /// Uploads that were begun request by request: repository and name.
    begun: BTreeSet<(&'a str, &'a str)>,
    /// What push stored: repository, key and node, with the line.
    pushed: BTreeMap<(&'a str, &'a str, &'a str), usize>,
    /// Responses, and measurements, by name.
    named: BTreeSet<&'a str>,
    /// Measurements among them.
    measured: BTreeSet<&'a str>,
    /// Tokens among them.
    tokens: BTreeSet<&'a str>,
    /// Named responses that nothing compared with yet.
    unused: BTreeMap<&'a str, &'a Decoded>,
    /// Names that a step compared with before they were given.
    wanted: BTreeSet<&'a str>,
}

impl<'a> Seen<'a> {
    fn step(&mut self, decoded: &'a Decoded, later: &'a [Arc<Decoded>], context: &Context) {
        decoded.below.iter().for_each(|below| self.step(below, later, context));
        let node = &decoded.node;
        let repository = decoded.step.repository.as_str();
        self.comparisons(decoded, later, context);
        self.sent_tokens(node, context);
        match &decoded.step.action {
            Action::Push(push) => {
                let lists = [("images", &push.images), ("blobs", &push.blobs), ("manifests", &push.manifests)];
                for (key, name) in lists.into_iter().flat_map(|(key, names)| names.iter().map(move |name| (key, name)))
                {
                    self.pushed.entry((repository, key, name)).or_insert(decoded.step.source.line);
                }
            }
            Action::Put(put) => drop(self.put.insert((repository, &put.manifest))),
            Action::Raw(raw) if raw.method == "PUT" => {
                self.put.extend(raw.bytes_of.iter().map(|name| (repository, name.as_str())));
            }
            Action::Delete(delete) => {
                let gone: Vec<&str> =
                    [&delete.manifest, &delete.blob].into_iter().flatten().map(String::as_str).collect();
                self.pushed.retain(|(pushed_to, _, name), _| *pushed_to != repository || !gone.contains(name));
            }
            Action::Settled(settled) if !self.put.contains(&(repository, settled.manifest.as_str())) => {
                let place = node.find(["manifest"]);
                let message = format!("`{}` was not put in this repository before", shown(&settled.manifest, 60));
                context.report(place.fault(message).help("`settled` looks after a `put`: add it, or write `get`"));
            }
            Action::Upload(upload) if upload.resume && !self.open.remove(&(repository, upload.blob.as_str())) => {
                let blob = shown(&upload.blob, 60);
                let message = format!("no upload of `{blob}` to this repository was left open before");
                context.report(node.find(["resume"]).fault(message).help("leave one by `stop-after: 1`"));
            }
            Action::Upload(upload) if upload.stop_after.is_some() => {
                self.open.insert((repository, &upload.blob));
            }
            Action::Session(session) if session.r#do == SessionRequest::Open => {
                self.begun.insert((repository, &session.name));
            }
            Action::Session(session) if !self.begun.contains(&(repository, session.name.as_str())) => {
                let fault = node.find(["do"]).fault("no upload of this name was begun in this repository before");
                context.report(fault.help("begin one: `session: {do: open}`"));
            }
            Action::Pull(_) if !self.written.contains(repository) => {
                let message = format!("nothing was pushed to the repository `{}` before", shown(repository, 60));
                context.report(node.fault(message).help("`pull` reads back what was pushed: push it first"));
            }
            Action::Joined(_) if !self.written.contains(repository) => {
                let message = format!("nothing was written to the repository `{}` before", shown(repository, 60));
                context.report(node.fault(message).help("`joined` looks after what was written: write it first"));
            }
            Action::Absent(nodes) => self.absent(nodes, repository, node, context),
            Action::Mount(mount) => self.source(mount.from.as_deref(), node, context),
            Action::Usage(usage) => {
                let Some(since) = usage.since.as_deref() else { return self.name(decoded, context) };
                if !self.measured.contains(since) {
                    let fault =
                        node.find(["since"]).fault(format!("no earlier `usage` has `as: {}`", shown(since, 60)));
                    context.report(fault.choices(since, self.measured.iter().copied(), "those before are"));
                }
                self.unused.remove(since);
            }
            Action::Client(client) => self.source(client.from.as_deref(), node, context),
            _ => {}
        }
        let writes = match &decoded.step.action {
            Action::Push(_)
            | Action::Put(_)
            | Action::Upload(_)
            | Action::Mount(_)
            | Action::Raw(_)
            | Action::Session(_) => true,
            Action::Client(client) => client.run.writes(),
            _ => false,
        };
        if writes && repository == NOWHERE {
            let fault = node.find(["in"]).fault(format!("`{}` writes to the repository `{NOWHERE}`", decoded.action));
            context.report(fault.help("nothing is ever written to the repository of this name: choose another"));
        } else if writes {
            self.written.insert(repository);
        }
        self.name(decoded, context);
    }

    /// Takes note of `as`.
    fn name(&mut self, decoded: &'a Decoded, context: &Context) {
        let Some(name) = decoded.step.name.as_deref() else { return };
        if !self.named.insert(name) {
            let fault = decoded.node.find(["as"]).fault(format!("an earlier step is called `{}` too", shown(name, 60)));
            context.report(fault.help("each name means one response: choose another"));
        } else {
            self.unused.insert(name, decoded);
        }
        match decoded.step.action {
            Action::Usage(_) => drop(self.measured.insert(name)),
            Action::Token(_) => drop(self.tokens.insert(name)),
            _ => {}
        }
    }

    /// `{token:NAME}` is one that an earlier step asked for.
    fn sent_tokens(&mut self, node: &Node, context: &Context) {
        match &node.kind {
            Kind::Scalar { text, .. } if text.contains("{token:") => {
                for piece in template::pieces(text) {
                    let Piece::Filled("token", name) = piece else { continue };
                    if !self.tokens.contains(name) {
                        let fault = node.fault(format!("no earlier `token` has `as: {}`", shown(name, 60)));
                        context.report(fault.choices(name, self.tokens.iter().copied(), "those before are"));
                    }
                    self.unused.remove(name);
                }
            }
            Kind::Scalar { .. } => {}
            Kind::List(items) => items.iter().for_each(|item| self.sent_tokens(item, context)),
            Kind::Map(entries) => entries.iter().for_each(|entry| self.sent_tokens(&entry.value, context)),
        }
    }

    /// `from` names a repository that something was written to, or is called [`NOWHERE`].
    fn source(&self, from: Option<&str>, node: &Node, context: &Context) {
        let Some(from) = from.filter(|from| !self.written.contains(from) && *from != NOWHERE) else { return };
        let message = format!("nothing was pushed to the repository `{}` before", shown(from, 60));
        let fault = node.find(["from"]).fault(message);
        let fault = fault.choices(from, self.written.iter().copied(), "repositories written so far");
        context.report(fault.help(format!("a repository that is not there on purpose is called `{NOWHERE}`")));
    }

    /// `absent` has something left to ask for.
    fn absent(&self, nodes: &Nodes, repository: &str, node: &Node, context: &Context) {
        let lists = [("images", &nodes.images), ("blobs", &nodes.blobs), ("manifests", &nodes.manifests)];
        let mut named = lists.into_iter().flat_map(|(key, names)| names.iter().map(move |name| (key, name))).peekable();
        let Some(&(_, first)) = named.peek() else { return };
        let lines = named.map(|(key, name)| self.pushed.get(&(repository, key, name.as_str())));
        if nodes.graphs.is_empty()
            && let Some(lines) = lines.collect::<Option<Vec<_>>>()
        {
            let message = format!("`{first}` was pushed on line {}: nothing of it is absent", lines[0]);
            context.report(node.fault(message).help("name what was never pushed here"));
        }
    }

    /// `same-as`, `same-headers` and `same-etag` name an earlier step.
    fn comparisons(&mut self, decoded: &'a Decoded, later: &[Arc<Decoded>], context: &Context) {
        for expected in &decoded.expected {
            let assertion = &expected.expectation.assertion;
            let named = [
                ("same-as", &assertion.same_as),
                ("same-headers", &assertion.same_headers),
                ("same-etag", &assertion.same_etag),
            ];
            for (key, name) in named.into_iter().filter_map(|(key, name)| Some((key, name.as_deref()?))) {
                self.comparison(expected, key, name, later, context);
            }
        }
    }

    fn comparison(
        &mut self,
        expected: &'a Expected,
        key: &str,
        name: &'a str,
        later: &[Arc<Decoded>],
        context: &Context,
    ) {
        self.unused.remove(name);
        if self.named.contains(name) {
            return;
        }
        let place = if expected.bundle.is_some() { &expected.node } else { expected.node.find([key]) };
        self.wanted.insert(name);
        let comes = later.iter().any(|step| step.step.name.as_deref() == Some(name));
        context.report(if comes {
            place
                .fault(format!("the step `{}` comes later", shown(name, 60)))
                .help("compare the later with the earlier one")
        } else {
            let fault = place.fault(format!("no earlier step has `as: {}`", shown(name, 60)));
            fault.choices(name, self.named.iter().copied(), "steps with a name so far")
        });
    }
}

/// `{repo:NICK}` names a repository that a step works in.
fn repositories(node: &Node, known: &BTreeSet<&str>, context: &Context) {
    match &node.kind {
        Kind::Scalar { text, .. } if text.contains("{repo:") => {
            for piece in template::pieces(text) {
                if let Piece::Filled("repo", name) = piece
                    && name != "main"
                    && !known.contains(name)
                {
                    let fault = node.fault(format!("no step works in a repository `{}`", shown(name, 60)));
                    context.report(fault.choices(name, known.iter().copied(), "the repositories are"));
                }
            }
        }
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| repositories(item, known, context)),
        Kind::Map(entries) => entries.iter().for_each(|entry| repositories(&entry.value, known, context)),
    }
}

/// Reports needs that no target can meet: the case would be skipped everywhere.
pub fn needs(needs: &Needs, format: Format, node: &Node, context: &Context) {
    let has = |word: StanceWord| needs.stance.contains(&word);
    let contradiction = |key: &str, word: &str| {
        let at = node.entry(key).map_or(node.at, |entry| entry.key.at);
        let message = format!("no target meets these needs: `{key}` goes only with the stance `{word}`");
        context.report(Fault::new(at, message).help(format!("write `stance: {word}`, or take `{key}` out")));
    };
    if needs.scope.is_some() && !has(StanceWord::Refuse) {
        contradiction("scope", "refuse");
    }
    for (key, platform) in [("required", &needs.required), ("optional", &needs.optional)] {
        if let Some(platform) = platform {
            if !has(StanceWord::Require) {
                contradiction(key, "require");
            }
            if !super::words::is_platform(platform) {
                let fault = node.find([key]).fault(format!("`{}` is no platform", shown(platform, 60)));
                context.report(fault.help("write os/architecture or os/architecture/variant: `linux/arm64`"));
            }
        }
    }
    if needs.required.is_some() && needs.required == needs.optional {
        let message = "no target meets these needs: one platform is both demanded and not";
        context.report(node.find(["optional"]).fault(message).help("name two platforms"));
    }
    let media = match format {
        Format::Oci => "media.oci",
        Format::Docker => "media.docker",
    };
    if needs.capabilities.get(media) == Some(&super::model::Presence::Absent)
        && needs.stance.iter().any(|w| *w != StanceWord::Broken)
    {
        let at = node.entry(media).map_or(node.at, |entry| entry.key.at);
        let message =
            format!("no target meets these needs: where `{media}` is absent, it has no stance on such indexes");
        context.report(Fault::new(at, message).help("take one of them out"));
    }
}
