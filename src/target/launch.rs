//! A registry's process: started on a free port with a folder of its own, and gone when it is dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::groups::Group;
use super::output;
use super::ports::{free_port, release};
use super::profile::Launch;
use super::program::find_program;

/// The folder of a process within its temporary one, beside what it writes to its outputs.
const DIR: &str = "dir";

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
    /// Something on this machine is in the way.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

fn install(line: &str) -> String {
    if line.is_empty() { String::new() } else { format!("; install it by\n    {line}") }
}

fn wrote(output: &str) -> String {
    if output.is_empty() { String::new() } else { format!("; it wrote:\n{output}\n") }
}

/// A process. Dropping it kills it with everything that it started, and removes its folder, if nobody else is in it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Group,
    folder: Arc<TempDir>,
    port: u16,
    /// The files of its standard output and error.
    outputs: Outputs,
    /// Where in its outputs begins what it wrote since it was started last.
    since: [u64; 2],
}

/// The files of a standard output and error.
type Outputs = [&'static str; 2];

/// Those of the first process in a folder.
const OUTPUTS: Outputs = ["stdout", "stderr"];

/// Those of a second one.
const BESIDE: Outputs = ["stdout-beside", "stderr-beside"];

impl Process {
    /// Writes the files, and starts the program on a free port.
    ///
    /// # Errors
    /// It is not installed, or the machine refuses.
    pub fn start(launch: &Launch) -> Result<Process, LaunchError> {
        program(launch)?;
        let io = |what: String| move |source| LaunchError::Io { what, source };
        let folder = tempfile::Builder::new()
            .prefix("lacuna-")
            .tempdir()
            .map_err(io("a temporary folder cannot be made".into()))?;
        let dir = folder.path().join(DIR);
        std::fs::create_dir(&dir).map_err(io(format!("{} cannot be made", dir.display())))?;
        Process::within(launch, Arc::new(folder), OUTPUTS)
    }

    /// Starts a second program on the folder of this one, on a port of its own.
    ///
    /// # Errors
    /// It is not installed, or the machine refuses.
    pub fn beside(&self, launch: &Launch) -> Result<Process, LaunchError> {
        Process::within(launch, self.folder.clone(), BESIDE)
    }

    fn within(launch: &Launch, folder: Arc<TempDir>, outputs: Outputs) -> Result<Process, LaunchError> {
        let port = free_port().map_err(|source| LaunchError::Io { what: "no free port".into(), source })?;
        let since = lengths(folder.path(), outputs);
        let (child, group) = spawn(launch, folder.path(), port, outputs).inspect_err(|_| release(port))?;
        Ok(Process { child, group, folder, port, outputs, since })
    }

    /// Starts a program on the folder and port of this one, which has ended.
    ///
    /// # Errors
    /// It is not installed, or the machine refuses.
    pub fn again(&mut self, launch: &Launch) -> Result<(), LaunchError> {
        self.since = lengths(self.folder.path(), self.outputs);
        (self.child, self.group) = spawn(launch, self.folder.path(), self.port, self.outputs)?;
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
        self.folder.path().join(DIR)
    }

    /// The port that it was given.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its exit status, where it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The end of what it wrote to standard output and error since it was started last, printable.
    pub fn output(&self) -> String {
        let files = self.outputs.iter().zip(self.since);
        let parts = files.map(|(name, from)| output::tail(&output::last(&self.folder.path().join(name), from)));
        parts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// Whether it says that somebody else has its port.
    pub fn lost_its_port(&self) -> bool {
        self.output().to_ascii_lowercase().contains("address already in use")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        release(self.port);
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

/// Writes a launch's files, and starts its program.
fn spawn(launch: &Launch, folder: &Path, port: u16, outputs: Outputs) -> Result<(Child, Group), LaunchError> {
    let program = program(launch)?;
    let io = |what: String| move |source| LaunchError::Io { what, source };
    let dir = folder.join(DIR);
    let fill = |text: &str| fill(text, port, &dir);
    for (path, text) in &launch.files {
        let path = dir.join(path);
        let parent = path.parent().unwrap_or(&dir);
        std::fs::create_dir_all(parent).map_err(io(format!("{} cannot be made", parent.display())))?;
        std::fs::write(&path, fill(text)).map_err(io(format!("{} cannot be written", path.display())))?;
    }
    let append = |name: &str| {
        let file = File::options().create(true).append(true).open(folder.join(name));
        file.map_err(io(format!("{name} cannot be written")))
    };
    let mut command = Command::new(&program);
    command
        .args(launch.command.iter().skip(1).map(|argument| fill(argument)))
        .envs(launch.env.iter().map(|(key, value)| (key, fill(value))))
        .current_dir(&dir)
        .stdin(Stdio::null())
        .stdout(append(outputs[0])?)
        .stderr(append(outputs[1])?);
    // A group of its own: Ctrl-C must reach us first, which still have to clean up, and what it starts must end with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.spawn().map_err(io(format!("{} cannot be started", program.display())))?;
    let group = Group::of(child.id(), Some(folder));
    Ok((child, group))
}

/// Puts the placeholders in.
pub(super) fn fill(text: &str, port: u16, dir: &Path) -> String {
    text.replace("{port}", &port.to_string()).replace("{dir}", &dir.display().to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Launch {
        Launch { command: vec!["sh".into(), "-c".into(), script.into()], ..Launch::default() }
    }

    fn wait_for(what: impl Fn() -> bool) {
        let start = Instant::now();
        while !what() {
            assert!(start.elapsed() < Duration::from_secs(10), "it never came");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_told_with_the_line_that_installs_it() {
        let launch = Launch {
            command: vec!["no-such-registry".into()],
            missing: "apt-get install no-such-registry".into(),
            ..Launch::default()
        };
        let error = Process::start(&launch).unwrap_err().to_string();
        assert_eq!(error, "no-such-registry is not installed; install it by\n    apt-get install no-such-registry");
    }

    #[test]
    fn placeholders_are_put_into_files_arguments_and_environment() {
        let mut launch = shell("cat deep/config; echo \"$WHERE {port}\"; pwd");
        launch.files.insert("deep/config".into(), "listen {port} in {dir} {other}\n".into());
        launch.env.insert("WHERE".into(), "{dir}/x".into());
        let mut process = Process::start(&launch).unwrap();
        wait_for(|| process.output().lines().count() == 3);
        let output = process.output();
        let dir = process.folder.path().join("dir").display().to_string();
        let port = process.port();
        assert_eq!(output, format!("listen {port} in {dir} {{other}}\n{dir}/x {port}\n{dir}"));
        while process.ended().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn dropping_it_ends_all_that_it_started_and_removes_its_folder() {
        let process = Process::start(&shell("sleep 300 & echo $!; wait")).unwrap();
        wait_for(|| !process.output().is_empty());
        let grandchild = PathBuf::from("/proc").join(process.output());
        let folder = process.folder.path().to_owned();
        drop(process);
        assert!(!folder.exists());
        let dead = || std::fs::read_to_string(grandchild.join("stat")).map_or(true, |stat| stat.contains(") Z "));
        wait_for(dead);
    }

    #[test]
    fn only_the_end_of_the_output_is_shown_and_it_is_printable() {
        let process =
            Process::start(&shell("seq 1 10000; printf '\\033[31mred\\n' >&2; echo Address already in use")).unwrap();
        wait_for(|| process.output().contains("red"));
        let output = process.output();
        assert!(output.contains("10000") && !output.contains("\n9000\n") && !output.contains('\u{1b}'), "{output}");
        assert!(process.lost_its_port());
    }

    #[test]
    fn two_processes_never_get_one_port() {
        let all: Vec<Process> = (0..20).map(|_| Process::start(&shell("sleep 60")).unwrap()).collect();
        let ports: BTreeSet<u16> = all.iter().map(Process::port).collect();
        assert_eq!(ports.len(), all.len());
    }
}
