//! What is started, and that nothing of it is left.

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

#[tokio::test]
async fn a_program_that_is_not_there_is_told_with_the_line_that_installs_it() {
    let launch = Launch {
        command: vec!["no-such-registry".into()],
        missing: "apt-get install no-such-registry".into(),
        ..Launch::default()
    };
    let error = Process::start(&launch).await.unwrap_err().to_string();
    assert_eq!(error, "no-such-registry is not installed; install it by\n    apt-get install no-such-registry");
}

#[tokio::test]
async fn placeholders_are_put_into_files_arguments_and_environment() {
    let mut launch = shell("cat deep/config; echo \"$WHERE {port}\"; pwd");
    launch.files.insert("deep/config".into(), "listen {port} in {dir} {other}\n".into());
    launch.env.insert("WHERE".into(), "{dir}/x".into());
    let mut process = Process::start(&launch).await.unwrap();
    wait_for(|| process.output().lines().count() == 3);
    let output = process.output();
    let dir = process.site.folder().join("dir").display().to_string();
    let port = process.port();
    assert_eq!(output, format!("listen {port} in {dir} {{other}}\n{dir}/x {port}\n{dir}"));
    while process.ended().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn dropping_it_ends_all_that_it_started_and_removes_its_folder() {
    let process = Process::start(&shell("sleep 300 & echo $!; wait")).await.unwrap();
    wait_for(|| !process.output().is_empty());
    let grandchild = PathBuf::from("/proc").join(process.output());
    let folder = process.site.folder().to_owned();
    drop(process);
    assert!(!folder.exists());
    let dead = || std::fs::read_to_string(grandchild.join("stat")).map_or(true, |stat| stat.contains(") Z "));
    wait_for(dead);
}

#[tokio::test]
async fn only_the_end_of_the_output_is_shown_and_it_is_printable() {
    let process =
        Process::start(&shell("seq 1 10000; printf '\\033[31mred\\n' >&2; echo Address already in use")).await.unwrap();
    wait_for(|| process.output().contains("red"));
    let output = process.output();
    assert!(output.contains("10000") && !output.contains("\n9000\n") && !output.contains('\u{1b}'), "{output}");
    assert!(process.lost_its_port());
}

#[tokio::test]
async fn two_processes_never_get_one_port() {
    let mut all = Vec::new();
    for _ in 0..20 {
        all.push(Process::start(&shell("sleep 60")).await.unwrap());
    }
    let ports: BTreeSet<u16> = all.iter().map(Process::port).collect();
    assert_eq!(ports.len(), all.len());
}
