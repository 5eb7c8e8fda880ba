//! What a launched target needs before it starts: commands that end, and servers that go on for as long as it is there.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::groups::Group;
use super::launch::LaunchError;
use super::profile::{Before, Launch};
use super::program::{find_program, path};
use super::site::Site;
use super::{command, output};

/// The pause between two looks at a server that does not listen yet, or has not ended.
const PAUSE: Duration = Duration::from_millis(10);

/// How long a server that is asked to end may take.
const END: Duration = Duration::from_secs(3);

/// The exit status by which a shell says that a program is not there.
const NOT_FOUND: i32 = 127;

/// Servers that a target needs, in the order of their starts. Dropping them ends them, the last one first.
#[derive(Debug, Default)]
pub(super) struct Servers(Vec<Server>);

/// One of them.
#[derive(Debug)]
struct Server {
    child: Child,
    group: Group,
}

/// Whether all programs are installed.
///
/// # Errors
/// The first that is not, with the line that installs it.
pub(super) fn installed(launch: &Launch) -> Result<(), LaunchError> {
    launch.before.iter().try_for_each(|step| {
        let program = name(step);
        let missing = || LaunchError::Missing { program: program.clone(), line: line(step, launch) };
        find_program(&program).map(|_| ()).ok_or_else(missing)
    })
}

/// Does all of it, in order; each begins when the one before it has ended, or listens.
///
/// # Errors
/// What did not come to its end, with the end of what it wrote.
pub(super) async fn done(launch: &Launch, site: &Site) -> Result<Servers, LaunchError> {
    installed(launch)?;
    let mut servers = Servers::default();
    for (place, step) in launch.before.iter().enumerate() {
        match &step.listens {
            Some(port) => {
                let port = site.named(port).unwrap_or_default();
                servers.0.push(started(launch, step, site, place, port).await?);
            }
            None => ran(launch, step, site).await?,
        }
    }
    Ok(servers)
}

/// Where a server writes.
fn written(site: &Site, place: usize) -> PathBuf {
    site.folder().join(format!("before-{place}"))
}

/// The files of all servers.
pub(super) fn outputs(launch: &Launch, site: &Site) -> Vec<PathBuf> {
    let servers = launch.before.iter().enumerate().filter(|(_, step)| step.listens.is_some());
    servers.map(|(place, _)| written(site, place)).collect()
}

/// Runs a command to its end.
async fn ran(launch: &Launch, step: &Before, site: &Site) -> Result<(), LaunchError> {
    let program = name(step);
    let io = |source| LaunchError::Io { what: format!("{program} cannot be run"), source };
    let ended = command::run(prepared(launch, step, site).into(), step.within.0, false).await.map_err(io)?;
    let what = match ended.status {
        Some(status) if status.success() => return Ok(()),
        Some(status) if status.code() == Some(NOT_FOUND) => {
            return Err(LaunchError::Incomplete {
                program,
                output: output::tail(&ended.output),
                line: line(step, launch),
            });
        }
        Some(status) => format!("ended with {status}"),
        None => format!("did not end within {}", step.within),
    };
    Err(LaunchError::Before { program, what, output: output::tail(&ended.output) })
}

/// Starts a server, and waits until it listens.
async fn started(launch: &Launch, step: &Before, site: &Site, place: usize, port: u16) -> Result<Server, LaunchError> {
    let program = name(step);
    let file = written(site, place);
    let io = |source| LaunchError::Io { what: format!("{program} cannot be started"), source };
    let append = || File::options().create(true).append(true).open(&file);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if tokio::net::TcpStream::connect(address).await.is_ok() {
        let what = format!("cannot listen on port {port}");
        return Err(LaunchError::Before { program, what, output: "somebody does: address already in use".into() });
    }
    let mut command = prepared(launch, step, site);
    command.stdin(Stdio::null()).stdout(append().map_err(io)?).stderr(append().map_err(io)?);
    // A group of its own, as the registry has.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.spawn().map_err(io)?;
    let group = Group::of(child.id(), None);
    let mut server = Server { child, group };
    let since = Instant::now();
    loop {
        let ended = server.child.try_wait().map_err(io)?;
        let wrote = || output::tail(&output::last(&file, 0));
        match ended {
            Some(status) if status.code() == Some(NOT_FOUND) => {
                return Err(LaunchError::Incomplete { program, output: wrote(), line: line(step, launch) });
            }
            Some(status) => {
                let what = format!("ended with {status} before it listened");
                return Err(LaunchError::Before { program, what, output: wrote() });
            }
            None if tokio::net::TcpStream::connect(address).await.is_ok() => return Ok(server),
            None if since.elapsed() >= step.within.0 => {
                let what = format!("did not listen within {}", step.within);
                return Err(LaunchError::Before { program, what, output: wrote() });
            }
            None => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Its command, in the folder, with placeholders put in.
fn prepared(launch: &Launch, step: &Before, site: &Site) -> Command {
    let program = name(step);
    let mut command = Command::new(find_program(&program).unwrap_or_else(|| program.into()));
    command
        .args(step.command.iter().skip(1).map(|argument| site.fill(argument)))
        .env("PATH", path())
        .envs(launch.env.iter().chain(&step.env).map(|(key, value)| (key, site.fill(value))))
        .current_dir(site.dir());
    command
}

fn name(step: &Before) -> String {
    step.command.first().cloned().unwrap_or_default()
}

/// The line that installs it: its own, else the registry's.
fn line(step: &Before, launch: &Launch) -> String {
    let line = if step.missing.is_empty() { &launch.missing } else { &step.missing };
    line.trim().to_owned()
}

impl Drop for Servers {
    fn drop(&mut self) {
        while let Some(server) = self.0.pop() {
            drop(server);
        }
    }
}

impl Drop for Server {
    /// Asks first: what is killed leaves behind what only it can remove, such as shared memory.
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let since = Instant::now();
            if matches!(self.child.try_wait(), Ok(None)) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
            while matches!(self.child.try_wait(), Ok(None)) && since.elapsed() < END {
                std::thread::sleep(PAUSE);
            }
        }
        self.group.kill();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
