//! Wrong about the names of repositories.

use super::super::question::Listing;
use super::super::route::is_name;
use super::missing::recoded;
use super::tools::*;

/// The words of the paths, which a name may have for components too.
const WORDS: [&str; 5] = ["blobs", "manifests", "tags", "uploads", "referrers"];

fn name(asked: &Asked) -> &str {
    asked.route.repository().unwrap_or_default()
}

/// A request for a name that the grammar does not allow.
fn is_odd(asked: &Asked) -> bool {
    let name = name(asked);
    !name.is_empty() && name.len() <= 255 && !is_name(name)
}

fn by_tag(asked: &Asked) -> bool {
    asked.route.reference().is_some_and(|reference| !reference.contains(':'))
}

/// What a read of a tag is answered in a repository, where it leads to something.
fn read_in(view: &View, repository: &str, reference: &str) -> Option<Answer> {
    let digest = match Digest::parse(reference) {
        Some(digest) => digest,
        None => view.state.tag(repository, reference)?.clone(),
    };
    let served = served(*view, repository, &digest)?;
    let answer = Answer::new(StatusCode::OK).with("content-type", &served.media_type);
    Some(answer.with("docker-content-digest", served.digest.as_str()).body(served.body.to_bytes()))
}

/// The answer of another repository to a read of a manifest, where it has one.
pub(super) fn read_elsewhere(asked: &Asked, view: &View, repository: &str, answer: Answer) -> Answer {
    let reference = asked.route.reference().filter(|_| asked.reads());
    reference.and_then(|reference| read_in(view, repository, reference)).unwrap_or(answer)
}

/// A name as that of a folder in which separators count for nothing.
fn folded(name: &str) -> String {
    let mut folded = String::new();
    for c in name.chars() {
        let c = if matches!(c, '.' | '-') { '_' } else { c };
        if c != '_' || !folded.ends_with('_') {
            folded.push(c);
        }
    }
    folded
}

/// The first repository that has the same folder.
fn in_one_folder(lookup: &Lookup) -> Option<Served> {
    let tag = lookup.reference.tag()?;
    let mut all = lookup.view.state.repositories.iter();
    let (name, found) = all.find(|(name, held)| folded(name) == folded(lookup.repository) && !held.tags.is_empty())?;
    served(lookup.view, name, found.tags.get(tag)?)
}

fn below(listing: &Listing, mut tags: Vec<String>) -> Vec<String> {
    let inside = format!("{}/", listing.repository);
    let held = listing.view.state.repositories.iter().filter(|(name, _)| name.starts_with(&inside));
    tags.extend(held.flat_map(|(_, held)| held.tags.keys().cloned()));
    tags.sort();
    tags.dedup();
    tags
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "odd-name-coded-unsupported",
        "The refusal of a name outside the grammar is coded UNSUPPORTED.",
        "error.code.name",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(is_odd(asked) && answer.status.is_client_error(), answer, |a| recoded(a, |_| "UNSUPPORTED".into()))
        })],
    ),
    Defect::new(
        "name-cut-at-path-word",
        "A tag is looked for in the repository before the first word of a path: one that is called so is not found.",
        "name.taken",
        &[Seam::Finish(|asked, _, _, answer| {
            let cut = name(asked).split('/').any(|component| WORDS.contains(&component));
            changed(cut && by_tag(asked) && asked.reads(), answer, |_| Problem::name_unknown(name(asked)).into())
        })],
    ),
    Defect::new(
        "name-of-last-component",
        "A list of tags names the last component of its repository alone, where that is no word.",
        "tags.form",
        &[Seam::Finish(|asked, _, _, answer| {
            let short = name(asked).rsplit('/').next().unwrap_or_default();
            let is_word = short.contains('-') && short.len() < 100;
            changed(lists_tags(asked) && answer.status.is_success() && !is_word, answer, |a| {
                let mut value = a.value().unwrap_or_default();
                if let Some(object) = value.as_object_mut() {
                    object.insert("name".into(), short.into());
                }
                a.body(value.to_string())
            })
        })],
    ),
    Defect::new(
        "name-separators-folded",
        "Repositories whose names differ in a separator alone lie in one folder: the tags of one are those of all.",
        "name.taken",
        &[Seam::Resolve(|lookup, right| in_one_folder(lookup).or(right))],
    )
    .also(&["manifest.get.absent"]),
    Defect::new(
        "name-double-underscore-refused",
        "A tag cannot be pushed to a repository with two underscores in its name.",
        "name.taken",
        &[Seam::Hear(|asked, _, right| {
            let wrong = puts_manifest(asked) && by_tag(asked) && name(asked).contains("__");
            let problem = || Problem::name_unknown(name(asked)).coded("NAME_INVALID").status(StatusCode::BAD_REQUEST);
            if wrong { Err(problem()) } else { right }
        })],
    ),
    Defect::new(
        "name-lists-those-below",
        "The list of a repository's tags has those of the repositories below it.",
        "tags.complete",
        &[Seam::List(below)],
    ),
    Defect::new(
        "odd-name-taken",
        "An upload is begun whatever the name of the repository.",
        "name.refused",
        &[Seam::Finish(|asked, _, _, answer| {
            let begun = is_odd(asked) && matches!(asked.route, Route::Uploads { .. });
            changed(begun, answer, |_| Answer::new(StatusCode::ACCEPTED).with("location", "/v2/_uploads/1"))
        })],
    ),
    Defect::new(
        "odd-name-500",
        "A name outside the grammar makes the registry fall over.",
        "name.answered",
        &[Seam::Finish(|asked, _, _, answer| changed(is_odd(asked), answer, |_| fault().into()))],
    ),
    Defect::new(
        "odd-name-is-its-parent",
        "A component that no name can have is passed over: the repository above it is read.",
        "name.unread",
        &[Seam::Finish(|asked, view, _, answer| match name(asked).rsplit_once('/') {
            Some((above, _)) if is_odd(asked) => read_elsewhere(asked, view, above, answer),
            _ => answer,
        })],
    ),
    Defect::new(
        "name-case-folded",
        "Capitals in a name are read as small letters.",
        "name.unread",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(is_odd(asked), answer, |a| read_elsewhere(asked, view, &name(asked).to_ascii_lowercase(), a))
        })],
    ),
    Defect::new(
        "long-name-500",
        "A name that is longer than a file's may be makes the registry fall over.",
        "name.answered",
        &[Seam::Finish(|asked, _, _, answer| changed(name(asked).len() > 255, answer, |_| fault().into()))],
    ),
];
