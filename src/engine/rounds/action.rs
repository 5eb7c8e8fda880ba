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

/// So long an action has been under way before something is sent that is to meet it: a request has arrived by then, and a
/// program was started.
const BEGUN: Duration = Duration::from_millis(20);

/// Does what a barrier stands for, while the cases that want to send something then do so: once it is under way.
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
    here.iter_mut().for_each(|waiting| waiting.case.pass(barrier, round));
    let (meet, rest): (Vec<_>, Vec<_>) = std::mem::take(here).into_iter().partition(|at| at.case.acts_during());
    *here = rest;
    let is_met = !meet.is_empty();
    let mut sending = JoinSet::new();
    let acted = {
        let acting = async {
            tokio::select! {
                acted = ground.act(barrier, is_met) => acted,
                () = plan.stop.wait() => Acted::failed("interrupted"),
            }
        };
        tokio::pin!(acting);
        let early = tokio::select! {
            acted = &mut acting => Some(acted),
            () = tokio::time::sleep(BEGUN), if is_met => None,
        };
        for mut waiting in meet {
            sending.spawn(async move {
                waiting.case.during().await;
                waiting
            });
        }
        match early {
            Some(acted) => acted,
            None => acting.await,
        }
    };
    while let Some(Ok(waiting)) = sending.join_next().await {
        here.push(waiting);
    }
    here.iter_mut().for_each(|waiting| waiting.case.acted());
    here.sort_by_key(|waiting| waiting.place);
    acted
}

async fn pause(time: Duration, stop: &Stop) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.wait() => {}
    }
}
