//! From a target's specification to a target that answers.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::act::Trouble;
use super::argument::TargetSpec;
use super::launch::{Ending, LaunchError, Process};
use super::profile::{Auth, Launch, Profile};
use crate::record::TargetRecord;
use crate::reference::Running;
use crate::wire::{Ask, Client, Credentials, Exchange, Settings};

/// The pause between two looks at a target that is not ready.
const PAUSE: Duration = Duration::from_millis(10);

/// How often a launch is repeated because somebody else took its port.
const LAUNCHES: u32 = 4;

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

fn shown(output: &str) -> String {
    if output.is_empty() { "; it wrote nothing".into() } else { format!("; it wrote:\n{output}") }
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
        return live(spec, url, Guard::Reference(Box::new(running)), None);
    }
    let live = match &spec.profile.launch {
        Some(launch) => launched(spec, launch).await?,
        None => {
            let (credentials, trouble) = credentials(spec, &spec.profile.url)?;
            let live = live(spec, spec.profile.url.clone(), Guard::None, credentials)?;
            admitted(spec, &live, trouble).await?;
            live
        }
    };
    Ok(live)
}

/// Launches, and waits until it is ready.
async fn launched(spec: &TargetSpec, launch: &Launch) -> Result<Live, OpenError> {
    let program = launch.command.first().cloned().unwrap_or_default();
    let mut launches = 0;
    loop {
        launches += 1;
        let process = Process::start(launch)?;
        let url = spec.profile.url.replace("{port}", &process.port().to_string());
        let (credentials, trouble) = credentials(spec, &url)?;
        let mut live = live(spec, url, Guard::Process(process, Box::new(launch.clone())), credentials)?;
        match ready(&mut live, launch).await {
            Ok(()) => {
                admitted(spec, &live, trouble).await?;
                return Ok(live);
            }
            Err(_) if launches < LAUNCHES && live.lost_its_port() => {}
            Err(what) => return Err(OpenError::NotReady { program, what, output: live.output().unwrap_or_default() }),
        }
    }
}

/// Asks until it answers below 500, for as long as the profile allows.
async fn ready(live: &mut Live, launch: &Launch) -> Result<(), String> {
    let start = Instant::now();
    let within = launch.ready.within.0;
    let mut last = String::from("it was not asked");
    loop {
        let left = within.saturating_sub(start.elapsed());
        if let Ok(exchange) = tokio::time::timeout(left, live.client.send(Ask::new("GET", &launch.ready.get))).await {
            last = say(&exchange);
            let ended = live.ended();
            match exchange.status() {
                // An answer while our process is dead is somebody else's.
                Some(status) if status < 500 && ended.is_none() => return Ok(()),
                _ => {}
            }
            if let Some(ended) = ended {
                return Err(format!("ended ({ended}) before it was ready"));
            }
        }
        if start.elapsed() >= within {
            return Err(format!("was not ready within {}: {last}", launch.ready.within));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Sees that there is a registry, and that it lets us in.
async fn admitted(spec: &TargetSpec, live: &Live, trouble: Option<String>) -> Result<(), OpenError> {
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
fn say(exchange: &Exchange) -> String {
    let came = match &exchange.result {
        Ok(response) => response.status.to_string(),
        Err(failure) => format!("{}: {}", failure.kind.word(), failure.text),
    };
    format!("{} {} -> {came}", exchange.request.method, exchange.request.url)
}

/// Who asks; where the target may be asked by nobody too, the trouble in finding that out is kept for later.
fn credentials(spec: &TargetSpec, url: &str) -> Result<(Option<Credentials>, Option<String>), OpenError> {
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

fn live(spec: &TargetSpec, url: String, guard: Guard, credentials: Option<Credentials>) -> Result<Live, OpenError> {
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
            url: self.url.clone(),
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

    /// The folder of its own that a launched target has.
    pub(super) fn dir(&self) -> Option<PathBuf> {
        match &self.guard {
            Guard::Process(process, _) => Some(process.dir()),
            _ => None,
        }
    }

    /// How it was launched last, where it was.
    pub(super) fn launched(&self) -> Option<Launch> {
        match &self.guard {
            Guard::Process(_, launch) => Some((**launch).clone()),
            _ => None,
        }
    }

    /// Ends its process; whether it did as it was asked.
    pub(super) async fn end(&mut self, how: Ending) -> bool {
        match &mut self.guard {
            Guard::Process(process, _) => process.end(how).await,
            _ => true,
        }
    }

    /// Starts its process again, and waits until it is ready.
    pub(super) async fn again(&mut self, launch: &Launch) -> Result<(), Trouble> {
        let mut launches = 0;
        loop {
            launches += 1;
            if let Guard::Process(process, last) = &mut self.guard {
                process.again(launch).map_err(|e| Trouble::new("it could not be started again", e.to_string()))?;
                **last = launch.clone();
            }
            match ready(self, launch).await {
                Ok(()) => return Ok(()),
                // While it was down, somebody's connection may have got its port.
                Err(_) if launches < LAUNCHES && self.lost_its_port() => {
                    self.end(Ending::Killed).await;
                    tokio::time::sleep(PAUSE * 50).await;
                }
                Err(what) => {
                    let output = self.output().unwrap_or_default();
                    return Err(Trouble::new("it did not come back", format!("it {what}{}", shown(&output))));
                }
            }
        }
    }

    fn ended(&mut self) -> Option<std::process::ExitStatus> {
        match &mut self.guard {
            Guard::Process(process, _) => process.ended(),
            _ => None,
        }
    }

    fn lost_its_port(&self) -> bool {
        matches!(&self.guard, Guard::Process(process, _) if process.lost_its_port())
    }
}
