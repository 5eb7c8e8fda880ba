//! What is done with an index of which children are absent.

use futures_util::future::try_join_all;

use super::Question;
use super::answer::Answer;
use super::desk::Desk;
use super::graphs::{PLATFORMS, Set, platforms, present};
use crate::content::Node;
use crate::suite::model::{Scope, StanceWord};
use crate::target::findings::StanceFinding;

/// Finds the stance for the question's format.
pub(super) async fn find(desk: &Desk<'_>, question: &Question<'_>) -> StanceFinding {
    match question.build(&platforms()) {
        Ok(set) => {
            let found = ask(desk, &set, question).await.unwrap_or_else(broken);
            // A repository that never had a blob stops the collector of distribution 3 (registry/storage/garbagecollect.go:122-138)
            // long after the probe. It comes last: nothing that was asked may depend on it.
            if let Ok(ground) = set.get("ground") {
                let _ = desk.push_blob(question.main(), ground).await;
            }
            found
        }
        Err(evidence) => broken(evidence),
    }
}

fn finding(is: StanceWord, evidence: String) -> StanceFinding {
    StanceFinding { is, platforms: Vec::new(), scope: None, evidence }
}

fn broken(evidence: String) -> StanceFinding {
    finding(StanceWord::Broken, evidence)
}

async fn ask(desk: &Desk<'_>, set: &Set, question: &Question<'_>) -> Result<StanceFinding, String> {
    let main = question.main();
    let index = set.get("index")?;
    let tag = question.tag("none-present");
    let none = desk.put(main, &tag, index, "an index of 8 platforms, none present,").await?;
    if none.is_success() {
        return Ok(accepted(desk, main, &tag, index, &none).await);
    }
    if !none.is_refusal() {
        return Ok(broken(none.say()));
    }

    // It is refused. For its gaps, or whatever it is?
    let children: Vec<String> = (0..PLATFORMS.len()).map(present).collect();
    let children = set.all(&children)?;
    if let Err(not) = desk.push(main, &children).await {
        let evidence = format!("{}; its children cannot be pushed either: {}", none.say(), not.evidence);
        return Ok(finding(if not.refused { StanceWord::Refuse } else { StanceWord::Broken }, evidence));
    }
    let full = desk.put(main, &question.tag("all-present"), index, "the same with all present").await?;
    let evidence = format!("{}; {}", none.say(), full.say());
    if full.is_refusal() && !full.has_code("MANIFEST_BLOB_UNKNOWN") {
        // It takes no index of this type at all: see `media`.
        return Ok(finding(StanceWord::Refuse, evidence));
    }
    if !full.is_success() {
        return Ok(broken(evidence));
    }

    // For its gaps. Which of them does it mind?
    let names = (0..PLATFORMS.len()).map(|i| format!("lacks-{i}")).chain(["lacks-stranger".to_owned()]);
    let tag = question.tag("elsewhere");
    let elsewhere = async {
        match question.other() {
            Some(other) => {
                let what = "it where the children are in another repository,";
                desk.put(other, &tag, index, what).await.map(Some)
            }
            None => Ok(None),
        }
    };
    let (answers, elsewhere) = futures_util::future::try_join(put_all(desk, set, question, names), elsewhere).await?;
    let odd = answers.iter().zip(PLATFORMS.iter().chain(["a ninth platform"].iter())).find(|(a, _)| !is_clear(a));
    if let Some((answer, which)) = odd {
        return Ok(broken(format!("{}; with only {which} absent -> {}", none.say(), answer.outcome())));
    }
    let (scope, elsewhere) = match &elsewhere {
        // Where there is one repository, nobody can say.
        None => (None, "of another repository nothing was asked: the profile's pool has one".into()),
        Some(answer) if answer.is_success() => (Some(Scope::Registry), answer.say()),
        Some(answer) if answer.is_refusal() => (Some(Scope::Repository), answer.say()),
        Some(answer) => return Ok(broken(format!("{}; {}", none.say(), answer.say()))),
    };
    let found = refused(&none, &answers, &elsewhere, scope);
    if found.is != StanceWord::Require {
        return Ok(found);
    }
    // Is it the platform that decides, and not the place in the list?
    let reversed = put_all(desk, set, question, (0..PLATFORMS.len()).map(|i| format!("reversed-{i}"))).await?;
    let differs = |((a, b), _): &((&Answer, &Answer), _)| a.is_refusal() != b.is_refusal() || !is_clear(b);
    Ok(match answers.iter().zip(&reversed).zip(PLATFORMS).find(differs) {
        None => found,
        Some(((one, other), platform)) => broken(format!(
            "{}; with only {platform} absent -> {}, with the children in reverse order -> {}",
            none.say(),
            one.outcome(),
            other.outcome()
        )),
    })
}

/// Puts indexes by name, at once; each under a tag of its own.
async fn put_all(
    desk: &Desk<'_>,
    set: &Set,
    question: &Question<'_>,
    names: impl Iterator<Item = String>,
) -> Result<Vec<Answer>, String> {
    let put = |name: String| async move {
        let node = set.get(&name)?;
        desk.put(question.main(), &question.tag(&name), node, "one").await
    };
    try_join_all(names.map(put)).await
}

/// Whether an index was taken or refused, and not something else.
fn is_clear(answer: &Answer) -> bool {
    answer.is_success() || answer.is_refusal()
}

/// The answers to each one left out become `refuse` or `require`.
fn refused(none: &Answer, answers: &[Answer], elsewhere: &str, scope: Option<Scope>) -> StanceFinding {
    let (named, stranger) = answers.split_at(PLATFORMS.len().min(answers.len()));
    let demanded: Vec<String> = PLATFORMS
        .iter()
        .zip(named)
        .filter(|(_, answer)| answer.is_refusal())
        .map(|(platform, _)| (*platform).to_owned())
        .collect();
    let outcome = |wanted: fn(&Answer) -> bool| {
        answers.iter().find(|answer| wanted(answer)).map(Answer::outcome).unwrap_or_default()
    };
    let (refusal, accepted) = (outcome(Answer::is_refusal), outcome(Answer::is_success));
    if demanded.len() == PLATFORMS.len() && stranger.iter().any(Answer::is_refusal) {
        let evidence = format!("{}; each one alone absent -> {refusal}; {elsewhere}", none.say());
        return StanceFinding { is: StanceWord::Refuse, platforms: Vec::new(), scope, evidence };
    }
    if demanded.is_empty() {
        // No set of platforms explains that none may be left out together and any alone.
        return broken(format!("{}; yet with any one alone absent -> {accepted}", none.say()));
    }
    let evidence = format!(
        "{}; {} alone absent -> {refusal}; others alone absent -> {accepted}; {elsewhere}",
        none.say(),
        demanded.join(" or "),
    );
    StanceFinding { is: StanceWord::Require, platforms: demanded, scope, evidence }
}

/// It was taken: then it must be there, as it was.
async fn accepted(desk: &Desk<'_>, main: &str, tag: &str, index: &Node, put: &Answer) -> StanceFinding {
    if put.names_other(index) {
        return broken(format!("{} with the digest of something else", put.say()));
    }
    let by_digest = desk.read(main, index.digest.as_str(), "it by digest");
    let (by_tag, by_digest) = futures_util::future::join(desk.read(main, tag, "it by tag"), by_digest).await;
    let evidence = format!("{}; {}; {}", put.say(), by_tag.say(), by_digest.say());
    match [&by_tag, &by_digest].into_iter().find(|answer| !answer.serves(index)) {
        None => finding(StanceWord::Accept, evidence),
        Some(lost) if lost.is(200) => broken(format!("{evidence}, with other bytes or another digest")),
        Some(_) => broken(evidence),
    }
}
