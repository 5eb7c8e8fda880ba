//! What makes no sense in a step by itself: keys that exclude each other, keys without effect, words out of their grammar.

use super::assertion::Assertion;
use super::context::Context;
use super::fault::{Fault, shown};
use super::model::{
    Action, By, ClientStep, Delete, Ends, Literal, Nodes, Put, Raw, Read, Referrers, SessionRequest, SessionStep,
    TagSet, Tags, TokenStep, Upload, UploadHow,
};
use super::step::Decoded;
use super::template;
use super::tree::{Entry, Kind, Node};
use super::words;
use crate::clients;
use crate::target::units::Time;

/// The longest wait, in seconds.
const LONGEST_WAIT: u64 = 60;
/// The most tags of a numbered set.
const MOST_TAGS: u32 = 100_000;

/// Checks one step; whether it says what it means, so that its names can be looked at.
pub fn check(decoded: &Decoded, context: &Context) -> bool {
    let before = context.reported();
    let step = Sense { node: &decoded.node, action: &decoded.action, context };
    match &decoded.step.action {
        Action::Push(push) => {
            let lists = [&push.images, &push.blobs, &push.graphs, &push.manifests, &push.children];
            step.some_names(&lists, "images, blobs, graphs, manifests, children");
            if !push.except.is_empty() && push.graphs.is_empty() && push.children.is_empty() {
                step.at(
                    "except",
                    "`except` leaves out of `graphs` and `children` only",
                    "name one of these, or take it out",
                );
            }
        }
        Action::Put(put) => step.put(put),
        Action::Get(read) | Action::Head(read) => step.read(read),
        Action::Pull(nodes) | Action::Absent(nodes) => step.nodes(nodes),
        Action::Settled(settled) => step.tag("tag", settled.tag.as_deref()),
        Action::Delete(delete) => step.delete(delete),
        Action::Tags(tags) => {
            step.tags(tags);
            step.page(&[("n", &tags.n), ("last", &tags.last)]);
        }
        Action::Catalog(catalog) => step.page(&[("n", &catalog.n), ("last", &catalog.last)]),
        Action::Referrers(referrers) => step.referrers(referrers),
        Action::Upload(upload) => step.upload(upload),
        Action::Session(session) => step.session(session),
        Action::Raw(raw) => step.raw(raw),
        Action::Token(token) => step.token(token),
        Action::Wait(wait) => step.wait(&wait.time),
        Action::Client(client) => step.client(client),
        Action::Usage(usage) => {
            let named = decoded.step.name.is_some();
            if usage.since.is_some() != usage.shows.is_some() {
                step.at(
                    "shows",
                    "`since` and `shows` go together",
                    "write both: {since: before, shows: once, holds: ...}",
                );
            } else if usage.since.is_none() && (!named || usage.holds != Nodes::default()) {
                step.at(
                    "as",
                    "this measures, and nothing is compared with it",
                    "write {as: before}, or {since: before, ...}",
                );
            } else if usage.since.is_some() && named {
                step.at("as", "what is compared is compared with nothing more", "take `as` out");
            }
        }
        Action::Barrier(_) | Action::Joined(_) | Action::Parallel(_) => {}
        Action::Blob(blob) => {
            if blob.range.as_deref().is_some_and(|range| !words::is_header_value(range) || range.is_empty()) {
                step.at("range", "this cannot be the value of `Range`", "write it as it is sent: `bytes=0-99`");
            }
        }
        Action::Mount(mount) => {
            if mount.from.as_ref() == Some(&decoded.step.repository) {
                step.at("from", "a blob is mounted from the repository that it is mounted into", "name another one");
            }
        }
    }
    let clear = context.reported() == before;
    for expected in &decoded.expected {
        if expected.bundle.is_none() {
            let (assertion, action) = (&expected.expectation.assertion, &decoded.step.action);
            observable(assertion, action, &expected.node, &decoded.action, context);
            whole(assertion, action, &expected.node, context);
        }
    }
    clear
}

/// A step, and where to report.
struct Sense<'a> {
    node: &'a Node,
    action: &'a str,
    context: &'a Context,
}

impl Sense<'_> {
    /// Reports a key's value.
    fn at(&self, key: &str, message: impl Into<String>, help: &str) {
        self.context.report(self.node.find([key]).fault(message).help(help));
    }

    /// Reports unless exactly one of these keys is there.
    fn one_of(&self, keys: &[(&str, bool)]) {
        let there: Vec<&str> = keys.iter().filter(|(_, there)| *there).map(|(key, _)| *key).collect();
        let all = keys.iter().map(|(key, _)| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        match there[..] {
            [_] => {}
            [] => {
                let message = format!("`{}` does not say what is meant", self.action);
                self.context.report(self.node.fault(message).help(format!("give one of {all}")));
            }
            [first, second, ..] => {
                let at = self.node.entry(second).map_or(self.node.at, |entry| entry.key.at);
                let message = format!("`{second}` and `{first}` exclude each other");
                self.context.report(Fault::new(at, message).help(format!("give one of {all}")));
            }
        }
    }

    /// Reports a key that has no effect beside the others.
    fn idle(&self, key: &str, why: &str) {
        if let Some(entry) = self.node.entry(key) {
            let message = format!("`{key}` has no effect: {why}");
            self.context.report(Fault::new(entry.key.at, message).help("take it out"));
        }
    }

    fn some_names(&self, lists: &[&Vec<String>], keys: &str) {
        let varies = |entry: &Entry| entry.value.put_in.is_some();
        let varies = matches!(&self.node.kind, Kind::Map(entries) if entries.iter().any(varies));
        // A list that is empty for some values of a parameter is meant so; a step that never names anything is not.
        if lists.iter().all(|list| list.is_empty()) && !varies {
            let message = format!("`{}` names nothing", self.action);
            self.context.report(self.node.fault(message).help(format!("give one of {keys}")));
        }
    }

    fn tag(&self, key: &str, tag: Option<&str>) {
        if let Some(tag) = tag.filter(|tag| !words::is_tag(&template::with_a_tag(tag))) {
            let message = format!("`{}` cannot be a tag", shown(tag, 140));
            self.at(key, message, "a tag has up to 128 of A-Z a-z 0-9 . _ -; what is none on purpose is a `reference`");
        }
    }

    fn tag_set(&self, path: &[&str], set: &TagSet) {
        match set {
            TagSet::Named(tags) => {
                for (i, tag) in tags.iter().enumerate().filter(|(_, tag)| !words::is_tag(&template::with_a_tag(tag))) {
                    let index = i.to_string();
                    let place = self.node.find(path.iter().copied().chain([index.as_str()]));
                    let fault = place.fault(format!("`{}` cannot be a tag", shown(tag, 140)));
                    self.context.report(fault.help("a tag has up to 128 of A-Z a-z 0-9 . _ -"));
                }
            }
            TagSet::Numbered(set) if set.numbered > MOST_TAGS => {
                let place = self.node.find(path.iter().copied().chain(["numbered"]));
                self.context.report(
                    place.fault(format!("{} tags are too many", set.numbered)).help(format!("at most {MOST_TAGS}")),
                );
            }
            TagSet::Numbered(_) => {}
        }
    }

    fn put(&self, put: &Put) {
        let ways = [
            ("tag", put.tag.is_some()),
            ("tags", put.tags.is_some()),
            ("under", put.under.is_some()),
            ("reference", put.reference.is_some()),
        ];
        if ways.iter().any(|(_, there)| *there) {
            self.one_of(&ways);
        }
        self.tag("tag", put.tag.as_deref());
        if let Some(set) = &put.tags {
            self.tag_set(&["tags"], set);
        }
        if self.node.entry("by").is_some_and(|by| by.value.put_in.is_none()) {
            if put.by == By::Digest && (put.tag.is_some() || put.tags.is_some()) {
                self.idle(if put.tag.is_some() { "tag" } else { "tags" }, "the manifest is put by digest");
            }
            if put.under.is_some() || put.reference.is_some() {
                self.idle("by", "the reference is given otherwise");
            }
        }
        if let Some(set) = &put.with_tags {
            self.tag_set(&["with-tags"], set);
            if put.by != By::Digest && self.node.find(["by"]).put_in.is_none() {
                self.idle("with-tags", "only a put by digest takes tags in its query");
            }
        }
    }

    fn read(&self, read: &Read) {
        self.one_of(&[("manifest", read.manifest.is_some()), ("reference", read.reference.is_some())]);
        self.tag("tag", read.tag.as_deref());
        if read.reference.is_some() && read.manifest.is_none() {
            self.idle("by", "the reference is given literally");
            self.idle("tag", "the reference is given literally");
        } else if read.by == Some(By::Digest) && self.node.find(["by"]).put_in.is_none() {
            self.idle("tag", "the manifest is asked for by digest");
        }
    }

    fn nodes(&self, nodes: &Nodes) {
        let lists = [&nodes.images, &nodes.graphs, &nodes.blobs, &nodes.manifests];
        self.some_names(&lists, "images, graphs, blobs, manifests");
    }

    fn delete(&self, delete: &Delete) {
        self.one_of(&[
            ("manifest", delete.manifest.is_some()),
            ("tag", delete.tag.is_some()),
            ("blob", delete.blob.is_some()),
            ("reference", delete.reference.is_some()),
        ]);
        self.tag("tag", delete.tag.as_deref());
    }

    fn tags(&self, tags: &Tags) {
        self.tag("delete-between", tags.delete_between.as_deref());
        if !tags.follow {
            self.idle("delete-between", "without `follow: true` there is only one page");
        }
    }

    /// What is asked of a page.
    fn page(&self, query: &[(&str, &Option<Literal>)]) {
        for (key, value) in query {
            if matches!(value, Some(Literal::Text(text)) if text.chars().any(char::is_control)) {
                self.at(key, format!("`{key}` has a control character"), "a query is one line of text");
            }
        }
    }

    fn referrers(&self, referrers: &Referrers) {
        self.one_of(&[("of", referrers.of.is_some()), ("digest", referrers.digest.is_some())]);
    }

    fn upload(&self, upload: &Upload) {
        match (upload.how, upload.chunk) {
            (UploadHow::Chunked, Some(0)) => self.at("chunk", "a chunk of no bytes", "write the bytes of one chunk"),
            (UploadHow::Chunked, _) => {}
            (_, Some(_)) if self.node.find(["how"]).put_in.is_none() => {
                self.idle("chunk", "the upload is not chunked");
            }
            _ => {}
        }
        let chunked = upload.how == UploadHow::Chunked;
        let unfinished = [("stop-after", upload.stop_after.is_some()), ("resume", upload.resume)];
        for (key, _) in unfinished.into_iter().filter(|(_, there)| *there && !chunked) {
            self.at(key, "only an upload in chunks is left, and gone on with, in its middle", "write `how: chunked`");
        }
        if upload.stop_after == Some(0) {
            self.at("stop-after", "an upload that ends before its first chunk", "name at least one chunk");
        }
        if upload.stop_after.is_some() && upload.resume {
            self.one_of(&unfinished);
        }
    }

    fn session(&self, session: &SessionStep) {
        let sends = matches!(session.r#do, SessionRequest::Chunk | SessionRequest::Close);
        if sends && session.blob.is_none() {
            self.at("blob", "nothing says which blob this is about", "write `blob: NODE`");
        }
        for (key, there) in [("blob", session.blob.is_some()), ("bytes", session.bytes.is_some())] {
            if there && !sends {
                self.idle(key, "only `chunk` and `close` send bytes");
            }
        }
        if session.query.is_some() && !matches!(session.r#do, SessionRequest::Open | SessionRequest::Close) {
            self.idle("query", "only `open` and `close` have a query");
        }
        if session.says.is_some() && session.r#do != SessionRequest::Chunk && session.bytes.is_none() {
            self.idle("says", "no bytes are sent");
        }
        if let Err(problem) = session.span() {
            self.at("bytes", problem, "the first and the last byte that are sent");
        }
        let sends_some = session.r#do == SessionRequest::Chunk || sends && session.bytes.is_some();
        self.pieces(session.chunks, sends_some);
    }

    /// The chunked coding of what is sent.
    fn pieces(&self, chunks: Option<u64>, sends: bool) {
        match chunks {
            Some(0) => self.at("chunks", "a chunk of no bytes is the last one", "write the bytes of one chunk"),
            Some(_) if !sends => self.idle("chunks", "there is no body"),
            _ => {}
        }
    }

    fn raw(&self, raw: &Raw) {
        if raw.body.is_some() && raw.bytes_of.is_some() {
            self.one_of(&[("body", true), ("bytes-of", true)]);
        }
        self.pieces(raw.chunks, raw.body.is_some() || raw.bytes_of.is_some());
        if !words::is_token(&raw.method) {
            self.at(
                "method",
                format!("`{}` cannot be a method", shown(&raw.method, 60)),
                "write it as it is sent: `PATCH`",
            );
        }
        let clean = |c: char| !c.is_control() && c != ' ' && c != '#';
        if !raw.path.starts_with('/') || !raw.path.chars().all(clean) {
            let message = format!("`{}` cannot be a path", shown(&raw.path, 60));
            self.at("path", message, "write it as it is sent, from `/v2/` on; spaces and `#` as %20 and %23");
        }
    }

    fn token(&self, token: &TokenStep) {
        for (i, scope) in token.scopes.iter().enumerate().filter(|(_, scope)| scope.split(':').count() < 3) {
            let place = self.node.find(["scopes", i.to_string().as_str()]);
            let fault = place.fault(format!("`{}` is no scope", shown(scope, 60)));
            self.context.report(fault.help("write `repository:{repo}:pull,push`"));
        }
    }

    fn client(&self, step: &ClientStep) {
        let known = clients::all();
        let Some(client) = known.get(&step.name) else {
            let fault = self.node.find(["name"]).fault(format!("no client is called `{}`", shown(&step.name, 60)));
            return self.context.report(fault.choices(&step.name, known.keys().map(String::as_str), "the clients are"));
        };
        let deed = step.run.word();
        if !client.runs.contains_key(&step.run) {
            let can: Vec<&str> = client.runs.keys().map(|deed| deed.word()).collect();
            let help = format!("it can {}", can.join(", "));
            self.at("run", format!("{} has no command for `{deed}`", step.name), &help);
        }
        if step.run.has_platforms() == step.platforms.is_empty() {
            let help = "name them under `platforms`, or take that key out";
            self.at("platforms", format!("`{deed}` and its platforms do not go together"), help);
        }
        for (i, platform) in step.platforms.iter().enumerate().filter(|(_, platform)| !words::is_platform(platform)) {
            let place = self.node.find(["platforms", i.to_string().as_str()]);
            let fault = place.fault(format!("`{}` is no platform", shown(platform, 60)));
            self.context.report(fault.help("write os/architecture or os/architecture/variant: `linux/arm64`"));
        }
        if step.brings != Nodes::default() && (step.ends == Ends::Badly || !step.run.writes()) {
            self.at("brings", format!("this `{deed}` brings nothing"), "take the key out");
        }
    }

    fn wait(&self, time: &str) {
        match Time::try_from(time.to_owned()) {
            Err(problem) => self.at("time", shown(&problem, 200), "a wait is short: tens or hundreds of milliseconds"),
            Ok(time) if time.0.is_zero() => self.at("time", "a wait of no time", "take the step out, or write a time"),
            Ok(time) if time.0.as_secs() > LONGEST_WAIT => {
                self.at("time", format!("a wait of {} s is too long", time.0.as_secs()), "at most 60s");
            }
            Ok(_) => {}
        }
    }
}

/// Reports a list of tags that is to have certain ones and is read by its first page alone: a registry may page it unasked
/// (v1.1.1 L543-545).
fn whole(assertion: &Assertion, action: &Action, node: &Node, context: &Context) {
    let (Action::Tags(tags), Some(are)) = (action, &assertion.tags) else { return };
    let wants = [&are.exactly, &are.including].into_iter().flatten().any(|set| !set.tags().is_empty());
    if wants && !tags.follow && tags.n.is_none() && tags.last.is_none() {
        let fault = node.find(["tags"]).fault("a registry may give the list in pages, of which only the first is read");
        context.report(fault.help("write `follow: true` beside `expect`"));
    }
}

/// Reports what an answer of this action cannot show, so that asserting it proves nothing.
fn observable(assertion: &Assertion, action: &Action, node: &Node, name: &str, context: &Context) {
    let head = matches!(action, Action::Head(_));
    let body = [
        ("code", assertion.code.is_some()),
        ("not-code", assertion.not_code.is_some()),
        ("form", assertion.form.is_some()),
        ("detail", assertion.detail.is_some()),
        ("body", assertion.body.is_some()),
        ("not-body", assertion.not_body.is_some()),
        ("not-text", assertion.not_text.is_some()),
    ];
    let only = [
        ("tags", assertion.tags.is_some() && !matches!(action, Action::Tags(_) | Action::Raw(_))),
        (
            "link",
            assertion.link.is_some()
                && !matches!(action, Action::Tags(_) | Action::Referrers(_) | Action::Catalog(_) | Action::Raw(_)),
        ),
        ("referrers", assertion.referrers.is_some() && !matches!(action, Action::Referrers(_))),
        ("repositories", assertion.repositories.is_some() && !matches!(action, Action::Catalog(_))),
        ("token", assertion.token.is_some() && !matches!(action, Action::Token(_))),
        ("one-of", assertion.one_of.is_some() && !matches!(action, Action::Get(_) | Action::Head(_) | Action::Raw(_))),
    ];
    for (key, there) in body.into_iter().map(|(key, there)| (key, there && head)).chain(only) {
        if there {
            let at = node.entry(key).map_or(node.at, |entry| entry.key.at);
            let fault = Fault::new(at, format!("an answer to `{name}` does not show `{key}`"));
            context.report(fault.help("assert it of a step whose answer has it, or take it out"));
        }
    }
}
