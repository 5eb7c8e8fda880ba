//! What a profile says of barriers: how its product collects, is restarted, becomes another version.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::profile::Launch;
use super::units::Time;
use crate::suite::barrier::Barrier;

/// What happens at barriers, by their names. A barrier without an action: its cases are skipped.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Actions {
    /// Garbage is collected.
    pub gc: Option<Act>,
    /// The registry is ended in order (SIGTERM), and started again.
    pub restart: Option<Act>,
    /// The registry is killed (SIGKILL), and started again.
    pub kill: Option<Act>,
    /// Another registry copies this one.
    pub mirror: Option<Act>,
    /// The registry becomes its newer version, or is set otherwise.
    pub upgrade: Option<Act>,
    /// The registry becomes again what it was.
    pub downgrade: Option<Act>,
    /// Where the storage is measured.
    pub usage: Option<Usage>,
}

/// A storage that can be measured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Usage {
    /// The folder; `{dir}` is that of a registry that lacuna launched. The apparent sizes of the files in it are added up.
    pub folder: String,
}

impl Actions {
    /// The action of a barrier; `expiry` has none: it is the time of `windows.expiry`.
    pub fn of(&self, barrier: Barrier) -> Option<&Act> {
        match barrier {
            Barrier::Gc => self.gc.as_ref(),
            Barrier::Restart => self.restart.as_ref(),
            Barrier::Kill => self.kill.as_ref(),
            Barrier::Expiry => None,
            Barrier::Mirror => self.mirror.as_ref(),
            Barrier::Upgrade => self.upgrade.as_ref(),
            Barrier::Downgrade => self.downgrade.as_ref(),
        }
    }
}

/// One action: `command`, `http`, `until` or `relaunch`; `wait` alone, or after any of them.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Act {
    /// A program and its arguments; `{dir}`, `{port}` and `{url}` are put in. It ends well by exit status 0.
    pub command: Vec<String>,
    /// What the registry does while the command runs.
    pub r#while: While,
    /// How the registry is started so that it takes no writes, for `while: read-only`.
    pub read_only: Option<Relaunch>,
    /// A request to the target, with its credentials.
    pub http: Option<Http>,
    /// Where the request's answer is only a promise: how its end is seen.
    pub poll: Option<Poll>,
    /// The product acts by itself: until lacuna's own canary shows that it did.
    pub until: Option<Until>,
    /// The launched registry is ended and started again, on the same folder and port.
    pub relaunch: Option<Relaunch>,
    /// Let pass, last.
    pub wait: Time,
    /// What takes longer has failed.
    pub within: Time,
}

impl Default for Act {
    fn default() -> Act {
        Act {
            command: Vec::new(),
            r#while: While::Running,
            read_only: None,
            http: None,
            poll: None,
            until: None,
            relaunch: None,
            wait: Time::default(),
            within: Time(Duration::from_secs(60)),
        }
    }
}

impl Act {
    /// Whether the registry answers while the action is under way.
    pub fn is_online(&self) -> bool {
        self.relaunch.is_none() && (self.command.is_empty() || self.r#while == While::Running)
    }
}

impl Act {
    /// By which key of the profile the registry does not answer, or takes no pushes, while this barrier's action is under way.
    pub fn silence(&self, barrier: Barrier) -> Option<String> {
        let key = match (&self.relaunch, self.r#while) {
            (Some(_), _) => "relaunch",
            (None, While::Stopped) if !self.command.is_empty() => "while: stopped",
            (None, While::ReadOnly) if !self.command.is_empty() => "while: read-only",
            _ => return None,
        };
        Some(format!("`actions.{barrier}` of its profile has `{key}`"))
    }
}

/// What a registry does while a command runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum While {
    /// It serves.
    #[default]
    Running,
    /// It does not run.
    Stopped,
    /// It serves reads.
    ReadOnly,
}

/// What differs from `launch`; nothing said: nothing differs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Relaunch {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Files written into `{dir}` first, instead of those of the same path, and beside the others.
    pub files: BTreeMap<String, String>,
    /// Environment, instead of variables of the same name, and beside the others.
    pub env: BTreeMap<String, String>,
    /// The line that installs the program, printed when it is not there.
    pub missing: String,
}

impl Relaunch {
    /// As a whole, from what the profile launches.
    pub fn over(&self, launch: &Launch) -> Launch {
        let mut all = launch.clone();
        if !self.command.is_empty() {
            all.command.clone_from(&self.command);
            all.missing.clone_from(&self.missing);
        }
        all.files.extend(self.files.clone());
        all.env.extend(self.env.clone());
        all
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Http {
    /// The method; POST where nothing is said.
    #[serde(default = "post")]
    pub method: String,
    /// The path, from the target's URL on.
    pub path: String,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// Its Content-Type.
    #[serde(default = "json")]
    pub r#type: String,
}

fn post() -> String {
    "POST".into()
}

fn json() -> String {
    "application/json".into()
}

/// How the end of what was only promised is seen.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Poll {
    /// The key of the answer's JSON under which the path of the promise stands.
    pub at: String,
    /// The key of what is found there under which its state stands.
    pub key: String,
    /// States in which it ended well.
    pub done: Vec<String>,
    /// States in which it did not.
    pub failed: Vec<String>,
}

/// What lacuna pushes itself, to see that the product collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// A manifest that no tag leads to is gone.
    UntaggedGone,
    /// A blob that no manifest names is gone.
    OrphanBlobGone,
}
