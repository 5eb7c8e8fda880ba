//! Wrong about requests with a condition, and about tags in the query of a push.

use super::tools::*;

fn reads_manifest(asked: &Asked) -> bool {
    gets_manifest(asked) || heads_manifest(asked)
}

fn has_condition(asked: &Asked) -> bool {
    asked.header("if-match").is_some() || asked.header("if-none-match").is_some()
}

fn puts_if_match(asked: &Asked) -> bool {
    puts_manifest(asked) && asked.header("if-match").is_some()
}

fn created(asked: &Asked, answer: &Answer) -> bool {
    puts_manifest(asked) && answer.status == StatusCode::CREATED
}

/// A refusal for a condition.
fn failed() -> Answer {
    Problem::new(StatusCode::PRECONDITION_FAILED, "DENIED", "the condition does not hold", serde_json::Value::Null)
        .into()
}

/// How many tags a push asks for in its query.
pub(super) fn asked_tags(asked: &Asked) -> Vec<&str> {
    if puts_manifest(asked) { asked.query.all("tag").collect() } else { Vec::new() }
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "if-none-match-unquoted-500",
        "An If-None-Match of anything but one quoted text makes the registry fall over.",
        "manifest.get.conditional",
        &[Seam::Finish(|asked, _, _, answer| {
            let odd = asked.header("if-none-match").is_some_and(|tag| !tag.starts_with('"') || tag.contains(','));
            changed(reads_manifest(asked) && odd, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "absent-not-modified",
        "If-None-Match is answered with 304 where nothing is there.",
        "manifest.get.absent",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = reads_manifest(asked) && asked.header("if-none-match").is_some();
            changed(wrong && answer.status == StatusCode::NOT_FOUND, answer, |_| Answer::new(StatusCode::NOT_MODIFIED))
        })],
    )
    .also(&["manifest.head.absent"]),
    Defect::new(
        "put-condition-500",
        "A push with a condition makes the registry fall over.",
        "manifest.put.conditional",
        &[Seam::Hear(|asked, _, right| falls_over(puts_manifest(asked) && has_condition(asked), right))],
    ),
    Defect::new(
        "put-not-modified",
        "A push with If-None-Match is answered with 304, as a read would be.",
        "manifest.put.conditional",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = created(asked, &answer) && asked.header("if-none-match").is_some();
            changed(wrong, answer, |_| Answer::new(StatusCode::NOT_MODIFIED))
        })],
    )
    .also(&["manifest.put.precondition-holds"]),
    Defect::new(
        "put-condition-checked-after",
        "The condition of a push is looked at when the tag has been moved: 412 is the answer, and it was done.",
        "index.refuse.tag-untouched",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = puts_if_match(asked) && answer.status == StatusCode::CREATED;
            changed(wrong, answer, |_| failed())
        })],
    )
    .also(&["index.refuse.nothing-stored"]),
    Defect::new(
        "put-free-tag-conditioned-refused",
        "A push with If-None-Match: * is refused, though the tag is free.",
        "manifest.put.precondition-holds",
        &[Seam::Hear(|asked, _, right| match puts_manifest(asked) && asked.header("if-none-match") == Some("*") {
            true => Err(Problem::new(
                StatusCode::PRECONDITION_FAILED,
                "DENIED",
                "a manifest is there",
                serde_json::Value::Null,
            )),
            false => right,
        })],
    ),
    Defect::new(
        "query-tags-500",
        "A push with more than one tag in its query makes the registry fall over.",
        "manifest.put.tags-answered",
        &[Seam::Hear(|asked, _, right| falls_over(asked_tags(asked).len() > 1, right))],
    ),
    Defect::new(
        "query-tags-unsaid",
        "Tags in the query of a push are set, and OCI-Tag does not say so.",
        "manifest.put.tags-said",
        &[Seam::Finish(|asked, _, _, answer| changed(!asked_tags(asked).is_empty(), answer, |a| a.without("oci-tag")))],
    ),
    Defect::new(
        "query-tags-first-only",
        "Of the tags in the query of a push the first is set; OCI-Tag names all.",
        "manifest.put.tags-true",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) => {
                let further = |tag: &String| push.tags.iter().skip(1).any(|other| other == tag);
                right.into_iter().filter(|write| !matches!(write, Write::Tag { tag, .. } if further(tag))).collect()
            }
            None => right,
        })],
    ),
    Defect::new(
        "query-tags-five",
        "A push with more than five tags in its query is refused.",
        "manifest.put.tags-ten",
        &[Seam::Hear(|asked, _, right| match asked_tags(asked).len() > 5 {
            true => Err(Problem::bad_request("too many tags").status(StatusCode::URI_TOO_LONG)),
            false => right,
        })],
    ),
];
