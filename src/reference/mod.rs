//! The embedded reference registry, and the ways in which it can be told to be wrong.
//!
//! A whole registry of the distribution-spec (v1.1.1, and the development version), in memory or in a folder:
//!
//! ```text
//! server     a request -> route -> handler -> Answer -> the layer over finished answers -> HTTP
//! manifests, blobs, sessions, lists, referrers, auth, gc      the handlers: each computes what is right
//! policy     the seams: every decision passes here, and whoever is switched on may change it
//! state, content, folder      what is held, and how it lasts
//! defects    rows of (name, sentence, requirement, seam): one wrong decision each
//! variations the same for decisions that differ and are lawful
//! ```

pub mod answer;
mod auth;
mod blobs;
pub mod config;
pub mod content;
pub mod defects;
mod folder;
mod fresh;
mod gc;
mod lists;
pub mod manifest;
mod manifests;
pub mod policy;
pub mod problem;
pub mod question;
mod referrers;
mod registry;
pub mod route;
mod server;
mod sessions;
pub mod state;
#[cfg(test)]
mod tests;
mod uploads;
pub mod variations;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use config::{AuthConfig, Config, GcConfig, Scheme, Stance};
pub use defects::{Defect, defects};
pub use gc::Collected;
use policy::{Policy, Seam};
use registry::Registry;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
pub use variations::{Variation, variations};

/// A registry that serves. Dropping it ends it; [`Running::stop`] also waits for what is being answered.
pub struct Running {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub url: String,
    registry: Arc<Registry>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
}

/// Starts a registry on this address (port 0: a free one). It answers when this returns.
///
/// # Errors
/// The address or the folder cannot be used; a name in [`Config::defects`] or [`Config::variations`] is unknown.
pub async fn start(mut config: Config, listen: SocketAddr) -> io::Result<Running> {
    let policy = Policy::new(seams(&mut config)?);
    let registry = Arc::new(Registry::open(config, policy)?);
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let app = axum::Router::new().fallback(server::serve).with_state(registry.clone());
    let task = tokio::spawn(async move {
        let stopped = async move {
            // An error means that the sender is gone: the registry was dropped.
            let _ = stopped.await;
        };
        axum::serve(listener, app).with_graceful_shutdown(stopped).await
    });
    Ok(Running { url, registry, stop: Some(stop), task })
}

impl Running {
    /// Stops accepting, and waits at most five seconds for what is being answered.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if tokio::time::timeout(Duration::from_secs(5), &mut self.task).await.is_err() {
            self.task.abort();
        }
    }

    /// Collects garbage, as `POST /_lacuna/gc` does. Blocks while it works.
    ///
    /// # Errors
    /// The storage fails.
    pub fn collect(&self) -> io::Result<Collected> {
        self.registry.collect().map_err(|problem| {
            let message = problem.entries.into_iter().map(|entry| entry.message).collect::<Vec<_>>().join("; ");
            io::Error::other(message)
        })
    }
}

/// The seams of the defects and variations that are switched on.
fn seams(config: &mut Config) -> io::Result<Vec<Seam>> {
    let unknown =
        |what: &str, name: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("unknown {what} `{name}`"));
    let mut seams = Vec::new();
    for name in config.variations.clone() {
        let found = variations().iter().find(|v| v.name == name).ok_or_else(|| unknown("variation", name))?;
        (found.configure)(config);
        seams.extend_from_slice(found.seams);
    }
    for name in &config.defects {
        let found = defects().iter().find(|d| d.name == *name).ok_or_else(|| unknown("defect", name))?;
        seams.extend_from_slice(found.seams);
    }
    seams.extend_from_slice(&config.seams);
    Ok(seams)
}
