//! Lists, page by page: `Link` is followed within a bound, never to another host, never twice to the same place. Tags of a
//! registry that gives no Links, which are optional (v1.1.1 L545), are asked for by `last`.

use std::collections::BTreeSet;

use crate::engine::ask::{Asked, Question, Sender, is_busy};
use crate::engine::case::{Case, Halt};
use crate::engine::expect::headers::brief;
use crate::engine::expect::lists::{Listing, TagPage, descriptors, no_index};
use crate::engine::expect::repositories;
use crate::wire::{Ask, Response};

use super::query;

/// Pages of one list at most.
const MOST: usize = 2000;

/// Bytes of one list at most: all its pages are held until it is judged.
const MOST_BYTES: u64 = 16 << 20;

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    /// With the size of a page, where one was asked for.
    Tags {
        n: Option<usize>,
    },
    Referrers,
    Repositories,
}

/// A list as it was asked for.
struct List {
    /// At least one page.
    asked: Vec<Asked>,
    listing: Listing,
}

/// Asks for a list and judges it, as a whole; `first` is its first page where that was asked for already. Within a window
/// it is asked for again, as a whole too.
pub(super) async fn take(
    case: &mut Case,
    question: &Question,
    first: Option<Asked>,
    of: Of,
    follow: bool,
) -> Result<(), Halt> {
    let may_repeat = first.is_none();
    let sender = &case.run.sender;
    let list = gather(sender, question, first, of, follow).await.map_err(|error| case.unwritten(&error))?;
    // What is on a page that was not answered, or not now, is not missing from the list: it is not known.
    let is_whole = list.asked.iter().all(|asked| asked.exchange.response().is_some() && !is_busy(&asked.exchange));
    let mut found = case.judge(question, &list.asked, is_whole.then_some(&list.listing));
    if found.may_come_right()
        && may_repeat
        && list.asked.iter().all(|asked| asked.status().is_some_and(|s| s < 500))
        && let Some(mut window) = list.asked.first().and_then(|first| case.patience(question, first.exchange.begun))
    {
        while window.opens(&sender.stop).await {
            let Ok(later) = gather(sender, question, None, of, follow).await else { break };
            if case.judge(question, &later.asked, Some(&later.listing)).mismatches.is_empty() {
                let seconds = window.since.elapsed().as_secs_f64();
                found.mismatches.iter_mut().for_each(|mismatch| mismatch.late = Some(seconds));
                break;
            }
        }
    }
    for (page, asked) in list.asked.iter().enumerate() {
        match page {
            0 => case.push(&question.label, asked.exchange.clone(), None),
            _ => case.push_unnamed(&format!("{}: page {}", question.label, page + 1), asked.exchange.clone()),
        }
    }
    let is_spotless = found.mismatches.is_empty();
    case.keep(found);
    // Where no expectation speaks of links, a list without end must still not pass.
    if let Some(trail) = list.listing.trail().filter(|_| is_spotless) {
        case.detour(question, "link", "links that lead from page to page and end", trail.to_owned());
    }
    list.asked.iter().find_map(|asked| case.no_answer(question, asked)).map_or(Ok(()), Err)
}

async fn gather(
    sender: &Sender,
    question: &Question,
    first: Option<Asked>,
    of: Of,
    follow: bool,
) -> std::io::Result<List> {
    let first = match first {
        Some(asked) => asked,
        None => sender.ask(question).await?,
    };
    let mut asked = vec![first];
    let trail = if follow { walk(sender, question, &mut asked, of).await? } else { None };
    let read = asked.iter().filter_map(|asked| asked.exchange.response()).filter(|r| r.status == 200);
    let listing = match of {
        Of::Tags { .. } => {
            let pages: Vec<TagPage> = read.map(TagPage::of).collect();
            let asks = |key: &str| question.ask.target.split(['?', '&']).skip(1).any(|part| part.starts_with(key));
            let is_part = asks("last=") || asks("n=") && !follow || pages.last().is_some_and(|page| page.linked);
            Listing::Tags { pages, whole: !is_part, trail }
        }
        Of::Repositories => Listing::Repositories { pages: read.map(repositories::names).collect(), trail },
        Of::Referrers => {
            let odd = read.clone().enumerate().find_map(|(page, response)| Some((page, no_index(response)?)));
            let pages: Result<Vec<_>, String> = read.map(descriptors).collect();
            Listing::Referrers { entries: pages.map(|pages| pages.into_iter().flatten().collect()), odd, trail }
        }
    };
    Ok(List { asked, listing })
}

/// Goes on from the last page as far as the links lead, or `last` where there is no link at all, and says what was wrong
/// with them.
async fn walk(sender: &Sender, question: &Question, asked: &mut Vec<Asked>, of: Of) -> std::io::Result<Option<String>> {
    let mut met = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let (mut is_linked, mut is_after) = (false, false);
    while let Some(response) = asked.last().and_then(|asked| asked.exchange.response()) {
        if response.status != 200 {
            break;
        }
        if !brings_news(response, of, &mut seen) {
            // That `last` is passed over is no fault of a link: steps of their own ask for it.
            if is_after {
                asked.pop();
                return Ok(None);
            }
            return Ok(Some("a page that repeats earlier ones".into()));
        }
        is_linked |= response.next.is_some();
        let next = match (&response.next, &response.link_problem) {
            (Some(next), _) => {
                is_after = false;
                next.0.clone()
            }
            (None, Some(problem)) => return Ok(Some(brief(problem))),
            (None, None) => match after(question, response, of).filter(|_| !is_linked) {
                Some(next) => {
                    is_after = true;
                    next
                }
                None => return Ok(None),
            },
        };
        if !met.insert(next.clone()) {
            return Ok(Some("a Link that leads back".into()));
        }
        if asked.len() >= MOST {
            return Ok(Some(format!("no end after {MOST} pages")));
        }
        if asked.iter().map(|page| page.exchange.bytes_received).sum::<u64>() > MOST_BYTES {
            return Ok(Some(format!("no end after {} MiB", MOST_BYTES >> 20)));
        }
        let mut page = question.clone();
        page.ask = Ask { target: next, ..question.ask.clone() };
        asked.push(sender.ask(&page).await?);
    }
    Ok(None)
}

/// Where the tags after a page of just `n` are, by the page's last tag (v1.1.1 L551-557).
fn after(question: &Question, page: &Response, of: Of) -> Option<String> {
    let Of::Tags { n: Some(n) } = of else { return None };
    let tags = TagPage::of(page).tags.ok()?;
    let last = tags.last().filter(|_| tags.len() == n)?;
    let path = question.ask.target.split('?').next()?;
    Some(format!("{path}?n={n}&last={}", query(last)))
}

/// Whether a page has anything that was not there before. One that only repeats is the sign of a list without end; an empty
/// one says nothing.
fn brings_news(response: &Response, of: Of, seen: &mut BTreeSet<String>) -> bool {
    let items: Vec<String> = match of {
        Of::Tags { .. } => TagPage::of(response).tags.unwrap_or_default(),
        Of::Repositories => repositories::names(response).unwrap_or_default(),
        Of::Referrers => descriptors(response).unwrap_or_default().iter().map(ToString::to_string).collect(),
    };
    let count = items.len();
    let new = items.into_iter().filter(|item| seen.insert(item.clone())).count();
    count == 0 || new > 0
}
