//! A barrier's action, done to a target.

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::actions::{Act, Http, Poll, Relaunch, While};
use super::backoff::Backoff;
use super::findings::Findings;
use super::launch::Ending;
use super::open::{Live, beside, open};
use super::probe::{self, Pace, Setup};
use super::program::{find_program, path};
use super::units::{Expiry, Time};
use super::{canary, command, embedded, output};
use crate::engine::ask::retry_after;
use crate::engine::journal::Journal;
use crate::engine::names::Names;
use crate::engine::{Acted, Ground, Meter};
use crate::suite::barrier::Barrier;
use crate::wire::{Ask, AskBody, Client};

/// How long a registry that is asked to end may take.
const END: Duration = Duration::from_secs(10);

/// The first pause between two looks at what was only promised, or cannot be had now, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Statuses by which a registry says that it cannot do it now: another action is under way (409), or it has too much to do.
const BUSY: &[u16] = &[409, 429, 503];

/// The same of a promise: what was begun elsewhere may not be seen here yet.
const UNSEEN: &[u16] = &[404, 409, 429, 503];

/// Why an action did not end well: what is the same every time, and what more can be said.
pub(super) struct Trouble {
    what: String,
    more: String,
}

impl Trouble {
    pub(super) fn new(what: impl Into<String>, more: impl Into<String>) -> Trouble {
        Trouble { what: what.into(), more: more.into() }
    }
}

/// What an action came to, beside its time.
#[derive(Default)]
struct Came {
    exit: Option<i32>,
    output: String,
    /// What is to be known beside it.
    note: String,
}

impl Ground for Live {
    fn client(&self) -> Client {
        self.client.clone()
    }

    fn meter(&self) -> Option<Meter> {
        self.measures()
    }

    async fn act(&mut self, barrier: Barrier, is_met: bool) -> Acted {
        let begun = Instant::now();
        let mut came = Came::default();
        let (failed, more) = match Box::pin(self.perform(barrier, is_met, &mut came)).await {
            Ok(()) => (None, String::new()),
            Err(Trouble { what, more }) => (Some(what), more),
        };
        let parts = [came.output, came.note, more];
        let output: Vec<&str> = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
        let output = self.client.redacted(&output.join("\n"));
        Acted { seconds: begun.elapsed().as_secs_f64(), exit: came.exit, output, failed }
    }

    fn renews(&self) -> bool {
        self.is_ours()
    }

    async fn fresh(&self) -> Option<Result<Live, String>> {
        if !self.renews() {
            return None;
        }
        let opened = Box::pin(open(&self.spec)).await.map_err(|e| e.to_string());
        if let Ok(live) = &opened {
            canary::settle(live).await;
        }
        Some(opened)
    }

    async fn probed(&self, names: &Names, journal: &Journal, seed: u64) -> Option<Findings> {
        let setup = Setup { client: &self.client, names, journal, seed, pace: Pace::of(&self.profile) };
        Box::pin(probe::probe(setup)).await.ok()
    }

    async fn beside(&self) -> Result<Live, String> {
        Box::pin(beside(self)).await.map_err(|e| e.to_string())
    }
}

/// For how long a registry is looked at after an action that does not answer at once, and how long one look may last.
const LOOKS: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_secs(3);

/// The longest that an action may take of which the profile does not say.
const LONGEST: Duration = Duration::from_secs(60);

impl Live {
    async fn perform(&mut self, barrier: Barrier, is_met: bool, came: &mut Came) -> Result<(), Trouble> {
        if let (Barrier::Expiry, Expiry::After(time)) = (barrier, self.profile.windows.expiry) {
            tokio::time::sleep(time.0).await;
            return self.is_there().await;
        }
        if self.is_reference() {
            return in_time(Time(LONGEST), embedded::perform(self, barrier, is_met, &mut came.output)).await;
        }
        let Some(act) = self.profile.actions.of(barrier).cloned() else {
            return Err(Trouble::new(format!("the profile has no action `{barrier}`"), ""));
        };
        if let Some(relaunch) = &act.relaunch {
            self.relaunch(relaunch, barrier, act.within, came).await?;
        } else if !act.command.is_empty() {
            self.command(&act, came).await?;
        } else if let Some(http) = &act.http {
            in_time(act.within, self.request(http, act.poll.as_ref(), came)).await?;
        } else if let Some(until) = act.until {
            in_time(act.within, canary::gone(self, until)).await?;
        }
        tokio::time::sleep(act.wait.0).await;
        self.is_there().await
    }

    /// Ends the registry and starts it again: as the version that it is, or as another, which may have to convert the storage
    /// first. For all of this it has the action's time, whatever the profile says of an ordinary start.
    async fn relaunch(
        &mut self,
        relaunch: &Relaunch,
        barrier: Barrier,
        within: Time,
        came: &mut Came,
    ) -> Result<(), Trouble> {
        let since = Instant::now();
        let base = if barrier.changes_version() { self.profile.launch.clone() } else { self.launched() };
        let Some(base) = base else {
            return Err(Trouble::new("the target was not launched here, so it cannot be launched again", ""));
        };
        let launch = relaunch.over(&base);
        if barrier == Barrier::Kill {
            self.end(Ending::Killed).await;
        } else {
            self.end_in_order(came).await;
        }
        self.again(&launch, within.0.saturating_sub(since.elapsed())).await
    }

    /// Asks the registry to end; it is noted where it did not.
    async fn end_in_order(&mut self, came: &mut Came) {
        if !self.end(Ending::Asked(END)).await {
            came.note = format!("(the registry did not end within {} s of SIGTERM, and was killed)", END.as_secs());
        }
    }

    /// Runs a command, while the registry does what it must meanwhile. Whatever becomes of it, the registry comes back.
    async fn command(&mut self, act: &Act, came: &mut Came) -> Result<(), Trouble> {
        let now = self.launched();
        match (act.r#while, &now) {
            (While::Running, _) | (_, None) => self.run_command(act, came).await,
            (While::Stopped, Some(now)) => {
                self.end_in_order(came).await;
                let done = self.run_command(act, came).await;
                done.and(self.again(now, now.ready.within.0).await)
            }
            (While::ReadOnly, Some(now)) => {
                let read_only = act.read_only.clone().unwrap_or_default().over(now);
                self.end_in_order(came).await;
                let done = match self.again(&read_only, read_only.ready.within.0).await {
                    Ok(()) => self.run_command(act, came).await,
                    Err(trouble) => Err(trouble),
                };
                self.end_in_order(came).await;
                // What was written for reading only is written back.
                done.and(self.again(now, now.ready.within.0).await)
            }
        }
    }

    async fn run_command(&self, act: &Act, came: &mut Came) -> Result<(), Trouble> {
        let name = act.command.first().cloned().unwrap_or_default();
        let program = find_program(&name).unwrap_or_else(|| PathBuf::from(&name));
        let mut command = tokio::process::Command::new(&program);
        command.args(act.command.iter().skip(1).map(|argument| self.fill(argument)));
        let launched = self.dir().zip(self.launched().map(|launch| launch.env));
        // What runs on beside a registry that is not ours may be that registry, started anew.
        let leaves = launched.is_none();
        if let Some((dir, env)) = launched {
            command.env("PATH", path());
            command.envs(env.iter().map(|(key, value)| (key, self.fill(value)))).current_dir(dir);
        }
        let io = |e: std::io::Error| Trouble::new(format!("{name} cannot be run"), e.to_string());
        let ended = command::run(command, act.within.0, leaves).await.map_err(io)?;
        came.output = output::printable(&self.client.redacted(&String::from_utf8_lossy(&ended.output)));
        let Some(status) = ended.status else { return Err(late(act.within)) };
        came.exit = status.code();
        match status.code() {
            Some(0) => Ok(()),
            Some(code) => Err(Trouble::new(format!("exit {code}"), "")),
            None => Err(Trouble::new(status.to_string(), "")),
        }
    }

    /// Asks for the action, until it is taken, and waits for its end.
    async fn request(&self, http: &Http, poll: Option<&Poll>, came: &mut Came) -> Result<(), Trouble> {
        let mut ask = Ask::new(&http.method, &http.path);
        if !http.body.is_empty() {
            ask = ask.header("Content-Type", &http.r#type);
            ask.body = AskBody::Bytes(http.body.clone().into_bytes().into());
        }
        let answer = self.answer(ask, BUSY, came).await?;
        let Some(poll) = poll else { return Ok(()) };
        let Some(at) = answer.get(&poll.at).and_then(Value::as_str) else {
            return Err(Trouble::new(format!("the answer has no `{}`", poll.at), ""));
        };
        let path = at.split_once("://").and_then(|(_, rest)| rest.find('/').map(|slash| &rest[slash..])).unwrap_or(at);
        let mut pauses = Backoff::new(PAUSES.0, PAUSES.1);
        loop {
            let answer = self.answer(Ask::new("GET", path), UNSEEN, came).await?;
            let state =
                answer.get(&poll.key).map(|state| state.as_str().map_or_else(|| state.to_string(), str::to_owned));
            let state = state.unwrap_or_default();
            if poll.done.contains(&state) {
                return Ok(());
            }
            if poll.failed.contains(&state) {
                return Err(Trouble::new(format!("it ended as `{state}`"), ""));
            }
            pauses.wait(None).await;
        }
    }

    /// What a request is answered with; its beginning is the action's output. It is asked again where it is answered with one
    /// of the statuses that mean `not now`. Without end: whoever calls has a deadline.
    async fn answer(&self, ask: Ask, not_now: &[u16], came: &mut Came) -> Result<Value, Trouble> {
        let name = format!("{} {}", ask.method, ask.target);
        let mut pauses = Backoff::new(PAUSES.0, PAUSES.1);
        loop {
            let exchange = self.client.send(ask.clone()).await;
            let response = match &exchange.result {
                Ok(response) => response,
                Err(failure) => {
                    return Err(Trouble::new(format!("no answer ({})", failure.kind.word()), failure.text.clone()));
                }
            };
            came.output = output::printable(&format!(
                "{name} -> {}\n{}",
                response.status,
                self.client.redacted(&String::from_utf8_lossy(&response.body))
            ));
            match response.status {
                200..300 => return Ok(serde_json::from_slice(&response.body).unwrap_or_default()),
                status if not_now.contains(&status) => pauses.wait(retry_after(response)).await,
                status => return Err(Trouble::new(format!("status {status}"), "")),
            }
        }
    }

    /// Sees that the registry answers: at once, or after a while, for what an action does to it may go on behind it.
    pub(super) async fn is_there(&mut self) -> Result<(), Trouble> {
        let since = Instant::now();
        let mut pauses = Backoff::new(PAUSES.0, LOOK);
        loop {
            // A connection from before may be found dead first, or hang: others are tried.
            let asking = self.client.send(Ask::new("GET", "/v2/"));
            let looked = tokio::time::timeout(LOOK, asking).await.map(|exchange| exchange.result);
            // Behind an action of the embedded registry nothing goes on: what it answers it will answer again.
            let is_final = self.is_reference() && matches!(looked, Ok(Ok(_)));
            let what = match looked {
                Ok(Ok(response)) if response.status < 500 => return Ok(()),
                Ok(Ok(response)) => format!("then the registry answered with {}", response.status),
                Ok(Err(failure)) => format!("then the registry did not answer ({})", failure.kind.word()),
                Err(_) => "then the registry did not answer (timeout)".into(),
            };
            let pause = pauses.pause(None);
            if is_final || since.elapsed() + pause > LOOKS || self.ended().is_some() {
                return Err(Trouble::new(what, self.output().unwrap_or_default()));
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Puts placeholders in.
    pub(super) fn fill(&self, text: &str) -> String {
        let text = text.replace("{url}", self.client.base());
        if let Some(filled) = self.own(&text) {
            return filled;
        }
        let port = self.client.base().rsplit(':').next().unwrap_or_default();
        text.replace("{port}", port)
    }
}

/// What takes longer has failed.
async fn in_time(within: Time, done: impl Future<Output = Result<(), Trouble>>) -> Result<(), Trouble> {
    tokio::time::timeout(within.0, done).await.unwrap_or_else(|_| Err(late(within)))
}

fn late(within: Time) -> Trouble {
    Trouble::new(format!("no end within {within}"), "")
}
