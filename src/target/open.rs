//! From a target's specification to a target that answers.

use std::path::PathBuf;

use super::argument::TargetSpec;
use super::embedded;
use super::launch::{LaunchError, Process};
use super::profile::{Auth, Launch, Profile};
use super::start::launched;
use crate::record::TargetRecord;
use crate::reference::{Config, Running};
use crate::wire::{Ask, Client, Credentials, Exchange, Settings};

/// A target that answers. Dropping it ends what was started for it.
#[derive(Debug)]
pub struct Live {
    /// The profile's name, `host_port`, or `reference`.
    pub name: String,
    /// Product and version, where the profile says.
    pub product: Option<String>,
    /// Its profile.
    pub profile: Profile,
    /// Asks it.
    pub client: Client,
    /// Its base URL.
    pub url: String,
    /// What it was opened from.
    pub(super) spec: TargetSpec,
    /// What ends with it.
    pub(super) guard: Guard,
}

/// What ends with the target.
pub(super) enum Guard {
    /// Nothing: it ran before us.
    None,
    /// A process of ours, and how it was started last.
    Process(Process, Box<Launch>),
    /// The embedded registry.
    Reference(Box<Running>),
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Guard::None => f.write_str("None"),
            Guard::Process(process, _) => process.fmt(f),
            Guard::Reference(running) => f.debug_tuple("Reference").field(&running.url).finish(),
        }
    }
}

/// Why a target cannot be tested (exit 3).
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It could not be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// It was started, and did not become ready.
    #[error("{program} {what}{}", shown(.output))]
    NotReady {
        /// The program.
        program: String,
        /// What happened instead.
        what: String,
        /// The end of its output.
        output: String,
    },
    /// Nobody answers.
    #[error("no registry answers: {tried}{hint}")]
    NoAnswer {
        /// The request, and what came of it.
        tried: String,
        /// What may help.
        hint: &'static str,
    },
    /// It wants to know who asks.
    #[error("it does not let us in: {tried}; {hint}")]
    Denied {
        /// The request, and what came of it.
        tried: String,
        /// What may help.
        hint: String,
    },
    /// No credentials, or no client, by this profile.
    #[error("{0}")]
    Settings(String),
    /// The embedded registry cannot listen.
    #[error("the embedded reference registry cannot listen: {0}")]
    Reference(std::io::Error),
}

pub(super) fn shown(output: &str) -> String {
    if output.is_empty() { "; it wrote nothing".into() } else { format!("; it wrote:\n{output}") }
}

impl OpenError {
    /// The same without the password: what was started may have written it.
    fn without_password(self, spec: &TargetSpec) -> OpenError {
        let env = spec.profile.auth.as_ref().and_then(|auth| auth.env.as_ref());
        let Some(known) = env.and_then(|(user, password)| Credentials::from_env(user, password).ok()) else {
            return self;
        };
        let clean = |text: String| known.redacted(&text);
        match self {
            OpenError::NotReady { program, what, output } => {
                OpenError::NotReady { program, what: clean(what), output: clean(output) }
            }
            OpenError::Launch(LaunchError::Before { program, what, output }) => {
                LaunchError::Before { program, what, output: clean(output) }.into()
            }
            OpenError::Launch(LaunchError::Incomplete { program, output, line }) => {
                LaunchError::Incomplete { program, output: clean(output), line }.into()
            }
            other => other,
        }
    }
}

/// Starts the target where that is ours to do, and sees that it answers.
///
/// # Errors
/// Why it cannot be tested, with what was tried.
pub async fn open(spec: &TargetSpec) -> Result<Live, OpenError> {
    if let Some(config) = &spec.reference {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let running = crate::reference::start(config.clone(), address).await.map_err(OpenError::Reference)?;
        let url = running.url.clone();
        return live(spec, url, Guard::Reference(Box::new(running)), own_credentials(config));
    }
    reached(spec, None).await
}

/// A second server on a target's storage, which ends when it is dropped; the target's own life is not touched.
///
/// # Errors
/// There is none, or why it cannot be used, with what was tried.
pub async fn beside(first: &Live) -> Result<Live, OpenError> {
    if let (Guard::Reference(running), Some(config)) = (&first.guard, &first.spec.reference) {
        let second = embedded::beside(running, &config.stance).map_err(OpenError::Reference)?;
        let url = second.url.clone();
        return live(&first.spec, url, Guard::Reference(Box::new(second)), own_credentials(config));
    }
    let Some(beside) = &first.profile.beside else {
        return Err(OpenError::Settings("the profile has no `beside`".into()));
    };
    let (product, url, launch) = (beside.product.clone(), beside.url.clone(), beside.launch.clone());
    let profile = Profile { product, url, launch, ..first.profile.clone() };
    let spec = TargetSpec { profile, ..first.spec.clone() };
    match &first.guard {
        Guard::Process(process, _) => reached(&spec, Some(process)).await,
        _ => reached(&spec, None).await,
    }
}

/// Those of the embedded registry's first user.
fn own_credentials(config: &Config) -> Option<Credentials> {
    let users = &config.auth.as_ref()?.users;
    users.iter().next().map(|(user, password)| Credentials::basic(user, password))
}

/// Launches a server where its profile says how, and sees that it answers.
async fn reached(spec: &TargetSpec, first: Option<&Process>) -> Result<Live, OpenError> {
    if let Some(launch) = &spec.profile.launch {
        return launched(spec, launch, first).await.map_err(|error| error.without_password(spec));
    }
    let (credentials, trouble) = credentials(spec, &spec.profile.url)?;
    let live = live(spec, spec.profile.url.clone(), Guard::None, credentials)?;
    admitted(spec, &live, trouble).await?;
    Ok(live)
}

/// Sees that there is a registry, and that it lets us in.
pub(super) async fn admitted(spec: &TargetSpec, live: &Live, trouble: Option<String>) -> Result<(), OpenError> {
    let exchange = live.client.send(Ask::new("GET", "/v2/")).await;
    let tried = say(&exchange);
    match exchange.status() {
        None => {
            let secure = live.url.starts_with("https://");
            let hint = if secure { "\n    (a registry without TLS is written as http://HOST:PORT)" } else { "" };
            Err(OpenError::NoAnswer { tried, hint })
        }
        Some(401 | 403) => {
            let hint = match trouble {
                Some(trouble) => trouble,
                None if spec.credentials_optional => {
                    "say who asks by `docker login`, or by a profile's `auth` (docs/profiles.md)".to_owned()
                }
                None if spec.profile.auth.is_none() => "the profile has no `auth`".to_owned(),
                None => "the credentials are not good for it".to_owned(),
            };
            Err(OpenError::Denied { tried, hint })
        }
        Some(_) => Ok(()),
    }
}

/// `GET http://127.0.0.1:5000/v2/ -> 401`.
pub(super) fn say(exchange: &Exchange) -> String {
    let came = match &exchange.result {
        Ok(response) => response.status.to_string(),
        Err(failure) => format!("{}: {}", failure.kind.word(), failure.text),
    };
    format!("{} {} -> {came}", exchange.request.method, exchange.request.url)
}

/// Who asks; where the target may be asked by nobody too, the trouble in finding that out is kept for later.
pub(super) fn credentials(spec: &TargetSpec, url: &str) -> Result<(Option<Credentials>, Option<String>), OpenError> {
    let Some(auth) = &spec.profile.auth else { return Ok((None, None)) };
    match find_credentials(auth, url) {
        Ok(found) => Ok((found, None)),
        Err(trouble) if spec.credentials_optional => Ok((None, Some(trouble))),
        Err(trouble) => Err(OpenError::Settings(trouble)),
    }
}

fn find_credentials(auth: &Auth, url: &str) -> Result<Option<Credentials>, String> {
    let parsed = super::argument::base_url(url)?;
    let host = parsed.host_str().unwrap_or_default();
    let registry = parsed.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
    if let Some((user, password)) = &auth.env {
        return Credentials::from_env(user, password).map(Some);
    }
    match &auth.helper {
        Some(helper) => Credentials::from_helper(helper, &registry).map(Some),
        None => Credentials::from_docker_config(&registry),
    }
}

pub(super) fn live(
    spec: &TargetSpec,
    url: String,
    guard: Guard,
    credentials: Option<Credentials>,
) -> Result<Live, OpenError> {
    let limits = &spec.profile.limits;
    let settings = Settings {
        credentials,
        ca: spec.profile.tls.ca.as_ref().map(PathBuf::from),
        insecure: spec.profile.tls.insecure,
        connect: limits.connect.0,
        idle: limits.idle.0,
        total: limits.total.0,
        body_limit: limits.body.0,
        rate: limits.rate.map(|rate| rate.0),
        ..Settings::new(&url)
    };
    let client = Client::new(settings).map_err(|e| OpenError::Settings(e.to_string()))?;
    let (name, product) = (spec.name.clone(), spec.profile.product.clone());
    Ok(Live { name, product, profile: spec.profile.clone(), client, url, spec: spec.clone(), guard })
}

impl Live {
    /// The end of what a launched target wrote, printable; `None` where it was not launched.
    pub fn output(&self) -> Option<String> {
        match &self.guard {
            Guard::Process(process, _) => Some(process.output()),
            _ => None,
        }
    }

    /// Who is asked, for reports.
    pub fn record(&self) -> TargetRecord {
        TargetRecord {
            name: self.name.clone(),
            product: self.product.clone(),
            not_run: self.profile.not_run.clone(),
            url: self.url.clone(),
            beside: self.profile.beside.as_ref().and_then(|beside| beside.product.clone()),
            ca: self.profile.tls.ca.clone(),
            insecure: self.profile.tls.insecure,
        }
    }

    /// Whether what it holds goes with it: then there is nothing to clean up.
    pub fn is_ours(&self) -> bool {
        !matches!(self.guard, Guard::None)
    }

    /// Whether it is the embedded registry.
    pub(super) fn is_reference(&self) -> bool {
        matches!(self.guard, Guard::Reference(_))
    }
}
