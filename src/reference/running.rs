//! A registry that serves: its address stays while it is restarted, killed, upgraded, and while it collects.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::boot::Ended;
use super::config::{Config, GcConfig};
use super::defects::defects;
use super::gc::{Collected, Terms};
use super::policy::{Policy, Seam};
use super::registry::Registry;
use super::serving::Serving;
use super::variations::variations;
use crate::engine::Meter;

/// A registry that serves. Dropping it ends it; [`Running::stop`] also waits for what is being answered.
pub struct Running {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub url: String,
    /// As it was asked for, before its variations configured it.
    config: Config,
    registry: Arc<Registry>,
    /// Held through every restart: nobody else can take the address.
    listener: std::net::TcpListener,
    /// `None` where a restart failed.
    serving: Option<Serving>,
}

/// Starts a registry on this address (port 0: a free one). It answers when this returns.
///
/// # Errors
/// The address or the folder cannot be used; a name in [`Config::defects`] or [`Config::variations`] is unknown.
pub fn start(config: Config, listen: SocketAddr) -> BoxFuture<'static, io::Result<Running>> {
    // Boxed, so that it is compiled once, here, and not again with each program that starts one.
    Box::pin(async move {
        let (configured, policy) = configure(&config)?;
        let registry = Arc::new(Registry::open(configured, policy)?);
        let listener = tokio::net::TcpListener::bind(listen).await?;
        Running::serve(config, registry, listener.into_std()?)
    })
}

impl Running {
    fn serve(config: Config, registry: Arc<Registry>, listener: std::net::TcpListener) -> io::Result<Running> {
        let url = format!("http://{}", listener.local_addr()?);
        let serving = Some(Serving::start(&listener, registry.clone())?);
        Ok(Running { url, config, registry, listener, serving })
    }

    /// Stops accepting, and waits at most five seconds for what is being answered.
    pub async fn stop(mut self) {
        if let Some(serving) = self.serving.take() {
            serving.end(Ended::Orderly).await;
        }
        if let Err(error) = self.registry.close(Ended::Orderly) {
            tracing::warn!("the next start will take this end for a kill: {error}");
        }
    }

    /// Ends the registry, and starts another on its address and storage: the same one, or what `change` makes of its
    /// configuration (the folder stays; other defects, another stance or [`Config::version`] make it an upgrade).
    ///
    /// Killed, every connection is cut at once, and half a request is lost; in order, what is being answered is finished,
    /// within five seconds. What was acknowledged is there afterwards; unfinished uploads and tokens are forgotten. Until
    /// it answers again, connections wait. In memory, the next run is given what a folder would have held.
    ///
    /// # Errors
    /// A name is unknown: then nothing happened. Or the storage fails: then nobody serves any more.
    pub async fn restart(&mut self, ended: Ended, change: impl FnOnce(&mut Config)) -> io::Result<()> {
        let config = self.changed(change);
        let (configured, policy) = configure(&config)?;
        if let Some(serving) = self.serving.take() {
            serving.end(ended).await;
        }
        let before = self.registry.clone();
        let reopened = tokio::task::spawn_blocking(move || before.reopen(ended, configured, policy));
        self.registry = Arc::new(reopened.await.map_err(io::Error::other)??);
        self.serving = Some(Serving::start(&self.listener, self.registry.clone())?);
        self.config = config;
        Ok(())
    }

    /// A second registry on this one's storage, at an address of its own on 127.0.0.1, with what `change` makes of this
    /// one's configuration: two versions that serve one storage at once. Its defects and variations are its own, and so
    /// is what they remember; what one writes, both have at once. A restart of one rebuilds what both serve.
    ///
    /// # Errors
    /// A name is unknown, or there is no free port. Panics, as every start of a server, outside of a tokio runtime.
    pub fn beside(&self, change: impl FnOnce(&mut Config)) -> io::Result<Running> {
        let config = self.changed(change);
        let (configured, policy) = configure(&config)?;
        let registry = Arc::new(self.registry.beside(configured, policy));
        let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        listener.set_nonblocking(true)?;
        Running::serve(config, registry, listener)
    }

    fn changed(&self, change: impl FnOnce(&mut Config)) -> Config {
        let mut config = self.config.clone();
        change(&mut config);
        Config { dir: self.config.dir.clone(), ..config }
    }

    /// Measures what it stores, in memory or on disk, until it is restarted.
    pub fn meter(&self) -> Meter {
        let registry = self.registry.clone();
        Arc::new(move || registry.used())
    }

    /// Collects garbage, as `POST /_lacuna/gc` does. Blocks while it works; requests are answered meanwhile.
    ///
    /// # Errors
    /// The storage fails, or the collector stops.
    pub fn collect(&self) -> io::Result<Collected> {
        self.collect_after(Duration::ZERO)
    }

    /// The same as if so much time had passed: what is younger than the grace period now may be older then.
    ///
    /// # Errors
    /// As [`Running::collect`].
    pub fn collect_after(&self, later: Duration) -> io::Result<Collected> {
        collect(&self.registry, self.registry.config.gc, later)
    }

    /// The same without blocking; it takes no less than so long, for requests that are to meet it.
    ///
    /// # Errors
    /// As [`Running::collect`].
    pub async fn collect_aside(&self, least: Duration) -> io::Result<Collected> {
        let registry = self.registry.clone();
        let gc = GcConfig { least: registry.config.gc.least.max(least), ..registry.config.gc };
        let collection = tokio::task::spawn_blocking(move || collect(&registry, gc, Duration::ZERO));
        collection.await.map_err(io::Error::other)?
    }
}

fn collect(registry: &Registry, gc: GcConfig, later: Duration) -> io::Result<Collected> {
    let terms = Terms::from_now(gc, later);
    registry.collect(&terms).map_err(|problem| {
        let message = problem.entries.into_iter().map(|entry| entry.message).collect::<Vec<_>>().join("; ");
        io::Error::other(message)
    })
}

/// The configuration with what its variations configure, and the seams of all that is switched on.
fn configure(config: &Config) -> io::Result<(Config, Policy)> {
    let unknown =
        |what: &str, name: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("unknown {what} `{name}`"));
    let mut configured = config.clone();
    let mut seams: Vec<Seam> = Vec::new();
    for name in &config.variations {
        let found = variations().iter().find(|v| v.name == *name).ok_or_else(|| unknown("variation", name))?;
        (found.configure)(&mut configured);
        seams.extend_from_slice(found.seams);
    }
    for name in &config.defects {
        let found = defects().iter().find(|d| d.name == *name).ok_or_else(|| unknown("defect", name))?;
        seams.extend_from_slice(found.seams);
    }
    seams.extend_from_slice(&config.seams);
    let policy = Policy::new(seams).mutated(config.mutants.clone()).witnessed(config.witness.clone());
    Ok((configured, policy))
}
