//! Wrong about the platforms that a registry demands.

use super::super::config::Stance;
use super::tools::*;

/// The platforms that are demanded; none where the stance is another.
fn demanded<'a>(push: &'a Push<'a>) -> &'a [String] {
    match &push.view.config.stance {
        Stance::Require(platforms) => platforms,
        _ => &[],
    }
}

fn requires(push: &Push) -> bool {
    is_index(push) && !demanded(push).is_empty()
}

/// Whether the repository holds no index yet.
fn is_first_index(push: &Push) -> bool {
    let repository = push.view.state.repository(push.repository);
    !repository.is_some_and(|r| r.manifests.values().any(|stored| stored.manifest.kind == Kind::Index))
}

/// Two children alike but for their variant.
fn has_variants(push: &Push) -> bool {
    let platforms: Vec<&str> = push.manifest.children.iter().filter_map(|c| c.platform.as_deref()).collect();
    let alike = |a: &&str, b: &&str| a != b && without_variant(a) == without_variant(b);
    platforms.iter().any(|a| platforms.iter().any(|b| alike(a, b)))
}

/// Refuses what is right to take.
fn refuses(wrong: bool, push: &Push, right: Verdict) -> Verdict {
    match right {
        Ok(()) if wrong => {
            let digests = match push.missing.is_empty() {
                true => push.manifest.children.iter().map(|child| child.digest.clone()).take(1).collect(),
                false => push.missing.iter().map(|child| child.digest.clone()).collect::<Vec<_>>(),
            };
            Err(Problem::children_unknown(&digests))
        }
        right => right,
    }
}

fn architecture(platform: &str) -> &str {
    platform.split('/').nth(1).unwrap_or_default()
}

fn is_demanded(push: &Push, child: &Descriptor) -> bool {
    push.view.config.stance.demands(child.platform.as_deref())
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "require-all",
        "Of a repository's first index every child is demanded, not only those of the required platforms.",
        "index.require.taken",
        &[Seam::Accept(|push, right| refuses(requires(push) && has_gaps(push) && is_first_index(push), push, right))],
    )
    .also(&["index.refuse.status"])
    .when(stances::REQUIRE),
    Defect::new(
        "require-os-ignored",
        "Of a repository's first index a child is demanded for its architecture, whatever its operating system is.",
        "index.require.taken",
        &[Seam::Accept(|push, right| {
            let alike = |platform: &str| demanded(push).iter().any(|d| architecture(d) == architecture(platform));
            let wrong = push.missing.iter().any(|child| child.platform.as_deref().is_some_and(alike));
            refuses(requires(push) && wrong && is_first_index(push), push, right)
        })],
    )
    .when(stances::REQUIRE),
    Defect::new(
        "require-refuses-complete",
        "A complete index that has children of other platforms than the required ones is refused by digest.",
        "manifest.put.created",
        &[Seam::Accept(|push, right| {
            let others = push.manifest.children.iter().any(|child| !is_demanded(push, child));
            refuses(requires(push) && is_complete(push) && by_digest(push) && others, push, right)
        })],
    )
    .also(&["index.refuse.until-complete", "index.shape.taken"])
    .when(stances::REQUIRE),
    Defect::new(
        "require-first-platform-only",
        "Of a repository's first index only the first of the required platforms is demanded.",
        "index.require.refused",
        &[Seam::Accept(|push, right| {
            let first = demanded(push).iter().take(1).cloned().collect();
            let stance = Stance::Require(first);
            let refused = push.missing.iter().any(|child| stance.demands(child.platform.as_deref()));
            match requires(push) && is_refused(&right) && !refused && is_first_index(push) {
                true => Ok(()),
                false => right,
            }
        })],
    )
    .when(stances::REQUIRE),
    Defect::new(
        "require-nothing-there-taken",
        "An index of which no child is there at all is taken by digest, whatever is required.",
        "index.require.refused",
        &[Seam::Accept(|push, right| {
            let none = push.manifest.children.iter().all(|child| is_absent(push, child));
            match requires(push) && by_digest(push) && none && is_refused(&right) {
                true => Ok(()),
                false => right,
            }
        })],
    )
    .when(stances::REQUIRE),
    Defect::new(
        "require-code-invalid",
        "The refusal for a required platform is coded MANIFEST_INVALID.",
        "index.refuse.code",
        &[Seam::Accept(|push, right| match requires(push) {
            true => refused_otherwise(right, |problem| problem.coded("MANIFEST_INVALID")),
            false => right,
        })],
    )
    .when(stances::REQUIRE),
    Defect::new(
        "require-stored-anyway",
        "An index that is refused for a required platform is stored all the same.",
        "index.refuse.nothing-stored",
        &[Seam::Store(|change, right| match refused(change).filter(|push| requires(push)) {
            Some(push) => {
                let tag = push.reference.tag().map(|tag| set_tag(push.repository, tag, push.digest));
                plus(right, [store_manifest(push)].into_iter().chain(tag))
            }
            None => right,
        })],
    )
    .when(stances::REQUIRE),
    Defect::new(
        "require-not-named-500",
        "An index that does not name a required platform at all makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| {
            let children = &push.manifest.children;
            let marked = children.iter().any(|child| child.platform.is_some());
            let named = children.iter().any(|child| is_demanded(push, child));
            falls_over(requires(push) && marked && !named, right)
        })],
    )
    .when(stances::REQUIRE),
    Defect::new(
        "require-unmarked-500",
        "A child without platform makes a registry that requires platforms fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| {
            let unmarked = push.manifest.children.iter().any(|child| child.platform.is_none());
            falls_over(requires(push) && unmarked, right)
        })],
    )
    .when(stances::REQUIRE),
    Defect::new(
        "require-variant-500",
        "Children alike but for their variants make a registry that requires platforms fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| falls_over(requires(push) && has_variants(push), right))],
    )
    .also(&["index.refuse.status"])
    .when(stances::REQUIRE),
    Defect::new(
        "required-for-ever",
        "That a required child is absent is remembered of a tag: the index is refused again once the child is there.",
        "index.refuse.until-complete",
        &[Seam::Finish(|asked, _, memory, answer| {
            if !puts_manifest(asked) {
                return answer;
            }
            let refused = answer.status.is_client_error();
            refused_once(memory, asked.uri.path(), refused, answer)
        })],
    )
    .when(stances::REQUIRE),
];
