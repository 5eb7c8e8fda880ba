//! Who asks: credentials, and where they come from. They are never written in a profile.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use docker_credential::{CredentialRetrievalError, DockerCredential};

use super::auth;
use super::exchange::Secret;
use super::redact::Secrets;

/// A credential helper that has said nothing for so long is given up.
const HELPER_DEADLINE: Duration = Duration::from_secs(20);

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Basic; also shown to the token endpoint of a Bearer challenge.
    Basic {
        /// User.
        user: String,
        /// Password.
        password: Secret,
    },
    /// An OAuth2 refresh token (docker calls it identity token): exchanged at the token endpoint, of no use for Basic.
    IdentityToken(Secret),
}

impl Credentials {
    /// A user and a password.
    pub fn basic(user: &str, password: &str) -> Credentials {
        Credentials::Basic { user: user.to_owned(), password: Secret(password.to_owned()) }
    }

    /// From two environment variables: the user's and the password's.
    ///
    /// # Errors
    /// The variable that is absent, or holds no text.
    pub fn from_env(user: &str, password: &str) -> Result<Credentials, String> {
        let read = |name: &str| match std::env::var(name) {
            Ok(value) if value.is_empty() => Err(format!("the environment variable {name} is empty")),
            Ok(value) => Ok(value),
            Err(std::env::VarError::NotPresent) => Err(format!("the environment variable {name} is not set")),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!("the environment variable {name} holds no text")),
        };
        Ok(Credentials::basic(&read(user)?, &read(password)?))
    }

    /// From docker's config.json (`$DOCKER_CONFIG`, else `~/.docker`): `credHelpers`, `auths`, `credsStore`. `None`
    /// where it says nothing of this registry.
    ///
    /// # Errors
    /// The file is absent or cannot be read, or its helper fails.
    pub fn from_docker_config(registry: &str) -> Result<Option<Credentials>, String> {
        let folder = std::env::var_os("DOCKER_CONFIG")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker")))
            .ok_or("neither DOCKER_CONFIG nor HOME is set, so docker's config.json cannot be found")?;
        let path = folder.join("config.json");
        let help = "`docker login` writes it; one that holds {} asks without credentials";
        let text =
            crate::input::read(&path, crate::input::MOST).map_err(|e| format!("{}: {e} ({help})", path.display()))?;
        ask(text, registry).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// From the program `docker-credential-NAME`.
    ///
    /// # Errors
    /// It is not installed, fails, knows nothing of this registry, or takes longer than 20 seconds.
    pub fn from_helper(name: &str, registry: &str) -> Result<Credentials, String> {
        let config = serde_json::json!({"credHelpers": {registry: name}}).to_string();
        match ask(config.into_bytes(), registry) {
            Ok(Some(credentials)) => Ok(credentials),
            Ok(None) => Err(format!("docker-credential-{name} knows nothing of {registry}")),
            Err(what) => Err(format!("docker-credential-{name}: {what}")),
        }
    }

    /// A text from elsewhere without them.
    pub fn redacted(&self, text: &str) -> String {
        self.secrets().scrub_text(text)
    }

    /// Them, as an exchange must not show them.
    pub(crate) fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add(&self.secret().0);
        if let Credentials::Basic { user, password } = self {
            secrets.add_authorization(&auth::basic(user, password).0);
        }
        secrets
    }

    /// What must never be shown.
    fn secret(&self) -> &Secret {
        match self {
            Credentials::Basic { password, .. } => password,
            Credentials::IdentityToken(token) => token,
        }
    }
}

/// Asks docker's way, in a thread of its own: a helper may hang.
fn ask(config: Vec<u8>, registry: &str) -> Result<Option<Credentials>, String> {
    let (answer, answered) = mpsc::channel();
    let registry = registry.to_owned();
    std::thread::spawn(move || {
        let found = docker_credential::get_credential_from_reader(config.as_slice(), &registry);
        // Nobody listens any more after the deadline.
        let _ = answer.send(found);
    });
    let found = answered
        .recv_timeout(HELPER_DEADLINE)
        .map_err(|_| format!("the credential helper did not answer within {} s", HELPER_DEADLINE.as_secs()))?;
    match found {
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(Some(Credentials::basic(&user, &password))),
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Credentials::IdentityToken(Secret(token)))),
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
        // A helper's output may hold what it should not: only its name is repeated, and the one answer that all know.
        Err(CredentialRetrievalError::HelperFailure { helper, stdout, stderr }) => {
            if stdout.contains("credentials not found") || stderr.contains("credentials not found") {
                return Ok(None);
            }
            Err(format!("{helper} failed; run `echo REGISTRY | {helper} get` to see why"))
        }
        Err(CredentialRetrievalError::HelperCommunicationError) => {
            Err("its credential helper could not be started; is it installed and on PATH?".into())
        }
        Err(other) => Err(other.to_string().to_lowercase()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn docker_config_is_read() {
        let auth = "dXNlcjpwYXNz"; // user:pass
        let config = |text: String| ask(text.into_bytes(), "127.0.0.1:5000");
        assert_eq!(
            config(format!(r#"{{"auths": {{"127.0.0.1:5000": {{"auth": "{auth}"}}}}}}"#)).unwrap(),
            Some(Credentials::basic("user", "pass"))
        );
        assert_eq!(
            config(format!(r#"{{"auths": {{"https://127.0.0.1:5000/v1/": {{"auth": "{auth}"}}}}}}"#)).unwrap(),
            Some(Credentials::basic("user", "pass"))
        );
        assert_eq!(
            config(r#"{"auths": {"127.0.0.1:5000": {"identitytoken": "tok"}}}"#.into()).unwrap(),
            Some(Credentials::IdentityToken(Secret("tok".into())))
        );
        assert_eq!(config(r#"{"auths": {"other": {"auth": "eA=="}}}"#.into()).unwrap(), None);
        assert_eq!(config("{}".into()).unwrap(), None);
        assert!(config("{".into()).is_err());
        assert!(config(r#"{"auths": {"127.0.0.1:5000": {"auth": "!"}}}"#.into()).is_err());
    }

    #[test]
    fn what_is_absent_is_named() {
        let problem = Credentials::from_env("LACUNA_TEST_NO_SUCH_USER", "LACUNA_TEST_NO_SUCH_PASSWORD").unwrap_err();
        assert!(problem.contains("LACUNA_TEST_NO_SUCH_USER is not set"), "{problem}");
        let problem = Credentials::from_helper("lacuna-no-such-helper", "127.0.0.1:5000").unwrap_err();
        assert!(problem.contains("lacuna-no-such-helper"), "{problem}");
        assert!(problem.contains("installed"), "{problem}");
    }

    #[test]
    fn a_password_is_not_printed() {
        let shown = format!("{:?}", Credentials::basic("user", "hunter22"));
        assert!(shown.contains("user") && !shown.contains("hunter22"), "{shown}");
    }
}
