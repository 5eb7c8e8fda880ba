//! `usage`: by how much the storage has grown, against what was pushed.

use std::time::Duration;

use super::Here;
use super::walk::Walk;
use crate::content::NodeKind;
use crate::engine::case::{Case, Halt};
use crate::engine::ground::Used;
use crate::engine::outcome::{Grown, Mismatch};
use crate::suite::model::{Shows, UsageStep};

/// What a registry may take beside the bytes themselves: links, lists, a database's pages. Bytes, and a part of them. A small
/// database that doubles its file takes 64 KiB at once, as zot's does.
const BESIDE: u64 = 128 << 10;
const PART: u64 = 10;

/// Too much may still go: so often it is looked at again, after so long.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(100);

pub async fn run(case: &mut Case, here: &Here<'_>, what: &UsageStep) -> Result<(), Halt> {
    let now = measure(case).await?;
    let Some(since) = &what.since else {
        case.measured.extend(here.step.name.clone().map(|name| (name, now)));
        return Ok(());
    };
    let before = case.measured.get(since).copied();
    let before = before.ok_or_else(|| case.unusable(format!("nothing was measured as {since:?} in this run")))?;
    let pushed = bytes(case, what)?;
    let most = i64::try_from(pushed + pushed / PART + BESIDE).unwrap_or(i64::MAX);
    let mut grown = grown(before, now);
    for _ in 0..LOOKS {
        if grown.bytes <= most {
            break;
        }
        tokio::time::sleep(LOOK).await;
        grown = self::grown(before, measure(case).await?);
    }
    if what.shows != Some(Shows::Freed) && i64::try_from(pushed / 2).is_ok_and(|half| grown.bytes < half) {
        let text = format!(
            "{pushed} bytes were pushed, and what is measured grew by {}: is `actions.usage` where they are stored?",
            grown.bytes
        );
        return Err(case.unusable(text));
    }
    case.observed.extend(here.expect.iter().map(|expectation| expectation.requirement.clone()));
    if grown.bytes > most {
        for expectation in here.expect.iter() {
            case.mismatches.push(Mismatch {
                requirement: expectation.requirement.clone(),
                step: case.step,
                label: format!("usage since {since}"),
                key: "bytes".into(),
                expected: format!("at most {most} bytes more, of {pushed} that were pushed"),
                got: "more bytes stored than pushed".into(),
                diff: Some(format!("{} bytes more in {} files", grown.bytes, grown.files)),
                source: expectation.source.clone(),
                exchange: None,
                late: None,
            });
        }
    }
    case.usage.push(Grown { pushed, ..grown });
    Ok(())
}

async fn measure(case: &Case) -> Result<Used, Halt> {
    let Some(meter) = case.run.meter.clone() else {
        return Err(case.unusable("nobody says where the registry stores".into()));
    };
    let measured = tokio::task::spawn_blocking(move || meter()).await;
    let measured = measured.map_err(|e| case.unusable(e.to_string()))?;
    measured.map_err(|e| case.unusable(format!("the storage cannot be measured: {e}")))
}

/// The bytes of the nodes that may have come, each once.
fn bytes(case: &Case, what: &UsageStep) -> Result<u64, Halt> {
    let mut walk = Walk::default();
    for name in what.holds.images.iter().chain(&what.holds.graphs) {
        walk.descend(&case.node(name)?, &|node| node.kind != NodeKind::Phantom);
    }
    for name in what.holds.blobs.iter().chain(&what.holds.manifests) {
        walk.add(&case.node(name)?);
    }
    Ok(walk.nodes.iter().map(|node| node.size).sum())
}

fn grown(before: Used, now: Used) -> Grown {
    let less = |now: u64, before: u64| i64::try_from(i128::from(now) - i128::from(before)).unwrap_or(i64::MAX);
    Grown { bytes: less(now.bytes, before.bytes), files: less(now.files, before.files), pushed: 0 }
}
