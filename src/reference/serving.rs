//! Listening: connections, and the two ways in which they end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::boot::Ended;
use super::connection::{Connection, Line};
use super::registry::Registry;
use super::server;

/// What is being answered is waited for so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause after a connection that could not be taken.
const PAUSE: Duration = Duration::from_millis(10);

/// Connections that are taken and answered. Dropping it ends it in order, in its own time.
pub struct Serving {
    end: oneshot::Sender<Ended>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Takes connections of this listener, which stays open when this ends.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub fn start(listener: &std::net::TcpListener, registry: Arc<Registry>) -> io::Result<Serving> {
        let listener = TcpListener::from_std(listener.try_clone()?)?;
        let app = Router::new().fallback(server::serve).with_state(registry);
        let (end, ended) = oneshot::channel();
        Ok(Serving { end, task: tokio::spawn(listen(listener, app, ended)) })
    }

    /// Takes no more connections, and returns when none is left: killed, they are cut at once, and half a request is
    /// lost; in order, what is being answered is finished, within five seconds.
    pub async fn end(self, how: Ended) {
        // An error means that the task is gone already, and its connections with it.
        let _ = self.end.send(how);
        let _ = self.task.await;
    }
}

async fn listen(listener: TcpListener, app: Router, mut ended: oneshot::Receiver<Ended>) {
    let mut connections = JoinSet::new();
    let (calm, calmed) = watch::channel(());
    let how = loop {
        tokio::select! {
            // An error means that the registry was dropped.
            how = &mut ended => break how.unwrap_or(Ended::Orderly),
            taken = listener.accept() => match taken {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, app.clone(), calmed.clone()));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    };
    drop(listener);
    if how == Ended::Orderly {
        let _ = calm.send(());
        let quiet = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(PATIENCE, quiet).await;
    }
    connections.shutdown().await;
}

/// Answers one connection until it closes, or until the answer that is under way is given.
async fn converse(stream: TcpStream, app: Router, mut calmed: watch::Receiver<()>) {
    let builder = Builder::new(TokioExecutor::new());
    let line = Line::default();
    let app = app.layer(Extension(line.clone()));
    let stream = TokioIo::new(Connection { stream, line });
    let connection = builder.serve_connection(stream, TowerToHyperService::new(app));
    let mut connection = std::pin::pin!(connection);
    // How a connection ends is the client's affair: what matters was answered.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = calmed.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
