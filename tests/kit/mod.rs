//! What runs of lacuna are tested with: a registry, and a run in a folder of its own.
#![allow(dead_code, reason = "each test uses a part")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lacuna::record::{RunRecord, store};
use lacuna::reference::{self, Config, Running};
use lacuna::verdict::Verdict;

/// A registry of our own on a free port, in a process of its own making: this one.
pub struct Served {
    pub url: String,
    running: Option<Running>,
    runtime: tokio::runtime::Runtime,
}

impl Served {
    pub fn start(defects: &[&'static str]) -> Served {
        let config = Config { defects: defects.iter().copied().collect(), ..Config::default() };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = runtime.block_on(reference::start(config, address)).unwrap();
        Served { url: running.url.clone(), running: Some(running), runtime }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}

/// A run in a folder of its own.
pub struct Run {
    pub folder: tempfile::TempDir,
    pub output: Output,
}

impl Run {
    pub fn command(folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lacuna"));
        command.current_dir(folder).arg("run").args(arguments).args(["--out", "out", "--no-progress"]);
        command
    }

    pub fn of(arguments: &[&str]) -> Run {
        Run::within(tempfile::tempdir().unwrap(), arguments)
    }

    pub fn within(folder: tempfile::TempDir, arguments: &[&str]) -> Run {
        let output = Run::command(folder.path(), arguments).output().unwrap();
        Run { folder, output }
    }

    pub fn code(&self) -> i32 {
        self.output.status.code().expect("it ended by itself")
    }

    pub fn text(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.output.stdout), String::from_utf8_lossy(&self.output.stderr))
    }

    pub fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    pub fn record(&self) -> RunRecord {
        store::read(&self.out()).unwrap()
    }

    pub fn verdicts(&self) -> Vec<(String, Verdict)> {
        self.record().cases.into_iter().map(|case| (case.id, case.verdict)).collect()
    }
}

/// The program's path: in PATH, or where Go and cargo install.
pub fn find(program: &str) -> Option<PathBuf> {
    let installed =
        [("GOBIN", ""), ("GOPATH", "bin"), ("HOME", "go/bin"), ("CARGO_HOME", "bin"), ("HOME", ".cargo/bin")]
            .into_iter()
            .filter_map(|(name, below)| std::env::var_os(name).map(|value| PathBuf::from(value).join(below)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(installed).map(|folder| folder.join(program)).find(|file| file.is_file())
}
