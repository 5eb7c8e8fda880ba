//! What a registry is, found out by asking it. The claims are not seen here.
//!
//! Each question is a function that answers with a [`Finding`]: *supported* where the thing was done and seen to be done,
//! *absent* by the answers that the spec names for absence or that a whole object gets too, *broken* by everything else.
//! Questions have content and repositories of their own, and are asked at once, as many as the profile allows.

mod answer;
pub(super) mod asks;
mod auth;
mod blobs;
mod deletes;
mod desk;
mod discovery;
mod graphs;
mod manifests;
mod stance;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

pub(super) use self::answer::says_nothing;
use self::desk::{Desk, Window};
pub use self::graphs::PLATFORMS;
use self::graphs::Set;
use super::findings::{CAPABILITIES, Finding, Findings, Is, StanceFinding};
use super::profile::{Limits, Profile};
use crate::content::graph::{Format, Graph};
use crate::engine::journal::Journal;
use crate::engine::names::{Lease, Names};
use crate::suite::model::StanceWord;
use crate::wire::Client;

/// What the probe is given.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// Asks the target.
    pub client: &'a Client,
    /// Names of repositories.
    pub names: &'a Names,
    /// Everything that is created is written down here first.
    pub journal: &'a Journal,
    /// The content's seed.
    pub seed: u64,
    /// How long things may take, and how many questions are asked at once.
    pub pace: Pace,
}

/// What the profile says of the registry's pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long an acknowledged write or delete may take to be seen; more is broken.
    patience: Duration,
    /// The longest that one question may take: a registry that never answers must not keep the probe for ever.
    longest: Duration,
    /// Questions that are asked at once.
    together: usize,
}

impl Pace {
    /// Of a profile: what it declares of late answers and of load holds for the probe too.
    pub fn of(profile: &Profile) -> Pace {
        const PATIENCE: Duration = Duration::from_secs(5);
        let Profile { windows, limits, .. } = profile;
        let patience = PATIENCE.max(windows.read.0).max(windows.delete.0);
        // A patience that is longer than usual is had several times in one question.
        let more = patience.saturating_sub(PATIENCE) * 4 + limits.total.0.saturating_sub(Limits::default().total.0);
        Pace { patience, longest: Duration::from_secs(30) + more, together: limits.together() }
    }
}

/// One question's means.
struct Question<'a> {
    name: &'static str,
    format: Format,
    seed: u64,
    lease: &'a Lease,
}

impl Question<'_> {
    /// The repository that it is asked in.
    fn main(&self) -> &str {
        self.lease.names.first().map_or("", String::as_str)
    }

    /// A second one, where there is one.
    fn other(&self) -> Option<&str> {
        self.lease.names.get(1).map(String::as_str)
    }

    /// A tag of its own: a repository of a pool has tags of other questions too.
    fn tag(&self, of: &str) -> String {
        format!("{}-{of}", self.name.replace('.', "-"))
    }

    fn build(&self, graph: &Graph) -> Result<Set, String> {
        Set::build(graph, self.format, self.seed, self.name)
    }
}

fn supported(evidence: String) -> Finding {
    Finding { is: Is::Supported, evidence }
}

fn absent(evidence: String) -> Finding {
    Finding { is: Is::Absent, evidence }
}

fn broken(evidence: String) -> Finding {
    Finding { is: Is::Broken, evidence }
}

/// A question as it is asked; an error is evidence of why it could not be.
type Asked<'a> = BoxFuture<'a, Result<Finding, String>>;
type AskIt = for<'a> fn(&'a Desk<'a>, &'a Question<'a>) -> Asked<'a>;

/// The questions that give one capability each.
const QUESTIONS: &[(&str, AskIt)] = &[
    ("sparse-image", |d, q| Box::pin(manifests::sparse_image(d, q))),
    ("delete.manifest", |d, q| Box::pin(deletes::of_manifest(d, q))),
    ("delete.tag", |d, q| Box::pin(deletes::of_tag(d, q))),
    ("delete.blob", |d, q| Box::pin(deletes::of_blob(d, q))),
    ("delete.referenced-child", |d, q| Box::pin(deletes::of_child(d, q))),
    ("header.digest", |d, q| Box::pin(manifests::digest_header(d, q))),
    ("mount", |d, q| Box::pin(blobs::mount(d, q))),
    ("mount.anonymous", |d, q| Box::pin(blobs::anonymous_mount(d, q))),
    ("upload.chunked", |d, q| Box::pin(blobs::chunked(d, q))),
    ("upload.small-chunks", |d, q| Box::pin(blobs::small_chunks(d, q))),
    ("upload.unranged", |d, q| Box::pin(blobs::unranged(d, q))),
    ("tag.move", |d, q| Box::pin(manifests::tag_move(d, q))),
    ("put.tags", |d, q| Box::pin(manifests::tags_in_query(d, q))),
    ("tags.paging", |d, q| Box::pin(discovery::paging(d, q))),
    ("digest.sha512", |d, q| Box::pin(manifests::sha512_digests(d, q))),
    ("catalog", |d, q| Box::pin(discovery::catalog(d, q))),
    ("index.empty", |d, q| Box::pin(manifests::empty_index(d, q))),
    ("index.nested", |d, q| Box::pin(manifests::nested_index(d, q))),
    ("index.no-media-type", |d, q| Box::pin(manifests::bare_index(d, q))),
    ("index.no-platform", |d, q| Box::pin(manifests::platformless_index(d, q))),
];

/// Why nothing can be said of a registry.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// No question got an answer that says anything (none at all, or that there is no time): it cannot be tested.
    #[error("{0}")]
    Mute(String),
    /// What is to be created cannot be written down first: that is no fault of the registry.
    #[error("{0}")]
    Unwritable(String),
}

/// Asks everything. What is created stays: the journal knows it.
///
/// # Errors
/// Why nothing can be said of the registry.
pub async fn probe(setup: Setup<'_>) -> Result<Findings, Unknown> {
    let start = Instant::now();
    let desk = Desk::new(setup.client, setup.journal, setup.pace);
    let (media_oci, media_docker) = tokio::join!(
        media(&desk, setup, "media.oci", Format::Oci),
        media(&desk, setup, "media.docker", Format::Docker),
    );
    if let Some(why) = desk.unwritable() {
        return Err(Unknown::Unwritable(why));
    }
    if !desk.answered() {
        return Err(Unknown::Mute(unanswered(&desk, start, &media_oci.0.evidence)));
    }
    // The other questions are asked in types that the registry takes.
    let format = if !media_oci.1 && media_docker.1 { Format::Docker } else { Format::Oci };
    let single = futures_util::future::join_all(
        QUESTIONS.iter().map(|(name, ask)| capability(&desk, setup, name, format, *ask)),
    );
    let list = async {
        match media_docker.1 {
            true => {
                capability(&desk, setup, "list.nested", Format::Docker, |d, q| Box::pin(manifests::nested_index(d, q)))
                    .await
            }
            false => ("list.nested".to_owned(), media_docker.0.clone()),
        }
    };
    let (oci, docker, (referrers, subject), list, auth, single) = tokio::join!(
        stance(&desk, setup, Format::Oci),
        stance(&desk, setup, Format::Docker),
        referrers(&desk, setup, format),
        list,
        auth(&desk, setup, format),
        single,
    );
    let mut capabilities: BTreeMap<String, Finding> = single.into_iter().chain([list]).chain(auth).collect();
    for (name, finding) in [
        ("media.oci", media_oci.0),
        ("media.docker", media_docker.0),
        ("referrers", referrers),
        ("header.subject", subject),
    ] {
        capabilities.insert(name.to_owned(), finding);
    }
    let seconds = start.elapsed().as_secs_f64();
    if let Some(why) = desk.unwritable() {
        return Err(Unknown::Unwritable(why));
    }
    debug_assert!(CAPABILITIES.iter().all(|(name, _)| capabilities.contains_key(*name)));
    let (read, delete) = (desk.window(Window::Read), desk.window(Window::Delete));
    Ok(Findings {
        oci,
        docker,
        capabilities,
        read_window: read.unwrap_or_default(),
        delete_window: delete.unwrap_or_default(),
        write_seen: read.is_some(),
        delete_seen: delete.is_some(),
        seconds,
        requests: desk.requests(),
    })
}

/// Why a target cannot be tested that answers no question.
fn unanswered(desk: &Desk, start: Instant, evidence: &str) -> String {
    let (count, seconds) = (desk.requests(), start.elapsed().as_secs_f64());
    format!("no answer to any question of the probe: {evidence}; {count} requests in {seconds:.2} s")
}

/// Runs one question with its repositories, when it is its turn, for no longer than the pace allows.
async fn with_question<T>(
    desk: &Desk<'_>,
    setup: Setup<'_>,
    name: &'static str,
    format: Format,
    ask: impl AsyncFnOnce(&Question<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let _turn = desk.turn().await;
    let wanted = if ["mount", "stance", "auth"].iter().any(|two| name.starts_with(two)) { 2 } else { 1 };
    // A question that lacks its second one asks what it can with the first.
    let lease = setup.names.lease(&format!("probe/{name}"), setup.names.most().unwrap_or(wanted).min(wanted)).await?;
    let question = Question { name, format, seed: setup.seed, lease: &lease };
    let longest = setup.pace.longest;
    let late = |_| Err(format!("no end within {} s", longest.as_secs()));
    tokio::time::timeout(longest, ask(&question)).await.unwrap_or_else(late)
}

/// Asks again, once, where an answer did not come in time: what a registry is must not depend on what else its machine was doing.
async fn patiently<T, F: Future<Output = Result<T, String>>>(
    ask: impl Fn() -> F,
    evidence: impl Fn(&T) -> &str,
) -> Result<T, String> {
    let first = ask().await;
    let said = match &first {
        Ok(found) => evidence(found),
        Err(evidence) => evidence,
    };
    if answer::came_too_late(said) { ask().await } else { first }
}

async fn capability(
    desk: &Desk<'_>,
    setup: Setup<'_>,
    name: &'static str,
    format: Format,
    ask: AskIt,
) -> (String, Finding) {
    let once = || with_question(desk, setup, name, format, async |question| ask(desk, question).await);
    let finding = patiently(once, |found: &Finding| &found.evidence).await;
    (name.to_owned(), finding.unwrap_or_else(broken))
}

async fn media(desk: &Desk<'_>, setup: Setup<'_>, name: &'static str, format: Format) -> (Finding, bool) {
    let once = || with_question(desk, setup, name, format, async |q| Ok(manifests::media(desk, q).await));
    let asked = patiently(once, |(found, _): &(Finding, bool)| &found.evidence).await;
    asked.unwrap_or_else(|evidence| (broken(evidence), false))
}

async fn referrers(desk: &Desk<'_>, setup: Setup<'_>, format: Format) -> (Finding, Finding) {
    let once = || with_question(desk, setup, "referrers", format, async |q| discovery::referrers(desk, q).await);
    let asked = patiently(once, |(found, _): &(Finding, Finding)| &found.evidence).await;
    asked.unwrap_or_else(|evidence| (broken(evidence.clone()), broken(evidence)))
}

async fn auth(desk: &Desk<'_>, setup: Setup<'_>, format: Format) -> Vec<(String, Finding)> {
    let once = || with_question(desk, setup, "auth", format, async |q| auth::all(desk, q).await);
    let asked = patiently(once, auth::evidence).await;
    let found = asked.unwrap_or_else(|evidence| {
        // A registry that wants to know nobody is not accused of how it would ask.
        auth::NAMES.map(|_| absent(format!("not found out: {evidence}")))
    });
    auth::NAMES.iter().map(|name| (*name).to_owned()).zip(found).collect()
}

async fn stance(desk: &Desk<'_>, setup: Setup<'_>, format: Format) -> StanceFinding {
    let name = match format {
        Format::Oci => "stance.oci",
        Format::Docker => "stance.docker",
    };
    let once = || with_question(desk, setup, name, format, async |q| Ok(stance::find(desk, q).await));
    let broken = |evidence| StanceFinding { is: StanceWord::Broken, platforms: Vec::new(), scope: None, evidence };
    patiently(once, |found: &StanceFinding| &found.evidence).await.unwrap_or_else(broken)
}
