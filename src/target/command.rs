//! A command of a profile, run to its end or to its deadline: nothing of it goes on when nobody waits for it any more.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::process::Command;

use super::groups::Group;
use super::output;

/// The pause between two looks at how much it wrote.
const LOOK: Duration = Duration::from_millis(100);

/// What it may have written before all but the end of it is thrown away, in bytes.
const MOST: u64 = 16 << 20;

/// What came of a command.
pub(crate) struct Ended {
    /// `None`: it did not end in time, and was killed.
    pub status: Option<ExitStatus>,
    /// The last bytes that it wrote.
    pub output: Vec<u8>,
}

/// Runs it. With everything that it started it is killed when it does not end `within`, and when this is no longer waited
/// for; what it leaves running when it ends by itself goes on only where `leaves` is set.
///
/// # Errors
/// It cannot be started.
pub(crate) async fn run(mut command: Command, within: Duration, leaves: bool) -> std::io::Result<Ended> {
    let file = tempfile::NamedTempFile::new()?;
    // Both outputs append to one file, so that neither overwrites the other; a file also lets nobody wait for a reader, nor
    // us for somebody who holds a pipe open.
    let append = || File::options().append(true).open(file.path());
    command.stdin(Stdio::null()).stdout(append()?).stderr(append()?).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn()?;
    let mut group = child.id().map(|leader| Group::of(leader, None));
    let mut before = Vec::new();
    let since = Instant::now();
    let status = loop {
        let left = within.saturating_sub(since.elapsed());
        match tokio::time::timeout(left.min(LOOK), child.wait()).await {
            Ok(status) => break Some(status?),
            Err(_) if since.elapsed() >= within => break None,
            Err(_) => shorten(file.path(), &mut before)?,
        }
    };
    if leaves && status.is_some() {
        group.iter_mut().for_each(Group::leave);
    }
    drop(group);
    before.extend(output::last(file.path(), 0));
    Ok(Ended { status, output: before })
}

/// Keeps the end of what it wrote and throws the rest away, where it is much.
fn shorten(path: &Path, before: &mut Vec<u8>) -> std::io::Result<()> {
    if path.metadata()?.len() > MOST {
        *before = output::last(path, 0);
        File::options().write(true).open(path)?.set_len(0)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    /// Whether a process that wrote its id into the output is gone, within ten seconds.
    async fn is_gone(pid: &str) -> bool {
        let stat = format!("/proc/{pid}/stat");
        for _ in 0..1000 {
            if std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z ")) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    #[tokio::test]
    async fn one_that_hangs_dies_with_its_children_at_its_deadline() {
        let since = Instant::now();
        let ended = run(shell("sleep 300 & echo $!; wait"), Duration::from_millis(300), true).await.unwrap();
        assert!(ended.status.is_none() && since.elapsed() < Duration::from_secs(20));
        assert!(is_gone(output::tail(&ended.output).trim()).await);
    }

    #[tokio::test]
    async fn one_that_forks_and_keeps_its_output_open_is_not_waited_for() {
        for leaves in [false, true] {
            let since = Instant::now();
            let ended = run(shell("sleep 30 & echo $!"), Duration::from_secs(20), leaves).await.unwrap();
            assert!(ended.status.unwrap().success() && since.elapsed() < Duration::from_secs(15));
            let pid = output::tail(&ended.output);
            if leaves {
                assert!(Path::new("/proc").join(&pid).exists());
                std::process::Command::new("kill").arg(&pid).status().unwrap();
            }
            assert!(is_gone(&pid).await);
        }
    }

    #[tokio::test]
    async fn when_nobody_waits_any_more_it_and_its_children_die() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 300 & echo $! > {}; wait", file.display());
        let waiting = run(shell(&script), Duration::from_secs(60), false);
        let read = || std::fs::read_to_string(&file).unwrap_or_default().trim().to_owned();
        tokio::select! {
            _ = waiting => unreachable!("it sleeps"),
            () = async { while read().is_empty() { tokio::time::sleep(Duration::from_millis(10)).await; } } => {}
        }
        assert!(is_gone(&read()).await);
    }

    #[tokio::test]
    async fn whatever_it_writes_its_end_is_told_and_no_disk_fills() {
        let noise = "head -c 40000000 /dev/zero | tr '\\0' 'x'; printf '\\n\\377\\033[31mlast\\n' >&2; exit 3";
        let ended = run(shell(noise), Duration::from_secs(60), false).await.unwrap();
        assert_eq!(ended.status.unwrap().code(), Some(3));
        let text = output::tail(&ended.output);
        assert!(text.ends_with("\n\u{fffd}\u{fffd}[31mlast") && text.len() <= 5000, "{}", text.len());
        let killed = run(shell("kill -9 $$"), Duration::from_secs(20), false).await.unwrap();
        assert_eq!(killed.status.unwrap().code(), None);
    }
}
