//! What is kept of an exchange once it is judged: reports show its beginning, and a registry may answer with any amount.

use std::collections::BTreeSet;

use super::outcome::{Mismatch, StepExchange};
use crate::record::exchange::SHOWN;
use crate::wire::Exchange;

/// Bytes of answers that are kept of one case.
const OF_CASE: usize = 64 * 1024;

/// Bytes that are kept of a line that a registry can make longer: a URL, a failure's text.
const LINE: usize = 4096;

/// What a header line costs beside its bytes.
const OVERHEAD: usize = 64;

/// Keeps of a judged exchange what a report may show.
pub(super) fn trim(exchange: &mut Exchange) {
    cut(&mut exchange.request.url, LINE);
    exchange.hops.iter_mut().for_each(|hop| cut(&mut hop.to, LINE));
    if let Err(failure) = &mut exchange.result {
        cut(&mut failure.text, LINE);
    }
    bound(exchange, SHOWN);
}

/// Keeps of a case's exchanges what fits together; those that show a mismatch come first.
pub(super) fn trim_all(exchanges: &mut [StepExchange], mismatches: &[Mismatch]) {
    let mut left = OF_CASE;
    let named: BTreeSet<usize> = mismatches.iter().filter_map(|mismatch| mismatch.exchange).collect();
    let others = (0..exchanges.len()).filter(|place| !named.contains(place));
    for place in named.iter().copied().chain(others) {
        if let Some(at) = exchanges.get_mut(place) {
            left -= bound(&mut at.exchange, left);
        }
    }
}

/// Keeps at most so many bytes of an answer, header lines before its body, and says how many there are.
fn bound(exchange: &mut Exchange, most: usize) -> usize {
    let Ok(response) = &mut exchange.result else { return 0 };
    // Where an answer leads is for following only.
    (response.location, response.next) = (None, None);
    let mut room = most;
    response.headers.retain_mut(|(name, value)| {
        let Some(left) = room.checked_sub(name.len() + OVERHEAD) else { return false };
        if value.len() > left {
            *value = bytes::Bytes::copy_from_slice(&value[..left]);
        }
        room = left - value.len();
        true
    });
    if response.body.len() > room {
        response.body = bytes::Bytes::copy_from_slice(&response.body[..room]);
        response.body_is_whole = false;
    }
    most - room + response.body.len()
}

fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.shrink_to_fit();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::expect::testing::{exchange, response};

    fn at(headers: &[(&str, &str)], body: usize) -> StepExchange {
        StepExchange {
            step: 0,
            label: String::new(),
            exchange: exchange(response(404, headers, &vec![b'x'; body])),
            lane: None,
        }
    }

    fn body(at: &StepExchange) -> usize {
        at.exchange.response().unwrap().body.len()
    }

    #[test]
    fn the_beginning_is_kept_of_whatever_came() {
        let long = "v".repeat(1 << 20);
        let mut one = at(&[("A", "short"), ("B", &long), ("C", "late")], 1 << 20).exchange;
        one.request.url = "\u{20AC}".repeat(LINE);
        trim(&mut one);
        let response = one.response().unwrap();
        let kept: usize = response.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(kept + response.body.len() <= SHOWN && kept > SHOWN / 2);
        assert_eq!(response.header("A").as_deref(), Some("short"));
        assert!(!response.body_is_whole && one.request.url.len() <= LINE);
        let mut small = at(&[("A", "short")], 100).exchange;
        trim(&mut small);
        assert!(small.response().unwrap().body_is_whole && small.response().unwrap().body.len() == 100);
    }

    #[test]
    fn a_case_keeps_what_shows_its_mismatches() {
        let mut many: Vec<StepExchange> = (0..100).map(|_| at(&[], SHOWN)).collect();
        let named = Mismatch {
            requirement: "r".into(),
            step: 0,
            label: String::new(),
            key: "status".into(),
            expected: String::new(),
            got: String::new(),
            diff: None,
            source: crate::suite::model::Source { file: "t.yaml".into(), line: 1, column: 1 },
            exchange: Some(70),
            late: None,
        };
        trim_all(&mut many, &[named]);
        assert_eq!(body(&many[70]), SHOWN);
        assert_eq!((body(&many[0]), body(&many[99])), (SHOWN, 0));
        assert!(many.iter().map(body).sum::<usize>() <= OF_CASE);
    }
}
