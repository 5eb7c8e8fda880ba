//! Wrong about who is let in.

use axum::http::Method;

use super::super::caller::{self, Caller, Entering};
use super::tools::*;

/// Whether a closed registry lets somebody in who has no right to it, where this holds of the request.
fn unprotected(entering: &Entering, right: bool, wrong: fn(&Asked) -> bool) -> bool {
    right || (!entering.auth.anonymous_pull && *entering.caller == Caller::Nobody && wrong(entering.asked))
}

/// The same of a registry whose pulls are open.
fn public(entering: &Entering, right: bool, wrong: fn(&Asked) -> bool) -> bool {
    right || (entering.auth.anonymous_pull && *entering.caller == Caller::Nobody && wrong(entering.asked))
}

/// Whether a registry whose pulls are open keeps somebody out of one.
fn shut(entering: &Entering, right: bool, wrong: fn(&Asked) -> bool) -> bool {
    right && !(entering.auth.anonymous_pull && *entering.caller == Caller::Nobody && wrong(entering.asked))
}

fn by_digest_read(asked: &Asked) -> bool {
    asked.reads() && asked.route.reference().is_some_and(|reference| reference.contains(':'))
}

fn in_session(asked: &Asked) -> bool {
    matches!(asked.route, Route::Upload { .. })
}

fn mounts(asked: &Asked) -> bool {
    matches!(asked.route, Route::Uploads { .. }) && asked.query.get("mount").is_some()
}

fn lists_referrers(asked: &Asked) -> bool {
    asked.reads() && matches!(asked.route, Route::Referrers { .. })
}

fn deletes(asked: &Asked) -> bool {
    asked.method == Method::DELETE && !in_session(asked)
}

/// The name that Basic credentials begin with.
fn user(asked: &Asked) -> Option<String> {
    caller::basic(asked)?.split_once(':').map(|(user, _)| user.to_owned())
}

/// Whether a stranger comes with Basic credentials of a name that is known, or is not.
fn stranger(entering: &Entering, known: bool) -> bool {
    let named = user(entering.asked).filter(|user| !user.is_empty());
    *entering.caller == Caller::Stranger
        && entering.asked.route != Route::Token
        && named.is_some_and(|user| entering.auth.users.contains_key(&user) == known)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "blobs-unprotected",
        "GET of a blob is open to anybody who knows its digest.",
        "auth.closed",
        &[Seam::Enter(|entering, right| unprotected(entering, right, gets_blob))],
    ),
    Defect::new(
        "blob-heads-unprotected",
        "HEAD of a blob is open to anybody.",
        "auth.closed",
        &[Seam::Enter(|entering, right| unprotected(entering, right, heads_blob))],
    ),
    Defect::new(
        "digests-unprotected",
        "HEAD of a manifest by its digest is open to anybody.",
        "auth.closed",
        &[Seam::Enter(|entering, right| {
            unprotected(entering, right, |asked| by_digest_read(asked) && heads_manifest(asked))
        })],
    ),
    Defect::new(
        "ranges-unprotected",
        "A part of a blob is open to anybody.",
        "auth.closed",
        &[Seam::Enter(|entering, right| {
            unprotected(entering, right, |asked| gets_blob(asked) && asked.header("range").is_some())
        })],
    ),
    Defect::new(
        "tags-unprotected",
        "The list of tags is open to anybody.",
        "auth.closed",
        &[Seam::Enter(|entering, right| unprotected(entering, right, lists_tags))],
    ),
    Defect::new(
        "referrers-unprotected",
        "The list of referrers is open to anybody: it came later than the rules for the rest.",
        "auth.closed",
        &[Seam::Enter(|entering, right| unprotected(entering, right, lists_referrers))],
    ),
    Defect::new(
        "sessions-unprotected",
        "An upload that somebody began is open to anybody who knows its address.",
        "auth.closed",
        &[Seam::Enter(|entering, right| unprotected(entering, right, in_session))],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "pushes-unprotected",
        "PUT of a manifest is open to anybody.",
        "auth.closed",
        &[Seam::Enter(|entering, right| unprotected(entering, right, puts_manifest))],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "mounts-unprotected",
        "A mount is open to anybody.",
        "auth.closed",
        &[Seam::Enter(|entering, right| unprotected(entering, right, mounts))],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "deletes-unprotected",
        "DELETE of a manifest or a blob is open to anybody.",
        "auth.closed",
        &[Seam::Enter(|entering, right| unprotected(entering, right, deletes))],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "cache-before-credentials",
        "A cache before the registry gives what it kept without asking who wants it.",
        "auth.closed",
        &[Seam::Finish(|asked, _, memory, answer| {
            let key = asked.uri.to_string();
            let kept =
                asked.method == Method::GET && asked.header("range").is_none() && asked.route.repository().is_some();
            if kept && answer.status == StatusCode::OK {
                memory.keep(&key, &answer);
            }
            match memory.recall(&key).filter(|_| kept && asks(&answer)) {
                Some(before) => before,
                None => answer,
            }
        })],
    ),
    Defect::new(
        "basic-password-unchecked",
        "The name of a user is enough: the password is not looked at.",
        "auth.refused",
        &[Seam::Enter(|entering, right| right || stranger(entering, true))],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "basic-user-unknown-let-in",
        "A user who is not known is let in with whatever password.",
        "auth.refused",
        &[Seam::Enter(|entering, right| right || stranger(entering, false))],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "wrong-password-locks-out",
        "After a wrong password nobody is let in any more, though the registry says that it takes no measures.",
        "auth.kept",
        &[Seam::Finish(|asked, _, memory, answer| {
            let wrong = user(asked).is_some() && asks(&answer) && asked.route != Route::Token;
            if wrong {
                memory.keep("locked", &answer);
            }
            let locked = answer.status == StatusCode::OK && gets_manifest(asked);
            match memory.recall("locked").filter(|_| locked) {
                Some(refusal) => refusal,
                None => answer,
            }
        })],
    ),
    Defect::new(
        "public-heads-closed",
        "Who may pull without saying who they are is refused HEAD, with which clients begin.",
        "auth.open",
        &[Seam::Enter(|entering, right| shut(entering, right, heads_manifest))],
    ),
    Defect::new(
        "public-blobs-closed",
        "Manifests are open, and their blobs are not.",
        "auth.open",
        &[Seam::Enter(|entering, right| shut(entering, right, gets_blob))],
    ),
    Defect::new(
        "public-tags-closed",
        "Manifests are open, and the list of tags is not.",
        "auth.open-list",
        &[Seam::Enter(|entering, right| shut(entering, right, lists_tags))],
    ),
    Defect::new(
        "public-referrers-closed",
        "Manifests are open, and the list of referrers is not.",
        "auth.open-list",
        &[Seam::Enter(|entering, right| shut(entering, right, lists_referrers))],
    ),
    Defect::new(
        "public-pushes",
        "What is open for pulls is open for manifests that anybody puts.",
        "auth.closed",
        &[Seam::Enter(|entering, right| public(entering, right, puts_manifest))],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "public-uploads",
        "What is open for pulls is open for uploads that somebody else began.",
        "auth.closed",
        &[Seam::Enter(|entering, right| public(entering, right, in_session))],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "public-deletes",
        "What is open for pulls is open for deletions.",
        "auth.closed",
        &[Seam::Enter(|entering, right| public(entering, right, deletes))],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "public-wrong-500",
        "Wrong credentials at what is open make the registry fall over.",
        "auth.open-wrong",
        &[Seam::Finish(|asked, view, _, answer| {
            let open = view.config.auth.as_ref().is_some_and(|auth| auth.anonymous_pull);
            let known = |user: &String| view.config.auth.as_ref().is_some_and(|auth| auth.users.contains_key(user));
            let wrong =
                user(asked).is_some_and(|user| !known(&user) || user.is_empty()) || is_wrong_password(asked, view);
            changed(open && wrong && gets_manifest(asked), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "public-pushes-by-wrong",
        "Where pulls are open, wrong credentials are taken for good ones at a push.",
        "auth.refused",
        &[Seam::Enter(|entering, right| {
            let wrong = stranger(entering, true) || stranger(entering, false);
            right || (entering.auth.anonymous_pull && wrong && puts_manifest(entering.asked))
        })],
    )
    .also(&["auth.kept"]),
];

/// Whether it is sent with a known name and another password.
fn is_wrong_password(asked: &Asked, view: &View) -> bool {
    let pair = caller::basic(asked);
    let pair = pair.as_deref().and_then(|text| text.split_once(':'));
    let users = view.config.auth.as_ref().map(|auth| &auth.users);
    pair.zip(users).is_some_and(|((user, password), users)| users.get(user).is_some_and(|known| known != password))
}
