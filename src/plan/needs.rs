//! What a case needs, held against what the probe found.

use super::Skip;
use crate::content::graph::Format;
use crate::content::platform::Platform;
use crate::engine::ground::USAGE;
use crate::engine::{Barriers, nicknames};
use crate::suite::barrier::Barrier;
use crate::suite::model::{Action, CaseInstance, Presence, Scope, StanceWord};
use crate::suite::sequence::NOWHERE;
use crate::suite::side::is_skewed;
use crate::target::findings::{Findings, Is, StanceFinding};

/// The first need of the case that does not hold; `None`: it can be asked.
///
/// What is broken never excuses: a broken capability counts as supported, and a broken stance as `accept`, so that the
/// cases of acceptance run, and fail. Only one of the stances can be held against a registry that takes none: its cases
/// of refusal would fail for what nobody demands of it.
pub(super) fn unmet(case: &CaseInstance, findings: &Findings) -> Option<Skip> {
    let media = match case.format {
        Format::Oci => "media.oci",
        Format::Docker => "media.docker",
    };
    let needed = || {
        let mut all = case.needs.capabilities.iter();
        all.find_map(|(name, presence)| capability(in_format(name, case.format), *presence, findings))
    };
    let taken = capability(media, Presence::Supported, findings);
    taken.or_else(|| stance(case, findings.stance(case.format))).or_else(needed)
}

/// The capability by this name, of content in this format. Docker's schema speaks of lists of images only, so that a registry
/// may take an index that names an index, and no list that names a list.
fn in_format(name: &str, format: Format) -> &str {
    match (name, format) {
        ("index.nested", Format::Docker) => "list.nested",
        _ => name,
    }
}

/// A barrier of the case, from this step on, a second server, or repositories, that the target has not.
pub(super) fn barred(case: &CaseInstance, from: usize, barriers: &Barriers) -> Option<Skip> {
    if let Some(few) = pooled(case, barriers) {
        return Some(few);
    }
    if let Some(why) = barriers.alone.as_ref().filter(|_| is_skewed(case)) {
        return Some(Skip { reason: "no second server here".into(), evidence: why.clone() });
    }
    case.steps.iter().skip(from).find_map(|step| {
        let barrier = match &step.action {
            Action::Barrier(barrier) => *barrier,
            Action::Client(client) if let Some(why) = barriers.lacking.get(&client.name) => {
                return Some(Skip { reason: format!("{} cannot be used here", client.name), evidence: why.clone() });
            }
            Action::Usage(_) if let Some(why) = barriers.lacking.get(USAGE) => {
                return Some(Skip { reason: "its storage cannot be measured".into(), evidence: why.clone() });
            }
            _ => step.during?,
        };
        match (barriers.there.get(&barrier), barriers.missing.get(&barrier)) {
            (Some(true), _) => None,
            (Some(false), _) if step.during.is_none() => None,
            (Some(false), _) => Some(Skip {
                reason: format!("the target does not answer during {barrier}"),
                evidence: barriers
                    .silent
                    .get(&barrier)
                    .cloned()
                    .unwrap_or_else(|| format!("by its action `{barrier}`")),
            }),
            (None, Some(why)) => Some(Skip { reason: format!("no {barrier} here"), evidence: why.clone() }),
            (None, None) => Some(Skip { reason: format!("no {barrier} here"), evidence: no_action(barrier, barriers) }),
        }
    })
}

/// Where it would be said how a barrier is passed, and is not.
fn no_action(barrier: Barrier, barriers: &Barriers) -> String {
    let key = if barrier == Barrier::Expiry { "windows.expiry".to_owned() } else { format!("actions.{barrier}") };
    match barriers.profile.as_deref() {
        Some(profile) => format!("the profile {profile} has no `{key}` (docs/profiles.md)"),
        None => format!("it is asked without a profile, whose `{key}` would say how (docs/profiles.md)"),
    }
}

/// Where repositories are those of a pool: a case that has too few of them, or wants one that nobody ever pushed to.
fn pooled(case: &CaseInstance, barriers: &Barriers) -> Option<Skip> {
    let there = barriers.repositories?;
    let wanted = nicknames(case);
    if wanted.iter().any(|name| name == NOWHERE) {
        return Some(Skip {
            reason: "a pool has no repository that nobody pushes to".into(),
            evidence: "`repositories.pool` of its profile".into(),
        });
    }
    if wanted.iter().any(|name| name.contains('/')) {
        return Some(Skip {
            reason: "a pool has no repository below another".into(),
            evidence: "`repositories.pool` of its profile".into(),
        });
    }
    (wanted.len() > there).then(|| Skip {
        reason: format!("the pool is too small for {} repositories", wanted.len()),
        evidence: format!("`repositories.pool` of its profile names {there}"),
    })
}

fn capability(name: &str, needed: Presence, findings: &Findings) -> Option<Skip> {
    let Some(found) = findings.capabilities.get(name) else {
        // The probe finds all of them; should it not, a case that runs and fails is better than one that is lost.
        let reason = format!("{name} was not probed");
        return (needed == Presence::Absent).then(|| Skip { reason, evidence: String::new() });
    };
    let met = match needed {
        Presence::Supported => found.is != Is::Absent,
        Presence::Absent => found.is == Is::Absent,
    };
    let is = match found.is {
        Is::Supported => "supported",
        Is::Absent => "absent",
        Is::Broken => "broken",
    };
    (!met).then(|| Skip { reason: format!("{name} is {is}"), evidence: found.evidence.clone() })
}

fn stance(case: &CaseInstance, found: &StanceFinding) -> Option<Skip> {
    let needs = &case.needs;
    let format = match case.format {
        Format::Oci => "oci",
        Format::Docker => "docker",
    };
    let skip = |reason: String| Some(Skip { reason, evidence: found.evidence.clone() });
    let is = found.is;
    let taken = if is == StanceWord::Broken { StanceWord::Accept } else { is };
    if !needs.stance.is_empty() && !needs.stance.contains(&is) && !needs.stance.contains(&taken) {
        return skip(format!("{format} stance is {}", word(is)));
    }
    if is == StanceWord::Broken {
        return None;
    }
    if let Some(platform) = needs.required.as_ref().filter(|platform| !demands(found, platform)) {
        return skip(format!("{format} stance does not require {platform}"));
    }
    if let Some(platform) = needs.optional.as_ref().filter(|platform| may_demand(found, platform)) {
        return skip(format!("{format} stance requires {platform}"));
    }
    match needs.scope {
        Some(scope) if found.scope != Some(scope) => skip(match found.scope {
            Some(Scope::Repository) => format!("{format} scope is repository"),
            Some(Scope::Registry) => format!("{format} scope is registry"),
            None => format!("{format} stance has no scope"),
        }),
        _ => None,
    }
}

/// Whether an absent child of this platform, as written, is refused.
fn demands(found: &StanceFinding, platform: &str) -> bool {
    match found.is {
        StanceWord::Refuse => true,
        StanceWord::Require => found.platforms.iter().any(|demanded| demanded == platform),
        StanceWord::Accept | StanceWord::Broken => false,
    }
}

/// Whether it could be: some registries look at os and architecture only, and nothing tells which demanded variants
/// stand for others. A case that counts on acceptance must not.
fn may_demand(found: &StanceFinding, platform: &str) -> bool {
    let like = |demanded: &str| match (Platform::parse(demanded), Platform::parse(platform)) {
        (Some(demanded), Some(platform)) => demanded.is_like(&platform),
        _ => false,
    };
    demands(found, platform)
        || (found.is == StanceWord::Require && found.platforms.iter().any(|demanded| like(demanded)))
}

fn word(stance: StanceWord) -> &'static str {
    match stance {
        StanceWord::Accept => "accept",
        StanceWord::Refuse => "refuse",
        StanceWord::Require => "require",
        StanceWord::Broken => "broken",
    }
}
