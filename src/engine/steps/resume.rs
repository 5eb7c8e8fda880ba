//! Going on with an upload that an earlier step left open: first it is asked where it stands.

use super::upload::{Session, Way};
use crate::engine::ask::{Expected, Question};
use crate::engine::case::{Case, Halt};
use crate::wire::AskBody;

/// The bundle by which the session is asked for.
const BUNDLE: &str = "restart-session";

/// Where the upload stands that was left open of this blob; `None`: it is gone.
pub(super) async fn stands(case: &mut Case, way: &Way) -> Result<Option<Session>, Halt> {
    // Of a run that was paused no session is kept: its address can be as good as a password.
    let Some(left) = case.sessions.remove(&(way.nickname.clone(), way.node.digest.clone())) else { return Ok(None) };
    let expect: Expected = case.bundle(BUNDLE)?;
    let question =
        Question { reads: true, expect, ..way.question("where it stands", "GET", &left.location, AskBody::Empty) };
    let sender = case.run.sender.clone();
    let asked = sender.ask(&question).await.map_err(|error| case.unwritten(&error))?;
    let standing = asked.exchange.response().filter(|response| response.status == 204).map(|response| {
        let location = response.location.as_ref().map_or(left.location, |location| location.0.clone());
        (location, response.header("range").map(|range| range.to_string()))
    });
    let answer = case.take(&question, asked).await?;
    Case::must_hold(&[answer])?;
    let Some((location, range)) = standing else { return Ok(None) };
    match range.as_deref().and_then(length) {
        // No range can say that nothing is there: registries write the one of the first byte, and the upload begins anew.
        Some(1) if left.sent > 1 => Ok(None),
        // What was not yet on a disk may be lost where the registry says so.
        Some(sent) if sent <= left.sent => Ok(Some(Session { location, sent, least: left.least })),
        _ => {
            let (expected, got) = (format!("Range: 0-{}", left.sent - 1), range.unwrap_or_else(|| "no Range".into()));
            case.detour(&question, "range", &expected, got);
            Err(Halt::Meaningless)
        }
    }
}

/// The bytes that `0-<position of the last one>` speaks of (v1.1.1 L418-427).
fn length(range: &str) -> Option<u64> {
    range.trim().trim_start_matches("bytes=").strip_prefix("0-")?.parse::<u64>().ok()?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_says_how_much_is_there() {
        assert_eq!(length("0-99"), Some(100));
        assert_eq!(length("bytes=0-0"), Some(1));
        for malformed in ["0--1", "1-99", "", "0-", "0-18446744073709551615"] {
            assert_eq!(length(malformed), None, "{malformed}");
        }
    }
}
