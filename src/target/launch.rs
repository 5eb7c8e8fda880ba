//! A registry's process: started on a free port with a folder of its own, and gone when it is dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::before::{self, Servers};
use super::groups::Group;
use super::output::{self, Bounded};
use super::profile::Launch;
use super::program::{find_program, path};
use super::site::Site;

/// The pause between two looks at a process that is to end.
const PAUSE: Duration = Duration::from_millis(5);

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The program is not installed.
    #[error("{program} is not installed{}", install(.line))]
    Missing {
        /// The program.
        program: String,
        /// The line that installs it; empty where the profile has none.
        line: String,
    },
    /// The program says by its exit status, as a shell does, that it found no program.
    #[error("{program} ended with 127: what it needs is not installed{}{}", wrote(.output), install(.line))]
    Incomplete {
        /// The program.
        program: String,
        /// The end of its output.
        output: String,
        /// The line that installs it; empty where the profile has none.
        line: String,
    },
    /// What it needs first was not done.
    #[error("{program} {what}, which is to come before the registry{}", wrote(.output))]
    Before {
        /// The program.
        program: String,
        /// What happened instead.
        what: String,
        /// The end of its output.
        output: String,
    },
    /// Something on this machine is in the way.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl LaunchError {
    /// Whether it says that somebody else has its port.
    pub fn lost_its_port(&self) -> bool {
        matches!(self, LaunchError::Before { output, .. } if is_taken(output))
    }
}

/// Whether a server says that it cannot listen where it should.
fn is_taken(output: &str) -> bool {
    let output = output.to_ascii_lowercase();
    ["address already in use", "address in use", "port is already in use", "is in use by another program"]
        .iter()
        .any(|words| output.contains(words))
}

fn install(line: &str) -> String {
    if line.is_empty() { String::new() } else { format!("; install it by\n    {line}") }
}

fn wrote(output: &str) -> String {
    if output.is_empty() { String::new() } else { format!("; it wrote:\n{output}\n") }
}

/// A process. Dropping it kills it with everything that it started, then what it needed, and removes its folder, if nobody
/// else is in it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Group,
    /// What runs for as long as it is there, started before it.
    #[expect(dead_code, reason = "it ends when it is dropped")]
    servers: Servers,
    site: Site,
    /// The files of its standard output and error.
    outputs: Outputs,
    /// Where in its outputs begins what it wrote since it was started last.
    since: [u64; 2],
    #[expect(dead_code, reason = "it ends when it is dropped")]
    bounded: Bounded,
}

/// The files of a standard output and error.
type Outputs = [&'static str; 2];

/// Those of the first process in a folder.
const OUTPUTS: Outputs = ["stdout", "stderr"];

/// Those of a second one.
const BESIDE: Outputs = ["stdout-beside", "stderr-beside"];

impl Process {
    /// Writes the files, does what comes before, and starts the program on a free port.
    ///
    /// # Errors
    /// It is not installed, or the machine refuses, or what comes before was not done.
    pub async fn start(launch: &Launch) -> Result<Process, LaunchError> {
        program(launch)?;
        Process::at(launch, Site::fresh(launch)?, OUTPUTS).await
    }

    /// Starts a second program on the folder of this one, on a port of its own.
    ///
    /// # Errors
    /// As of the first.
    pub async fn beside(&self, launch: &Launch) -> Result<Process, LaunchError> {
        program(launch)?;
        Process::at(launch, self.site.beside(launch)?, BESIDE).await
    }

    async fn at(launch: &Launch, site: Site, outputs: Outputs) -> Result<Process, LaunchError> {
        let since = lengths(site.folder(), outputs);
        site.write(launch)?;
        let servers = before::done(launch, &site).await?;
        let (child, group) = spawn(launch, &site, outputs)?;
        let files = outputs.iter().map(|name| site.folder().join(name)).chain(before::outputs(launch, &site));
        let bounded = Bounded::of(files.collect());
        Ok(Process { child, group, servers, site, outputs, since, bounded })
    }

    /// Starts a program on the folder and port of this one, which has ended; what it needs is there still.
    ///
    /// # Errors
    /// It is not installed, or the machine refuses.
    pub fn again(&mut self, launch: &Launch) -> Result<(), LaunchError> {
        self.since = lengths(self.site.folder(), self.outputs);
        program(launch)?;
        self.site.write(launch)?;
        (self.child, self.group) = spawn(launch, &self.site, self.outputs)?;
        Ok(())
    }

    /// Ends it: at once, or asked to and given so long. Whether it did as it was asked.
    pub async fn end(&mut self, how: Ending) -> bool {
        let mut obeyed = true;
        if let Ending::Asked(within) = how {
            let since = std::time::Instant::now();
            #[cfg(unix)]
            if let Some(pid) = self.pid() {
                // It may have ended by itself.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
                while self.ended().is_none() && since.elapsed() < within {
                    tokio::time::sleep(PAUSE).await;
                }
                obeyed = self.ended().is_some();
            }
        }
        self.kill();
        obeyed
    }

    /// Kills it with everything that it started.
    fn kill(&mut self) {
        self.group.kill();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    #[cfg(unix)]
    fn pid(&self) -> Option<rustix::process::Pid> {
        rustix::process::Pid::from_raw(i32::try_from(self.child.id()).ok()?)
    }

    /// The folder that is its own: `{dir}`.
    pub fn dir(&self) -> PathBuf {
        self.site.dir()
    }

    /// Puts into a text what is its own.
    pub(super) fn fill(&self, text: &str) -> String {
        self.site.fill(text)
    }

    /// The port that it was given.
    pub fn port(&self) -> u16 {
        self.site.port()
    }

    /// Its exit status, where it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The end of what it wrote to standard output and error since it was started last, printable.
    pub fn output(&self) -> String {
        let files = self.outputs.iter().zip(self.since);
        let parts = files.map(|(name, from)| output::tail(&output::last(&self.site.folder().join(name), from)));
        parts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// Whether it says that somebody else has its port.
    pub fn lost_its_port(&self) -> bool {
        is_taken(&self.output())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How a process is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By SIGTERM; by SIGKILL where it has not ended after this time.
    Asked(Duration),
    /// By SIGKILL.
    Killed,
}

/// The program of a launch.
///
/// # Errors
/// It is not installed.
pub fn program(launch: &Launch) -> Result<PathBuf, LaunchError> {
    let name = launch.command.first().cloned().unwrap_or_default();
    let line = || launch.missing.trim().to_owned();
    find_program(&name).ok_or_else(|| LaunchError::Missing { program: name.clone(), line: line() })
}

/// How long output files are by now.
fn lengths(folder: &Path, outputs: Outputs) -> [u64; 2] {
    outputs.map(|name| folder.join(name).metadata().map_or(0, |file| file.len()))
}

/// Starts a launch's program.
fn spawn(launch: &Launch, site: &Site, outputs: Outputs) -> Result<(Child, Group), LaunchError> {
    let program = program(launch)?;
    let io = |what: String| move |source| LaunchError::Io { what, source };
    let append = |name: &str| {
        let file = File::options().create(true).append(true).open(site.folder().join(name));
        file.map_err(io(format!("{name} cannot be written")))
    };
    let mut command = Command::new(&program);
    command
        .args(launch.command.iter().skip(1).map(|argument| site.fill(argument)))
        .env("PATH", path())
        .envs(launch.env.iter().map(|(key, value)| (key, site.fill(value))))
        .current_dir(site.dir())
        .stdin(Stdio::null())
        .stdout(append(outputs[0])?)
        .stderr(append(outputs[1])?);
    // A group of its own: Ctrl-C must reach us first, which still have to clean up, and what it starts must end with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.spawn().map_err(io(format!("{} cannot be started", program.display())))?;
    let group = Group::of(child.id(), Some(site.folder()));
    Ok((child, group))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
