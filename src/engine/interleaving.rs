//! What was under way at once, as a mismatch shows it: the requests of all lanes, in the order of their begin.

use std::collections::BTreeMap;

use super::outcome::{Mismatch, StepExchange};

/// Lines that are shown of one race.
const SHOWN: usize = 40;

/// Hex digits that are shown of a digest.
const HEX: usize = 12;

/// One race.
#[derive(Debug, Clone)]
pub(super) struct Interleaving {
    /// The place of its first exchange among those of the case.
    first: usize,
    moments: Vec<Moment>,
}

/// One request.
#[derive(Debug, Clone)]
struct Moment {
    lane: String,
    begin: f64,
    end: f64,
    method: String,
    /// `manifests/v1`: what the path names, without the repository.
    what: String,
    status: String,
    label: String,
}

impl Interleaving {
    /// Of exchanges of lanes, in order, of which the first one has this place in the case.
    pub fn of(first: usize, exchanges: &[StepExchange], repositories: &BTreeMap<String, String>) -> Interleaving {
        let moments = exchanges.iter().filter_map(|at| {
            let lane = at.lane.as_ref()?;
            let exchange = &at.exchange;
            Some(Moment {
                lane: lane.name.to_string(),
                begin: lane.begin,
                end: lane.end,
                method: exchange.request.method.clone(),
                what: what(&exchange.request.url, repositories),
                status: exchange.status().map_or_else(|| "no answer".into(), |status| status.to_string()),
                label: at.label.split_once(": ").map_or(at.label.as_str(), |(_, label)| label).to_owned(),
            })
        });
        Interleaving { first, moments: moments.collect() }
    }

    /// Adds what was seen of the race to what did not hold in it or after it.
    pub fn show(&self, mismatch: &mut Mismatch, exchanges: &[StepExchange]) {
        let text = self.text(mismatch, exchanges);
        match &mut mismatch.diff {
            Some(diff) => *diff = format!("{}\n{text}", diff.trim_end()),
            None => mismatch.diff = Some(text),
        }
    }

    fn text(&self, mismatch: &Mismatch, exchanges: &[StepExchange]) -> String {
        let own = mismatch.exchange.and_then(|index| index.checked_sub(self.first)).filter(|i| *i < self.moments.len());
        let about = mismatch.exchange.and_then(|index| exchanges.get(index)).map(|at| at.exchange.request.url.as_str());
        let reference = |what: &str| what.rsplit('/').next().unwrap_or_default().to_owned();
        let wanted: Vec<(usize, &Moment)> = match own.and_then(|i| Some((i, self.moments.get(i)?))) {
            // What overlapped, and what else there was of the same thing.
            Some((place, own)) => {
                let overlaps = |m: &Moment| m.begin <= own.end && own.begin <= m.end;
                let mut near: Vec<(usize, &Moment)> =
                    self.moments.iter().enumerate().filter(|(_, m)| overlaps(m) || m.what == own.what).collect();
                near.sort_by_key(|(i, _)| i.abs_diff(place));
                near
            }
            // After the race: the writes to it, else all of them; the last ones tell most.
            None => {
                let writes = || {
                    self.moments.iter().enumerate().rev().filter(|(_, m)| !matches!(m.method.as_str(), "GET" | "HEAD"))
                };
                let about = about.map(reference).map(|reference| short(&reference));
                let same: Vec<(usize, &Moment)> = writes()
                    .filter(|(_, m)| about.as_ref().is_some_and(|about| m.what.ends_with(about.as_str())))
                    .collect();
                if same.is_empty() { writes().collect() } else { same }
            }
        };
        let left_out = wanted.len().saturating_sub(SHOWN);
        let mut shown: Vec<(usize, &Moment)> = wanted.into_iter().take(SHOWN).collect();
        shown.sort_by_key(|(i, _)| *i);
        let width = shown.iter().map(|(_, m)| m.lane.len()).max().unwrap_or(0);
        let mut lines =
            vec!["interleaving seen: lane, begin and end in ms since the step began, request, status".to_owned()];
        lines.extend(shown.into_iter().map(|(i, m)| {
            let mark = if Some(i) == own { '>' } else { ' ' };
            format!(
                "{mark} {:<width$}  {:>8.1} {:>8.1}  {} {}  {}  ({})",
                m.lane,
                m.begin * 1e3,
                m.end * 1e3,
                m.method,
                m.what,
                m.status,
                m.label
            )
        }));
        if left_out > 0 {
            lines.push(format!("  and {left_out} more"));
        }
        lines.join("\n")
    }
}

/// What a URL names, without the repository and what stands before it; digests cut short.
fn what(url: &str, repositories: &BTreeMap<String, String>) -> String {
    let path = url.split_once("/v2/").map_or(url, |(_, path)| path);
    let stripped = repositories.iter().find_map(|(nickname, name)| {
        let rest = path.strip_prefix(name.as_str())?.strip_prefix('/')?;
        Some(if nickname == "main" { rest.to_owned() } else { format!("{nickname}: {rest}") })
    });
    short(&stripped.unwrap_or_else(|| path.to_owned()))
}

/// Every digest cut to its first digits, a session's id with all that follows left out.
fn short(text: &str) -> String {
    if let Some((before, after)) = text.split_once("uploads/")
        && !after.is_empty()
    {
        let digest = after.split_once("digest=").map(|(_, digest)| digest.replace("%3A", ":"));
        return match digest {
            Some(digest) => format!("{before}uploads/...?digest={}", short(&digest)),
            None => format!("{before}uploads/..."),
        };
    }
    match text.split_once("sha256:").or_else(|| text.split_once("sha512:")) {
        Some((_, hex)) => {
            let before = &text[..text.len() - hex.len()];
            format!("{before}{}", hex.get(..HEX).unwrap_or(hex))
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::expect::testing::{exchange, response};
    use crate::engine::outcome::InLane;
    use crate::suite::model::Source;

    fn at(lane: &str, ms: (u64, u64), method: &str, url: &str, status: u16) -> StepExchange {
        let mut exchange = exchange(response(status, &[], b""));
        (exchange.request.method, exchange.request.url) = (method.into(), url.into());
        let (begin, end) = (ms.0 as f64 / 1e3, ms.1 as f64 / 1e3);
        let lane = InLane { name: lane.into(), begin, end };
        StepExchange { step: 1, label: format!("{}: a step", lane.name), exchange, lane: Some(lane) }
    }

    fn mismatch(exchange: usize) -> Mismatch {
        Mismatch {
            requirement: "r".into(),
            step: 1,
            label: String::new(),
            key: "status".into(),
            expected: String::new(),
            got: String::new(),
            diff: Some("a diff".into()),
            source: Source { file: "t.yaml".into(), line: 1, column: 1 },
            exchange: Some(exchange),
            late: None,
        }
    }

    #[test]
    fn a_mismatch_shows_what_overlapped_it_and_what_wrote_the_same() {
        let hex = "ab".repeat(32);
        let exchanges = vec![
            at("left", (1, 5), "PUT", "http://h/v2/a/b/manifests/v1", 201),
            at("right", (2, 3), "GET", &format!("http://h/v2/a/b/manifests/sha256:{hex}"), 500),
            at("left", (8, 9), "DELETE", "http://h/v2/a/b/manifests/v2", 202),
            StepExchange { lane: None, ..at("", (0, 0), "GET", "http://h/v2/a/b/manifests/v2", 200) },
        ];
        let names = BTreeMap::from([("main".to_owned(), "a/b".to_owned())]);
        let race = Interleaving::of(0, &exchanges[..3], &names);
        let shown = |index: usize| {
            let mut mismatch = mismatch(index);
            race.show(&mut mismatch, &exchanges);
            mismatch.diff.unwrap()
        };
        let within = shown(1);
        assert!(within.starts_with("a diff\ninterleaving seen"), "{within}");
        assert!(
            within.contains("> right       2.0      3.0  GET manifests/sha256:abababababab  500  (a step)"),
            "{within}"
        );
        assert!(
            within.contains("  left        1.0      5.0  PUT manifests/v1  201") && !within.contains("v2"),
            "{within}"
        );
        let after = shown(3);
        assert!(after.contains("DELETE manifests/v2") && !after.contains("manifests/v1"), "{after}");
    }

    #[test]
    fn urls_are_cut_to_what_they_name() {
        let names = BTreeMap::from([("main".to_owned(), "a".to_owned()), ("other".to_owned(), "b".to_owned())]);
        assert_eq!(what("http://h/v2/b/tags/list?n=2", &names), "other: tags/list?n=2");
        let hex = "cd".repeat(32);
        let session = format!("http://h/v2/a/blobs/uploads/123?_state=x&digest=sha256%3A{hex}");
        assert_eq!(what(&session, &names), "blobs/uploads/...?digest=sha256:cdcdcdcdcdcd");
        assert_eq!(what("odd", &names), "odd");
    }
}
