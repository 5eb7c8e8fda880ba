//! Which barrier comes next, and what happens at it.

use std::time::Duration;

use tokio::task::JoinSet;

use super::Plan;
use crate::engine::ground::{Acted, Ground};
use crate::engine::schedule::Waiting;
use crate::engine::stop::Stop;
use crate::suite::barrier::Barrier;

/// The barrier that most cases wait for; ties in the order of barriers. Those that change the version only where nobody
/// waits for another, or has to: who waits for a collection means that of the registry that he pushed to. `pause` and what
/// is after it are somebody else's.
pub(in crate::engine) fn next(waiting: &[Waiting], versions: bool, pause: Option<Barrier>) -> Option<Barrier> {
    let ours = |barrier: Barrier| pause.is_none_or(|pause| barrier < pause);
    let count = |barrier: Barrier| waiting.iter().filter(|at| at.barrier == barrier && ours(barrier)).count();
    let most = |of: fn(Barrier) -> bool| {
        let these = Barrier::ALL.into_iter().filter(|barrier| of(*barrier) && count(*barrier) > 0);
        these.rev().max_by_key(|barrier| count(*barrier))
    };
    most(|barrier| !barrier.changes_version()).or_else(|| most(Barrier::changes_version).filter(|_| versions))
}

/// Does what a barrier stands for, while the cases that want to send something then do so.
pub(in crate::engine) async fn act<G: Ground, P>(
    ground: &mut G,
    barrier: Barrier,
    round: u32,
    here: &mut Vec<Waiting>,
    plan: &Plan<'_, P>,
) -> Acted {
    // What is younger than the collector's grace is spared, garbage or not: that something stays would prove nothing.
    // What has to be young is pushed during the collection.
    if barrier == Barrier::Gc {
        pause(plan.options.grace, &plan.stop).await;
    }
    let mut sending = JoinSet::new();
    let mut begun = Vec::new();
    for waiting in std::mem::take(here) {
        let Waiting { place, mut case, .. } = waiting;
        case.pass(barrier, round);
        if !case.acts_during() {
            here.push(Waiting { place, barrier, case });
            continue;
        }
        let (tell, told) = tokio::sync::oneshot::channel();
        begun.push(told);
        sending.spawn(async move {
            case.during(tell).await;
            Waiting { place, barrier, case }
        });
    }
    for told in begun {
        // Who tells nothing has ended.
        let _ = told.await;
    }
    let acted = tokio::select! {
        acted = ground.act(barrier) => acted,
        () = plan.stop.wait() => Acted::failed("interrupted"),
    };
    while let Some(Ok(waiting)) = sending.join_next().await {
        here.push(waiting);
    }
    here.sort_by_key(|waiting| waiting.place);
    acted
}

async fn pause(time: Duration, stop: &Stop) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.wait() => {}
    }
}
