//! A start: what it finds again of what was there before, in memory as on disk.
//!
//! ```text
//! a folder's files, or the state in memory -> Vec<Found>, sorted -> Seam::Boot -> State
//! ```

use std::io;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::config::Config;
use super::content::{Content, Source};
use super::past::Gone;
use super::policy::Policy;
use super::state::{Life, State, Stored, Write};
use crate::content::digest::Digest;

/// How a run of the registry ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ended {
    /// What was being answered was finished.
    Orderly,
    /// Everything was cut at once.
    #[default]
    Killed,
}

/// Which registry it is: its version, and how it is configured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// [`Config::version`].
    pub version: u32,
    /// The rest, as far as it decides what is answered.
    pub configuration: String,
}

impl Edition {
    /// That of a configuration.
    pub fn of(config: &Config) -> Edition {
        let Config { stance, scope, sparse_images, manifest_limit, referrers_page, defects, variations, .. } = config;
        let parts = (stance, scope, sparse_images, manifest_limit, referrers_page, defects, variations);
        Edition { version: config.version, configuration: format!("{parts:?}") }
    }
}

/// What a start knows.
pub struct Rebuild<'a> {
    /// How the run before ended.
    pub ended: Ended,
    /// What kind of registry ran before.
    pub before: &'a Edition,
    /// What that went through.
    pub life: Life,
    /// What kind of registry starts.
    pub config: &'a Config,
    /// Bytes.
    pub content: &'a Content,
    /// What was removed or replaced before the end, as the writes that would bring it back, oldest first. A careful
    /// start does not look at it; one of another process does not have it.
    pub gone: &'a [Found],
}

impl Rebuild<'_> {
    /// Whether another kind of registry starts than ran before: an upgrade, a downgrade, or a change of configuration.
    pub fn changed(&self) -> bool {
        *self.before != Edition::of(self.config)
    }

    /// Whether an older one starts than ran before.
    pub fn downgraded(&self) -> bool {
        self.config.version < self.before.version
    }

    /// Whether a newer one starts, or one that is configured otherwise.
    pub fn upgraded(&self) -> bool {
        self.changed() && !self.downgraded()
    }
}

/// Something that a start finds, as the write that made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The write.
    pub write: Write,
    /// When it was made.
    pub since: SystemTime,
}

impl Found {
    /// Blobs, manifests, tags of each repository, by digest and name.
    fn order(&self) -> (&str, u8, &str) {
        match &self.write {
            Write::Link { repository, digest } => (repository, 0, digest.as_str()),
            Write::Manifest { repository, digest, .. } => (repository, 1, digest.as_str()),
            Write::Tag { repository, tag, .. } => (repository, 2, tag),
            Write::Unlink { repository, digest } => (repository, 3, digest.as_str()),
            Write::DropManifest { repository, digest } => (repository, 4, digest.as_str()),
            Write::Untag { repository, tag } => (repository, 5, tag),
        }
    }
}

/// Everything that a run leaves to the next.
#[derive(Debug, Default)]
pub struct Remains {
    /// Repositories, empty ones too.
    pub repositories: Vec<String>,
    /// What is in them.
    pub found: Vec<Found>,
    /// See [`Rebuild::gone`].
    pub gone: Vec<Found>,
    /// What it went through; [`Life::starts`] is 0 where nothing ran before.
    pub life: Life,
    /// How it ended.
    pub ended: Ended,
    /// What it was.
    pub edition: Edition,
}

impl Remains {
    /// What a state in memory leaves, as a folder would have it: what has no content is not there.
    pub fn of(state: &State, content: &Content) -> Remains {
        let mut remains = Remains { life: state.life, ..Remains::default() };
        for (name, held) in &state.repositories {
            remains.repositories.push(name.clone());
            let link = |digest: &Digest| {
                content.body(digest).map(|_| Write::Link { repository: name.clone(), digest: digest.clone() })
            };
            let manifest = |digest: &Digest, stored: &Stored| {
                let bytes = content.body(digest)?.to_bytes();
                let (repository, digest, manifest) = (name.clone(), digest.clone(), stored.manifest.clone());
                Some(Write::Manifest { repository, digest, manifest, bytes })
            };
            let tag = |tag: &String, digest: &Digest| {
                Some(Write::Tag { repository: name.clone(), tag: tag.clone(), digest: digest.clone() })
            };
            let blobs = held.blobs.iter().map(|(digest, since)| (link(digest), *since));
            let manifests = held.manifests.iter().map(|(digest, stored)| (manifest(digest, stored), stored.since));
            let tags = held.tags.iter().zip(held.tagged.values()).map(|((t, digest), since)| (tag(t, digest), *since));
            let found = |(write, since): (Option<Write>, SystemTime)| Some(Found { write: write?, since });
            remains.found.extend(blobs.chain(manifests).chain(tags).filter_map(found));
            let gone = held.past.gone().map(|(gone, since)| match gone {
                Gone::Tag(name, digest) => (tag(name, digest), *since),
                Gone::Manifest(digest, stored) => (manifest(digest, stored), *since),
                Gone::Blob(digest) => (link(digest), *since),
            });
            remains.gone.extend(gone.filter_map(found));
        }
        remains
    }

    /// The state that a start makes of it.
    ///
    /// # Errors
    /// The storage fails.
    pub fn rebuild(mut self, config: &Config, policy: &Policy, content: &Content) -> io::Result<State> {
        self.found.sort_by(|a, b| a.order().cmp(&b.order()));
        let rebuild =
            Rebuild { ended: self.ended, before: &self.edition, life: self.life, config, content, gone: &self.gone };
        let mut life = self.life;
        let mut found = self.found;
        if life.starts > 0 {
            life.killed = rebuild.ended == Ended::Killed;
            if rebuild.changed() {
                (life.upgraded, life.downgraded) = (rebuild.upgraded(), rebuild.downgraded());
            }
            found = policy.boot(&rebuild, found);
        }
        life.starts += 1;
        life.started = Some(SystemTime::now());
        life.collecting = false;
        let mut state = State { life, ..State::default() };
        for repository in self.repositories {
            state.repositories.entry(repository).or_default();
        }
        for Found { write, since } in self.gone {
            let held = state.repositories.entry(write.repository().to_owned()).or_default();
            if let Some(gone) = Gone::of(write, since) {
                held.past.lose(gone, since);
            }
        }
        for Found { write, since } in found {
            if let Write::Manifest { digest, bytes, .. } = &write
                && content.body(digest).is_none_or(|body| body.to_bytes() != *bytes)
            {
                content.put(digest, Source::Bytes(bytes.clone()))?;
            }
            state.apply(&write, since);
        }
        Ok(state)
    }
}
