//! What runs of lacuna are tested with: a registry, and a run in a folder of its own.
#![allow(dead_code, reason = "each test uses a part")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lacuna::record::{RunRecord, store};
use lacuna::reference::{self, Config, Running};
use lacuna::verdict::Verdict;
use libtest_mimic::Failed;

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

/// What is to be done when something is not installed: a failure in CI, a loud line elsewhere.
pub fn missing(what: &str) -> Result<(), Failed> {
    let text = format!("NOT RUN: `{what}` is not installed; .ci/peers installs it");
    if std::env::var_os("CI").is_some() {
        return Err(text.into());
    }
    eprintln!("{text}");
    Ok(())
}

/// What the OCI's suite said of a registry, everything on.
pub struct OciSuite {
    /// What it printed.
    pub text: String,
    /// Where its files are.
    pub out: tempfile::TempDir,
}

impl OciSuite {
    /// Asks the registry at `host:port` by an edition of the spec.
    pub fn run(suite: &Path, address: &str, edition: &str) -> std::io::Result<OciSuite> {
        let out = tempfile::tempdir()?;
        let run = Command::new(suite)
            .env("OCI_REGISTRY", address)
            .env("OCI_TLS", "disabled")
            .env("OCI_VERSION", edition)
            .env("OCI_DATA_SPARSE", "true")
            .env("OCI_RESULTS_DIR", out.path())
            .current_dir(out.path())
            .output()?;
        let text = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        Ok(OciSuite { text, out })
    }

    /// One of its counts: `Pass`, `FAIL`, `Error`, `Total`. It ends with 0 when its configuration is broken, and has none then.
    pub fn count(&self, name: &str) -> Option<u64> {
        self.text.lines().filter_map(|line| line.split_once(':')).find_map(|(key, value)| {
            (key.trim().trim_end_matches('.') == name).then(|| value.trim().parse().ok()).flatten()
        })
    }
}
