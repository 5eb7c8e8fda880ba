//! Wrong about what a token is good for.

use super::super::caller::{Entering, Grant};
use super::auth_token::{grant, has_action};
use super::tools::*;

/// Whether somebody comes with a token that lives and covers another repository or action than is needed.
fn misfit(entering: &Entering, right: bool, wrong: fn(&Entering, &Grant) -> bool) -> bool {
    right || grant(entering).is_some_and(|grant| grant.is_alive() && !grant.scopes.is_empty() && wrong(entering, grant))
}

/// The names that a grant has a scope for.
fn names(grant: &Grant) -> impl Iterator<Item = &str> {
    grant.scopes.iter().filter_map(|scope| scope.strip_prefix("repository:")?.rsplit_once(':').map(|(name, _)| name))
}

/// Whether a grant has whatever action for the repository that is asked.
fn is_of_repository(entering: &Entering, grant: &Grant) -> bool {
    entering.asked.route.repository().is_some_and(|asked| names(grant).any(|name| name == asked))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "scope-repository-of-blobs-ignored",
        "A token to pull from one repository reads the blobs of all.",
        "token.scoped",
        &[Seam::Enter(|entering, right| {
            misfit(entering, right, |entering, grant| gets_blob(entering.asked) && has_action(grant, "pull"))
        })],
    ),
    Defect::new(
        "scope-repository-of-pushes-ignored",
        "A token to push to one repository puts manifests into all.",
        "token.scoped",
        &[Seam::Enter(|entering, right| {
            misfit(entering, right, |entering, grant| puts_manifest(entering.asked) && has_action(grant, "push"))
        })],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "scope-repository-of-tags-ignored",
        "A token to pull from one repository lists the tags of all.",
        "token.scoped",
        &[Seam::Enter(|entering, right| {
            misfit(entering, right, |entering, grant| lists_tags(entering.asked) && has_action(grant, "pull"))
        })],
    ),
    Defect::new(
        "scope-by-prefix",
        "A token for one repository opens whatever has a name that begins with its name.",
        "token.scoped",
        &[Seam::Enter(|entering, right| {
            misfit(entering, right, |entering, grant| {
                let asked = entering.asked.route.repository().unwrap_or_default();
                entering.asked.reads() && names(grant).any(|name| asked.starts_with(name))
            })
        })],
    ),
    Defect::new(
        "scope-by-suffix",
        "A token for a repository opens the ones above it.",
        "token.scoped",
        &[Seam::Enter(|entering, right| {
            misfit(entering, right, |entering, grant| {
                let asked = format!("{}/", entering.asked.route.repository().unwrap_or_default());
                entering.asked.reads() && names(grant).any(|name| name.starts_with(&asked))
            })
        })],
    ),
    Defect::new(
        "scope-action-ignored",
        "A token to pull from a repository puts manifests into it.",
        "token.scoped",
        &[Seam::Enter(|entering, right| {
            misfit(entering, right, |entering, grant| puts_manifest(entering.asked) && is_of_repository(entering, grant))
        })],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "scope-lacking-untold",
        "Who comes with a token to pull and wants to push is not told which scope is lacking.",
        "token.scoped-told",
        &[Seam::Finish(|asked, _, _, answer| {
            let bare = answer.header("www-authenticate").and_then(|text| text.split_once(",scope=")).map(|(a, _)| a.to_owned());
            let lacks = asks(&answer) && asked.header("authorization").is_some() && puts_manifest(asked);
            match bare.filter(|_| lacks) {
                Some(text) => answer.with("www-authenticate", &format!("{text},error=\"insufficient_scope\"")),
                None => answer,
            }
        })],
    ),
    Defect::new(
        "scope-of-sessions-ignored",
        "An upload that was begun is gone on with by any token of its repository.",
        "token.scoped",
        &[Seam::Enter(|entering, right| {
            misfit(entering, right, |entering, grant| {
                matches!(entering.asked.route, Route::Upload { .. }) && is_of_repository(entering, grant)
            })
        })],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "scope-of-deletes-ignored",
        "A token to pull from a repository deletes in it.",
        "token.scoped",
        &[Seam::Enter(|entering, right| {
            misfit(entering, right, |entering, grant| {
                let deletes = entering.need.is_some_and(|need| need.action == "delete");
                deletes && is_of_repository(entering, grant)
            })
        })],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "mount-source-unchecked",
        "A mount is held against the right to push where it goes, and not against the right to read where it comes from.",
        "token.mount",
        &[Seam::Enter(|entering, right| {
            let source = entering.need.is_some_and(|need| need.action == "pull");
            right || (source && matches!(entering.asked.route, Route::Uploads { .. }))
        })],
    )
    .also(&["auth.kept"]),
];
