//! What a profile says of its product, held against what the probe found. A contradicted claim fails the run.

use std::collections::BTreeSet;

use serde::Serialize;

use super::findings::{Findings, Is, StanceFinding, is_declared};
use super::probe::{PLATFORMS, says_nothing};
use super::profile::{Claims, StanceClaim};
use crate::content::graph::Format;
use crate::suite::model::{Scope, StanceWord};

/// One claim and what came of it: a case that nobody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClaimCheck {
    /// `stance/claims/oci`, `stance/claims/delete.tag`.
    pub id: String,
    /// As claimed: `refuse`, `require: [linux/amd64]`, `absent`.
    pub claimed: String,
    /// As found, in the same words.
    pub found: String,
    /// What was asked and what came.
    pub evidence: String,
    /// Whether the finding bears the claim out.
    pub holds: bool,
    /// Whether it was not found out at all: nobody answered in time, or had the time to (429, 503). That contradicts nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unasked: bool,
}

impl ClaimCheck {
    /// Of a format or capability that bears the claim out or not, and that is broken or not.
    fn of(name: &str, claimed: String, found: String, evidence: &str, (holds, broken): (bool, bool)) -> ClaimCheck {
        let unasked = !holds && broken && says_nothing(evidence);
        ClaimCheck {
            id: format!("stance/claims/{name}"),
            claimed,
            found,
            evidence: evidence.to_owned(),
            holds,
            unasked,
        }
    }

    /// A sentence for reports.
    pub fn text(&self) -> String {
        if self.unasked {
            return format!("claimed `{}`, and could not be found out: {}", self.claimed, self.evidence);
        }
        let word = if self.holds { "and is found" } else { "but is found" };
        format!("claimed `{}` {word} `{}`: {}", self.claimed, self.found, self.evidence)
    }
}

/// Every claim of a profile: formats first, then capabilities, each in the order of names.
pub fn compare(claims: &Claims, findings: &Findings) -> Vec<ClaimCheck> {
    let stances = claims.stance.iter().filter_map(|(format, claim)| {
        let finding = match format.as_str() {
            "oci" => findings.stance(Format::Oci),
            "docker" => findings.stance(Format::Docker),
            // Refused when the profile was loaded.
            _ => return None,
        };
        let holds = stance_holds(claim, finding);
        let broken = finding.is == StanceWord::Broken;
        Some(ClaimCheck::of(format, claimed(claim), found(finding), &finding.evidence, (holds, broken)))
    });
    // What is only declared was not found out, so nothing was held against it.
    let probed = claims.capabilities.iter().filter(|(name, _)| !is_declared(name));
    let capabilities = probed.filter_map(|(name, claim)| {
        let finding = findings.capabilities.get(name)?;
        let (claimed, found) = (is(*claim).to_owned(), is(finding.is).to_owned());
        let (holds, broken) = (*claim == finding.is, finding.is == Is::Broken);
        Some(ClaimCheck::of(name, claimed, found, &finding.evidence, (holds, broken)))
    });
    stances.chain(capabilities).collect()
}

/// A claimed stance, in the profile's words.
pub fn claimed(claim: &StanceClaim) -> String {
    match claim {
        StanceClaim::Word(is) => word(*is).to_owned(),
        StanceClaim::Require { require } => format!("require: [{}]", require.join(", ")),
        StanceClaim::Refuse { refuse } => format!("refuse: {}", scope(*refuse)),
    }
}

/// A found stance, in the profile's words.
pub fn found(finding: &StanceFinding) -> String {
    match (finding.is, finding.scope) {
        (StanceWord::Require, _) => format!("require: [{}]", finding.platforms.join(", ")),
        (StanceWord::Refuse, Some(where_to)) => format!("refuse: {}", scope(where_to)),
        (is, _) => word(is).to_owned(),
    }
}

fn stance_holds(claim: &StanceClaim, finding: &StanceFinding) -> bool {
    match claim {
        StanceClaim::Word(is) => *is == finding.is,
        // Of a pool of one repository nobody can say where a child is looked for, and nothing contradicts the claim.
        StanceClaim::Refuse { refuse } => {
            finding.is == StanceWord::Refuse && finding.scope.is_none_or(|scope| scope == *refuse)
        }
        StanceClaim::Require { require } => {
            // Of platforms that the probe does not ask for, nothing is found, and nothing contradicts the claim.
            let asked = |name: &&str| PLATFORMS.iter().any(|platform| same(platform, name));
            let claimed: BTreeSet<(&str, &str)> = require.iter().map(String::as_str).filter(asked).map(pair).collect();
            let found: BTreeSet<(&str, &str)> = finding.platforms.iter().map(|platform| pair(platform)).collect();
            match finding.is {
                StanceWord::Require => claimed == found,
                StanceWord::Accept => claimed.is_empty(),
                StanceWord::Refuse | StanceWord::Broken => false,
            }
        }
    }
}

/// Os and architecture: registries that require platforms do not look at the variant, and the probe asks for one of each.
fn pair(platform: &str) -> (&str, &str) {
    let mut parts = platform.split('/');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

fn same(a: &str, b: &str) -> bool {
    pair(a) == pair(b)
}

/// The stance's word.
pub fn word(is: StanceWord) -> &'static str {
    match is {
        StanceWord::Accept => "accept",
        StanceWord::Refuse => "refuse",
        StanceWord::Require => "require",
        StanceWord::Broken => "broken",
    }
}

/// The capability's word.
pub fn is(is: Is) -> &'static str {
    match is {
        Is::Supported => "supported",
        Is::Absent => "absent",
        Is::Broken => "broken",
    }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Repository => "repository",
        Scope::Registry => "registry",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::target::findings::Finding;

    fn findings(oci: StanceFinding) -> Findings {
        let docker =
            StanceFinding { is: StanceWord::Broken, platforms: vec![], scope: None, evidence: "PUT -> 500".into() };
        let delete = Finding { is: Is::Absent, evidence: "DELETE manifests/<tag> -> 405".into() };
        Findings {
            oci,
            docker,
            capabilities: [("delete.tag".to_owned(), delete)].into(),
            read_window: 0.0,
            delete_window: 0.0,
            write_seen: true,
            delete_seen: true,
            seconds: 0.0,
            requests: 0,
        }
    }

    fn found_as(is: StanceWord, platforms: &[&str], scope: Option<Scope>) -> StanceFinding {
        let platforms = platforms.iter().map(|p| (*p).to_owned()).collect();
        StanceFinding { is, platforms, scope, evidence: "PUT -> 400".into() }
    }

    fn holds(yaml: &str, finding: StanceFinding) -> bool {
        let claims: Claims = serde_saphyr::from_str(&format!("stance: {{oci: {yaml}}}")).unwrap();
        compare(&claims, &findings(finding)).first().unwrap().holds
    }

    #[test]
    fn a_word_stands_for_every_scope_and_a_scope_for_itself() {
        let refuse = || found_as(StanceWord::Refuse, &[], Some(Scope::Repository));
        assert!(holds("refuse", refuse()));
        assert!(holds("{refuse: repository}", refuse()));
        assert!(!holds("{refuse: registry}", refuse()));
        assert!(!holds("accept", refuse()));
        assert!(!holds("{require: [linux/amd64]}", refuse()));
    }

    #[test]
    fn required_platforms_are_compared_by_os_and_architecture() {
        let require = || found_as(StanceWord::Require, &["linux/amd64", "linux/arm/v7"], Some(Scope::Repository));
        assert!(holds("{require: [linux/arm, linux/amd64]}", require()));
        assert!(holds("{require: [linux/arm/v6, linux/amd64, linux/mips64le]}", require()));
        assert!(!holds("{require: [linux/amd64]}", require()));
        assert!(holds("require", require()));
        assert!(holds("{require: [linux/mips64le]}", found_as(StanceWord::Accept, &[], None)));
    }

    #[test]
    fn a_contradiction_says_both_words_and_the_evidence() {
        let claims: Claims = serde_saphyr::from_str("stance: {docker: accept}\ndelete.tag: supported\n").unwrap();
        let checks = compare(&claims, &findings(found_as(StanceWord::Accept, &[], None)));
        let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
        assert_eq!(ids, ["stance/claims/docker", "stance/claims/delete.tag"]);
        assert!(checks.iter().all(|check| !check.holds));
        assert_eq!(
            checks.last().unwrap().text(),
            "claimed `supported` but is found `absent`: DELETE manifests/<tag> -> 405"
        );
    }
}
