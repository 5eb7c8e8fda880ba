//! One command of a client, run to its end or to its deadline.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tokio::process::Command;

use super::{Client, Deed, Places};
use crate::target::program::find_program;
use crate::target::{command, output};
use crate::wire::{Access, Credentials};

/// A client that has not ended by then hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How it ended, short and the same every time: `exit 0`, `no end within 60s`.
    pub how: String,
    /// Whether it says that it did what it was told.
    pub well: bool,
    /// Whether it had to be ended.
    pub hung: bool,
    /// The end of what it wrote, printable; secrets are still in it.
    pub output: String,
}

impl Client {
    /// Runs one of its commands. It is killed when this is no longer waited for.
    ///
    /// # Errors
    /// Its folder cannot be written, or it cannot be started.
    pub async fn run(&self, deed: Deed, places: &Places<'_>) -> std::io::Result<Ended> {
        self.prepare(places)?;
        let arguments = self.runs.get(&deed).into_iter().flatten().flat_map(|text| places.argument(text));
        self.start(arguments.collect(), places).await
    }

    /// What it says of its version, in one line.
    pub async fn says_version(&self, places: &Places<'_>) -> String {
        let said = self.start(self.version.clone(), places).await.map(|ended| ended.output).unwrap_or_default();
        said.lines().next().unwrap_or_default().trim().to_owned()
    }

    async fn start(&self, arguments: Vec<String>, places: &Places<'_>) -> std::io::Result<Ended> {
        let program = find_program(&self.program).unwrap_or_else(|| PathBuf::from(&self.program));
        let mut command = Command::new(program);
        command.args(arguments).current_dir(places.dir).env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path))).env("HOME", places.dir);
        command.env("TMPDIR", places.dir).envs(self.env.iter().map(|(name, value)| (name, places.text(value))));
        // Both clients are Go's, whose roots this replaces.
        command.envs(places.access.ca.as_ref().map(|ca| ("SSL_CERT_FILE", ca)));
        let ended = command::run(command, DEADLINE, false).await?;
        let how = match ended.status.map(|status| (status, status.code())) {
            None => format!("no end within {} s", DEADLINE.as_secs()),
            Some((_, Some(code))) => format!("exit {code}"),
            Some((status, None)) => status.to_string(),
        };
        let well = ended.status.is_some_and(|status| status.success());
        Ok(Ended { how, well, hung: ended.status.is_none(), output: output::tail(&ended.output) })
    }

    /// Writes what it reads into its folder, which nobody else can look into.
    fn prepare(&self, places: &Places<'_>) -> std::io::Result<()> {
        std::fs::create_dir_all(places.dir.join("auth"))?;
        write(&places.dir.join("auth/config.json"), &auths(places.access))?;
        self.files.iter().try_for_each(|(name, text)| write(&places.dir.join(name), &places.text(text)))
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

/// Docker's `config.json`: who asks this registry.
fn auths(access: &Access) -> String {
    let entry = match &access.credentials {
        None => return "{}".into(),
        Some(Credentials::Basic { user, password }) => {
            let header = crate::wire::basic(user, password).0;
            json!({"auth": header.trim_start_matches("Basic ")})
        }
        Some(Credentials::IdentityToken(token)) => json!({"identitytoken": token.0}),
    };
    json!({"auths": {&access.host: entry}}).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn shell(script: &str) -> Client {
        Client {
            program: "sh".into(),
            missing: String::new(),
            version: vec!["-c".into(), "echo sh 1; echo more".into()],
            env: BTreeMap::from([("WHERE".into(), "{dir}/x".into())]),
            files: BTreeMap::from([("x".into(), "host {host}".into())]),
            runs: BTreeMap::from([(Deed::CopyAll, vec!["-c".into(), script.into()])]),
        }
    }

    #[tokio::test]
    async fn it_has_its_files_and_credentials_and_nothing_of_the_users() {
        let dir = tempfile::tempdir().unwrap();
        let access =
            Access { host: "h:1".into(), credentials: Some(Credentials::basic("user", "pass")), ..Access::default() };
        let (from, to) = ("a:b".to_owned(), "c:d".to_owned());
        let places = Places { dir: dir.path(), access: &access, from, to, platforms: &[] };
        let client = shell("cat $WHERE auth/config.json; echo; env | cut -d= -f1 | sort | tr '\\n' ' '; exit 3");
        let ended = client.run(Deed::CopyAll, &places).await.unwrap();
        assert_eq!((ended.how.as_str(), ended.well), ("exit 3", false));
        let lines: Vec<&str> = ended.output.lines().collect();
        assert_eq!(lines[0], r#"host h:1{"auths":{"h:1":{"auth":"dXNlcjpwYXNz"}}}"#);
        let allowed = ["HOME", "PATH", "TMPDIR", "WHERE", "PWD", "OLDPWD", "SHLVL", "_"];
        assert!(lines[1].split_whitespace().all(|name| allowed.contains(&name)), "{}", lines[1]);
        let mode = dir.path().join("auth/config.json").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(client.says_version(&places).await, "sh 1");
    }
}
