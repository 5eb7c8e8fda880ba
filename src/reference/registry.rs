//! The registry behind HTTP: configuration, policy, state, content, and how a change is made to last.

use std::io;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use super::auth::Tokens;
use super::config::Config;
use super::content::{Content, Source};
use super::folder::Folder;
use super::policy::Policy;
use super::problem::Problem;
use super::question::View;
use super::state::{State, Write};
use super::uploads::Uploads;

/// Everything that a request works on.
pub struct Registry {
    /// What kind of registry it is.
    pub config: Config,
    /// The seams.
    pub policy: Policy,
    /// Bytes by digest.
    pub content: Content,
    /// Uploads that are not closed.
    pub uploads: Uploads,
    /// Tokens that were given out.
    pub tokens: Tokens,
    state: RwLock<State>,
    folder: Option<Folder>,
}

impl Registry {
    /// Opens what the configuration's folder holds, or begins empty.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn open(config: Config, policy: Policy) -> io::Result<Registry> {
        let content = Content::open(config.dir.as_deref())?;
        let folder = config.dir.as_deref().map(Folder::open).transpose()?;
        let state = match &folder {
            Some(folder) => folder.load(&content)?,
            None => State::default(),
        };
        let uploads = Uploads::new(folder.as_ref().map(Folder::uploads));
        Ok(Registry { config, policy, content, uploads, tokens: Tokens::default(), state: RwLock::new(state), folder })
    }

    /// The state, to be read.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, to be changed with [`Registry::apply`]: held from the decision to the last write of it.
    pub fn changing(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What decisions are made from.
    pub fn view<'a>(&'a self, state: &'a State) -> View<'a> {
        View { state, content: &self.content, config: &self.config }
    }

    /// Makes changes last: on disk first, then in the state.
    ///
    /// # Errors
    /// The storage fails; changes before the failing one stand.
    pub fn apply(&self, state: &mut State, writes: &[Write]) -> Result<(), Problem> {
        for write in writes {
            self.persist(write).map_err(|e| Problem::storage(&e))?;
            state.apply(write, SystemTime::now());
        }
        Ok(())
    }

    fn persist(&self, write: &Write) -> io::Result<()> {
        if let Write::Manifest { digest, bytes, .. } = write {
            self.content.put(digest, Source::Bytes(bytes.clone()))?;
        }
        self.folder.as_ref().map_or(Ok(()), |folder| folder.persist(write))
    }

    /// Runs what may wait for a disk where it does not hold up others.
    pub async fn working<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Registry) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        if self.folder.is_none() {
            return Ok(work(self));
        }
        let registry = self.clone();
        let task = tokio::task::spawn_blocking(move || work(&registry));
        task.await.map_err(|_| Problem::storage(&io::Error::other("a worker stopped")))
    }
}
