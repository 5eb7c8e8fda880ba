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
        Ok(set) => ask(desk, &set, question.main(), question.other()).await.unwrap_or_else(broken),
        Err(evidence) => broken(evidence),
    }
}

fn finding(is: StanceWord, evidence: String) -> StanceFinding {
    StanceFinding { is, platforms: Vec::new(), scope: None, evidence }
}

fn broken(evidence: String) -> StanceFinding {
    finding(StanceWord::Broken, evidence)
}

async fn ask(desk: &Desk<'_>, set: &Set, main: &str, other: &str) -> Result<StanceFinding, String> {
    let index = set.get("index")?;
    let none = desk.put(main, "none-present", index, "an index of 8 platforms, none present,").await?;
    if none.is_success() {
        return Ok(accepted(desk, main, index, &none).await);
    }
    if !none.is_refusal() {
        return Ok(broken(none.say()));
    }

    // It is refused. For its gaps, or whatever it is?
    let children: Vec<String> = (0..PLATFORMS.len()).map(present).collect();
    let children = set.all(&children)?;
    if let Err(evidence) = desk.push(main, &children).await {
        return Ok(finding(
            StanceWord::Refuse,
            format!("{}; its children cannot be pushed either: {evidence}", none.say()),
        ));
    }
    let full = desk.put(main, "all-present", index, "the same with all present").await?;
    if full.is_refusal() {
        return Ok(finding(StanceWord::Refuse, format!("{}; {}", none.say(), full.say())));
    }
    if !full.is_success() {
        return Ok(broken(format!("{}; {}", none.say(), full.say())));
    }

    // For its gaps. Which of them does it mind?
    let lacks = |name: String| async move {
        let node = set.get(&format!("lacks-{name}"))?;
        desk.put(main, &format!("lacks-{name}"), node, "one").await
    };
    let names = (0..PLATFORMS.len()).map(|i| i.to_string()).chain(["stranger".to_owned()]);
    let (answers, elsewhere) = futures_util::future::try_join(
        try_join_all(names.map(lacks)),
        desk.put(other, "elsewhere", index, "it where the children are in another repository,"),
    )
    .await?;
    let odd = answers.iter().enumerate().find(|(_, answer)| !answer.is_success() && !answer.is_refusal());
    if let Some((i, answer)) = odd {
        let which = PLATFORMS.get(i).copied().unwrap_or("a ninth platform");
        return Ok(broken(format!("{}; with only {which} absent -> {}", none.say(), answer.outcome())));
    }
    let scope = match &elsewhere {
        answer if answer.is_success() => Some(Scope::Registry),
        answer if answer.is_refusal() => Some(Scope::Repository),
        _ => return Ok(broken(format!("{}; {}", none.say(), elsewhere.say()))),
    };
    Ok(refused(&none, &answers, &elsewhere, scope))
}

/// The answers to each one left out become `refuse` or `require`.
fn refused(none: &Answer, answers: &[Answer], elsewhere: &Answer, scope: Option<Scope>) -> StanceFinding {
    let (named, stranger) = answers.split_at(PLATFORMS.len().min(answers.len()));
    let demanded: Vec<String> = PLATFORMS
        .iter()
        .zip(named)
        .filter(|(_, answer)| answer.is_refusal())
        .map(|(platform, _)| (*platform).to_owned())
        .collect();
    let everything = demanded.len() == PLATFORMS.len() && stranger.iter().any(Answer::is_refusal);
    let shown = |wanted: fn(&Answer) -> bool| answers.iter().find(|a| wanted(a)).map(Answer::outcome);
    let refusal = shown(Answer::is_refusal).unwrap_or_default();
    if everything {
        let evidence = format!("{}; each one alone absent -> {refusal}; {}", none.say(), elsewhere.say());
        return StanceFinding { is: StanceWord::Refuse, platforms: Vec::new(), scope, evidence };
    }
    if demanded.is_empty() {
        // No set of platforms explains that none may be left out together and any alone.
        return broken(format!("{}; yet with any one alone absent -> {}", none.say(), outcome_of(named)));
    }
    let accepted = shown(Answer::is_success).unwrap_or_default();
    let evidence = format!(
        "{}; {} alone absent -> {refusal}; others alone absent -> {accepted}; {}",
        none.say(),
        demanded.join(" or "),
        elsewhere.say()
    );
    StanceFinding { is: StanceWord::Require, platforms: demanded, scope, evidence }
}

fn outcome_of(answers: &[Answer]) -> String {
    answers.first().map(Answer::outcome).unwrap_or_default()
}

/// It was taken: then it must be there, as it was.
async fn accepted(desk: &Desk<'_>, main: &str, index: &Node, put: &Answer) -> StanceFinding {
    if put.names_other(index) {
        return broken(format!("{} with the digest of something else", put.say()));
    }
    let by_digest = desk.read(main, index.digest.as_str(), "it by digest");
    let (by_tag, by_digest) = futures_util::future::join(desk.read(main, "none-present", "it by tag"), by_digest).await;
    let evidence = format!("{}; {}; {}", put.say(), by_tag.say(), by_digest.say());
    match [&by_tag, &by_digest].into_iter().find(|answer| !answer.serves(index)) {
        None => finding(StanceWord::Accept, evidence),
        Some(lost) if lost.is(200) => broken(format!("{evidence}, with other bytes or another digest")),
        Some(_) => broken(evidence),
    }
}
