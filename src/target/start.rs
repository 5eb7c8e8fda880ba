//! A target that is launched: started, waited for, ended, started again.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::act::Trouble;
use super::argument::TargetSpec;
use super::launch::{Ending, LaunchError, Process};
use super::open::{self, Guard, Live, OpenError, admitted, credentials, say, shown};
use super::profile::Launch;
use super::units::Time;
use crate::wire::Ask;

/// The pause between two looks at a target that is not ready.
const PAUSE: Duration = Duration::from_millis(10);

/// How often a launch is repeated because somebody else took its port.
const LAUNCHES: u32 = 4;

/// The exit status by which a shell says that a program is not there.
const NOT_FOUND: i32 = 127;

/// Launches, and waits until it is ready; where a `first` server runs, on its folder.
pub(super) async fn launched(spec: &TargetSpec, launch: &Launch, first: Option<&Process>) -> Result<Live, OpenError> {
    let program = launch.command.first().cloned().unwrap_or_default();
    let mut launches = 0;
    loop {
        launches += 1;
        let started = match first {
            Some(first) => first.beside(launch).await,
            None => Process::start(launch).await,
        };
        let process = match started {
            Err(e) if launches < LAUNCHES && e.lost_its_port() => continue,
            started => started?,
        };
        let url = spec.profile.url.replace("{port}", &process.port().to_string());
        let (credentials, trouble) = credentials(spec, &url)?;
        let mut live = open::live(spec, url, Guard::Process(process, Box::new(launch.clone())), credentials)?;
        match ready(&mut live, launch, launch.ready.within.0).await {
            Ok(()) => {
                admitted(spec, &live, trouble).await?;
                return Ok(live);
            }
            Err(_) if launches < LAUNCHES && live.lost_its_port() => {}
            // What a shell says of a program that is not there; the program itself may be a script that starts it.
            Err(_) if live.ended().is_some_and(|status| status.code() == Some(NOT_FOUND)) => {
                let (output, line) = (live.output().unwrap_or_default(), launch.missing.trim().to_owned());
                return Err(LaunchError::Incomplete { program, output, line }.into());
            }
            Err(what) => return Err(OpenError::NotReady { program, what, output: live.output().unwrap_or_default() }),
        }
    }
}

/// Asks until it answers below 500, for so long.
async fn ready(live: &mut Live, launch: &Launch, within: Duration) -> Result<(), String> {
    let start = Instant::now();
    let mut last = String::from("it was not asked");
    loop {
        let left = within.saturating_sub(start.elapsed());
        if let Ok(exchange) = tokio::time::timeout(left, live.client.send(Ask::new("GET", &launch.ready.get))).await {
            last = say(&exchange);
            let ended = live.ended();
            match exchange.status() {
                // An answer while our process is dead is somebody else's.
                Some(status) if status < 500 && ended.is_none() => return Ok(()),
                _ => {}
            }
            if let Some(ended) = ended {
                return Err(format!("ended ({ended}) before it was ready"));
            }
        }
        if start.elapsed() >= within {
            return Err(format!("was not ready within {}: {last}", Time(within)));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Live {
    /// The folder of its own that a launched target has.
    pub(super) fn dir(&self) -> Option<PathBuf> {
        match &self.guard {
            Guard::Process(process, _) => Some(process.dir()),
            _ => None,
        }
    }

    /// A text with what is a launched target's own put in: its folder, its ports.
    pub(super) fn own(&self, text: &str) -> Option<String> {
        match &self.guard {
            Guard::Process(process, _) => Some(process.fill(text)),
            _ => None,
        }
    }

    /// How it was launched last, where it was.
    pub(super) fn launched(&self) -> Option<Launch> {
        match &self.guard {
            Guard::Process(_, launch) => Some((**launch).clone()),
            _ => None,
        }
    }

    /// Ends its process; whether it did as it was asked.
    pub(super) async fn end(&mut self, how: Ending) -> bool {
        match &mut self.guard {
            Guard::Process(process, _) => process.end(how).await,
            _ => true,
        }
    }

    /// Starts its process again, and waits for so long until it is ready.
    pub(super) async fn again(&mut self, launch: &Launch, within: Duration) -> Result<(), Trouble> {
        let mut launches = 0;
        loop {
            launches += 1;
            if let Guard::Process(process, last) = &mut self.guard {
                process.again(launch).map_err(|e| Trouble::new("it could not be started again", e.to_string()))?;
                **last = launch.clone();
            }
            match ready(self, launch, within).await {
                Ok(()) => return Ok(()),
                // While it was down, somebody's connection may have got its port.
                Err(_) if launches < LAUNCHES && self.lost_its_port() => {
                    self.end(Ending::Killed).await;
                    tokio::time::sleep(PAUSE * 50).await;
                }
                Err(what) => {
                    let output = self.output().unwrap_or_default();
                    return Err(Trouble::new("it did not come back", format!("it {what}{}", shown(&output))));
                }
            }
        }
    }

    /// Its process's exit status, where that has ended.
    pub(super) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        match &mut self.guard {
            Guard::Process(process, _) => process.ended(),
            _ => None,
        }
    }

    fn lost_its_port(&self) -> bool {
        matches!(&self.guard, Guard::Process(process, _) if process.lost_its_port())
    }
}
