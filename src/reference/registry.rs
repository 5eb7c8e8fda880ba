//! The registry behind HTTP: configuration, policy, state, content, and how a change is made to last.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use super::auth::Tokens;
use super::boot::{Edition, Ended, Rebuild, Remains};
use super::config::Config;
use super::content::{Content, Source};
use super::folder::Folder;
use super::policy::Policy;
use super::problem::Problem;
use super::question::View;
use super::state::{Life, State, Write};
use super::traffic::Traffic;
use super::uploads::Uploads;

/// Everything that a request works on.
pub struct Registry {
    /// What kind of registry it is.
    pub config: Config,
    /// The seams.
    pub policy: Policy,
    /// Bytes by digest.
    pub content: Arc<Content>,
    /// Uploads that are not closed.
    pub uploads: Arc<Uploads>,
    /// Requests that are under way.
    pub traffic: Arc<Traffic>,
    /// Tokens that were given out.
    pub tokens: Tokens,
    /// Held by the collection that is under way, of this registry or one beside it.
    pub(super) collecting: Arc<Mutex<()>>,
    state: Arc<RwLock<State>>,
    folder: Option<Arc<Folder>>,
    /// Nothing that it does lasts any more: another has taken over.
    closed: AtomicBool,
    /// Whether its life is that of the storage; one beside another only uses it.
    leads: bool,
}

impl Registry {
    /// Opens what the configuration's folder holds, or begins empty.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn open(config: Config, policy: Policy) -> io::Result<Registry> {
        let content = Content::open(config.dir.as_deref())?;
        let folder = config.dir.as_deref().map(Folder::open).transpose()?;
        let remains = match &folder {
            Some(folder) => folder.load(&content)?,
            None => Remains::default(),
        };
        let state = remains.rebuild(&config, &policy, &content)?;
        let uploads = Uploads::new(folder.as_ref().map(Folder::uploads));
        let registry = Registry {
            config,
            policy,
            content: Arc::new(content),
            uploads: Arc::new(uploads),
            traffic: Arc::default(),
            tokens: Tokens::default(),
            collecting: Arc::default(),
            state: Arc::new(RwLock::new(state)),
            folder: folder.map(Arc::new),
            closed: AtomicBool::new(false),
            leads: true,
        };
        registry.mark(registry.state().life, Ended::Killed)?;
        Ok(registry)
    }

    /// Another registry on the same storage: what one writes, both have.
    pub fn beside(&self, config: Config, policy: Policy) -> Registry {
        Registry {
            config,
            policy,
            content: self.content.clone(),
            uploads: self.uploads.clone(),
            traffic: self.traffic.clone(),
            tokens: Tokens::default(),
            collecting: self.collecting.clone(),
            state: self.state.clone(),
            folder: self.folder.clone(),
            closed: AtomicBool::new(false),
            leads: false,
        }
    }

    /// The registry that starts on this one's storage after it ended so. Whatever this one still does is lost.
    ///
    /// # Errors
    /// The storage fails; then neither can be used.
    pub fn reopen(&self, ended: Ended, config: Config, policy: Policy) -> io::Result<Registry> {
        let mut state = self.changing();
        self.closed.store(true, Ordering::SeqCst);
        let edition = Edition::of(&self.config);
        let in_memory = Remains { ended, edition, ..Remains::of(&state, &self.content) };
        let mut remains = match &self.folder {
            None => in_memory,
            Some(folder) => {
                folder.mark(&in_memory.edition, state.life, ended)?;
                Remains { gone: in_memory.gone, ..folder.load(&self.content)? }
            }
        };
        let gone = std::mem::take(&mut remains.gone);
        let rebuild = Rebuild {
            ended,
            before: &remains.edition,
            life: remains.life,
            config: &config,
            content: &self.content,
            gone: &gone,
        };
        self.uploads.survive(|upload| policy.resume(&rebuild, upload, None));
        *state = Remains { gone, ..remains }.rebuild(&config, &policy, &self.content)?;
        let life = state.life;
        drop(state);
        let registry = Registry { leads: self.leads, ..self.beside(config, policy) };
        registry.mark(life, Ended::Killed)?;
        Ok(registry)
    }

    /// Writes down how the registry ended: nothing that it does lasts from now on.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn close(&self, ended: Ended) -> io::Result<()> {
        let state = self.changing();
        self.closed.store(true, Ordering::SeqCst);
        self.mark(state.life, ended)
    }

    /// Writes down what the registry went through, where that is in a folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn mark(&self, life: Life, ended: Ended) -> io::Result<()> {
        match &self.folder {
            Some(folder) if self.leads => folder.mark(&Edition::of(&self.config), life, ended),
            _ => Ok(()),
        }
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
        View { state, content: &self.content, config: &self.config, traffic: &self.traffic }
    }

    /// Makes changes last: on disk first, then in the state.
    ///
    /// # Errors
    /// The storage fails, or belongs to another by now; changes before the failing one stand.
    pub fn apply(&self, state: &mut State, writes: &[Write]) -> Result<(), Problem> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Problem::storage(&io::Error::other("the registry has ended")));
        }
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
        self.aside(work).await
    }

    /// Runs what takes its time where it does not hold up others.
    pub async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Registry) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let registry = self.clone();
        let task = tokio::task::spawn_blocking(move || work(&registry));
        task.await.map_err(|_| Problem::storage(&io::Error::other("a worker stopped")))
    }
}
