//! What a run is set to: from what was asked, what the profile says, and what was found.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use super::Request;
use super::course::Course;
use crate::engine::cleanup::Removal;
use crate::engine::{Barriers, Control, Options, journal};
use crate::plan::{self, Planned};
use crate::record::{Selection, counted};
use crate::reference::Stance;
use crate::suite::barrier::Barrier;
use crate::suite::model::{Action, StanceWord, Step};
use crate::suite::requirement::Level;
use crate::suite::side::is_skewed;
use crate::target::findings::{Findings, Is};
use crate::target::open::Live;
use crate::verdict::KnownFailures;

/// A number that nobody can foresee.
pub fn fresh() -> u64 {
    // Each state is keyed by the system's randomness.
    RandomState::new().build_hasher().finish()
}

/// A run's id, which is not from the seed: 8 hex digits.
pub(super) fn run_id() -> String {
    format!("{:08x}", fresh() >> 32)
}

/// The moment, RFC 3339, UTC, milliseconds.
pub(super) fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Millisecond).unwrap_or(now).to_string()
}

/// The journal's first line.
pub(super) fn header(request: &Request, live: &Live, id: &str) -> journal::Header {
    journal::Header {
        run: id.to_owned(),
        seed: format!("{:016x}", request.seed),
        target: live.url.clone(),
        lacuna: env!("CARGO_PKG_VERSION").into(),
    }
}

/// The selected cases; where the probe did not come to its end, nobody knows what would be skipped.
pub(super) fn planned(request: &Request, barriers: &Barriers, findings: Option<&Findings>) -> Vec<Planned> {
    match findings {
        Some(findings) => plan::plan(&request.library.instances, findings, barriers, &request.filters, request.shard),
        None => plan::select(&request.library.instances, &request.filters, request.shard)
            .map(|(case, _)| Planned { case, skip: None })
            .collect(),
    }
}

/// Whether something will happen to the registry that no request can do, or another version is to serve its storage: then it
/// begins with nothing in it.
pub(super) fn begins_afresh(request: &Request, planned: &[Planned]) -> bool {
    let asked = planned.iter().filter(|plan| plan.skip.is_none());
    let mut cases = asked.filter_map(|plan| request.library.instances.get(plan.case));
    let is_barrier = |step: &Arc<Step>| matches!(step.action, Action::Barrier(_));
    cases.any(|case| is_skewed(case) || case.steps.iter().any(is_barrier))
}

/// What is to be said aloud of cases that are skipped because a program is not installed.
pub(super) fn hints(planned: &[Planned], barriers: &Barriers) -> Vec<String> {
    let said = |hint: &String| {
        let skips = planned.iter().filter_map(|plan| plan.skip.as_ref()).filter(|skip| skip.evidence == *hint);
        let reasons: BTreeSet<&str> = skips.clone().map(|skip| skip.reason.as_str()).collect();
        let count = counted::cases(skips.count());
        let reasons: Vec<&str> = reasons.into_iter().collect();
        (!reasons.is_empty()).then(|| format!("{count} skipped ({}): {hint}", reasons.join(", ")))
    };
    barriers.hints.iter().filter_map(said).collect()
}

/// What was selected, for the record.
pub(super) fn selection(request: &Request) -> Selection {
    Selection {
        filters: request.filters.iter().map(ToString::to_string).collect(),
        shard: request.shard.map(|shard| shard.to_string()),
        level: Some(request.level),
        repeat: request.repeat,
    }
}

/// How cases are run.
pub(super) fn options(
    request: &Request,
    live: &Live,
    findings: Option<&Findings>,
    known: &KnownFailures,
    course: &Course,
) -> Options {
    let levels: std::collections::BTreeMap<String, Level> =
        request.library.requirements.iter().map(|(id, r)| (id.clone(), r.level(request.spec))).collect();
    let levels = Arc::new(move |id: &str| levels.get(id).copied().unwrap_or(Level::Must));
    let windows = &live.profile.windows;
    let window = |declared: Duration, measured: Option<f64>| {
        // One measurement is no bound: twice of it is waited for.
        let measured = measured.and_then(|s| Duration::try_from_secs_f64(s * 2.0).ok()).unwrap_or_default();
        declared.max(measured)
    };
    Options {
        jobs: request.jobs.unwrap_or(live.profile.limits.together()),
        repositories: live.profile.repositories.clone(),
        read_window: window(windows.read.0, findings.map(|f| f.read_window)),
        delete_window: window(windows.delete.0, findings.map(|f| f.delete_window)),
        suspects: suspects(request, known),
        grace: windows.grace.0,
        fail_fast: request.fail_fast,
        level: request.level,
        removal: removal(request, live, findings),
        control: findings.cloned().map(control),
        ..Options::new(&course.id, course.seed, levels)
    }
}

/// The reference registry with the stance that was found.
fn control(findings: Findings) -> Control {
    Arc::new(move |format| {
        let found = findings.stance(format);
        match found.is {
            StanceWord::Accept | StanceWord::Broken => Stance::Accept,
            StanceWord::Refuse => Stance::Refuse,
            StanceWord::Require => Stance::Require(found.platforms.clone()),
        }
    })
}

/// Cases that are recorded as making a barrier's action fail.
fn suspects(request: &Request, known: &KnownFailures) -> BTreeSet<String> {
    let of_action = |requirement: &str| Barrier::ALL.iter().any(|barrier| barrier.requirement() == requirement);
    let is_recorded = |id: &str| known.covering(id).any(|known| of_action(&known.requirement));
    request.library.instances.iter().map(|case| case.id.clone()).filter(|id| is_recorded(id)).collect()
}

/// What is removed after each case: nothing from a target that goes with the run.
fn removal(request: &Request, live: &Live, findings: Option<&Findings>) -> Option<Removal> {
    if request.keep || live.is_ours() {
        return None;
    }
    let can =
        |name: &str| findings.and_then(|found| found.capabilities.get(name)).is_none_or(|found| found.is != Is::Absent);
    Some(Removal { tags: can("delete.tag"), manifests: can("delete.manifest"), blobs: can("delete.blob") })
}
