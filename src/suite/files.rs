//! Where suites come from: compiled in, or a folder; and which file is what.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use sha2::{Digest as _, Sha256};

use super::fault::{At, Diagnostic, Fault, shown};
use super::{words, yaml};
use crate::input;

/// The suites that lacuna has with it.
static SUITES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/suites");
/// The graphs that lacuna has with it.
static CONTENT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/content");

/// Where suites come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuiteSource {
    /// Those that are compiled in: `suites/` and `fixtures/content/`.
    Shipped,
    /// A folder, or one case file.
    ///
    /// A folder has areas (folders), and in them topics (`area/topic.yaml`). Its `requirements.yaml` and
    /// `expectations.yaml`, and graphs in its `content/` or beside it in `../fixtures/content/`, are added to the shipped
    /// ones, and stand in for those of the same name. A case file alone is the topic of the area that its folder is called.
    Folder(PathBuf),
}

/// What a file is read as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// requirements.yaml.
    Requirements,
    /// expectations.yaml.
    Expectations,
    /// A graph, by name.
    Graph(String),
    /// A topic, as `area/topic`.
    Topic(String),
}

/// A file that is to be loaded.
#[derive(Debug, Clone)]
pub struct File {
    /// What it is read as.
    pub role: Role,
    /// Its path as it is printed.
    pub path: Arc<str>,
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Whether it is one of those that are compiled in.
    pub shipped: bool,
}

/// All files of a source: the shipped ones that stay in force first, then its own; and what is wrong with names and reading.
#[derive(Debug, Default)]
pub struct Files {
    /// The files.
    pub files: Vec<File>,
    /// What could not be taken.
    pub faults: Vec<Diagnostic>,
}

/// The file that a folder's requirements stand in.
const REQUIREMENTS: &str = "requirements.yaml";
/// The file that a folder's bundles stand in.
const EXPECTATIONS: &str = "expectations.yaml";

/// Finds and reads every file.
pub fn read(source: &SuiteSource) -> Files {
    let mut files = Files::default();
    let shipped_topics = *source == SuiteSource::Shipped;
    for file in SUITES.files().chain(SUITES.dirs().flat_map(Dir::files)) {
        files.shipped("suites", file, shipped_topics);
    }
    for file in CONTENT.files() {
        let name = file.path().with_extension("").to_string_lossy().into_owned();
        files.shipped_as(Role::Graph(name), "fixtures/content", file);
    }
    match source {
        SuiteSource::Shipped => {}
        SuiteSource::Folder(path) if path.is_dir() => files.folder(path),
        SuiteSource::Folder(path) => files.single(path),
    }
    files.files.sort_by(|a, b| (&a.role, !a.shipped, &a.path).cmp(&(&b.role, !b.shipped, &b.path)));
    if !files.files.iter().any(|file| matches!(file.role, Role::Topic(_))) && files.faults.is_empty() {
        let path = match source {
            SuiteSource::Shipped => PathBuf::from("suites"),
            SuiteSource::Folder(path) => path.clone(),
        };
        files.fault(&path, "there is no case file here", "write one as AREA/TOPIC.yaml");
    }
    files
}

impl Files {
    /// A shipped file by its place under `suites/`.
    fn shipped(&mut self, root: &str, file: &'static include_dir::File<'static>, topics: bool) {
        let path = file.path().to_string_lossy();
        let role = match &*path {
            REQUIREMENTS => Role::Requirements,
            EXPECTATIONS => Role::Expectations,
            _ => match path.strip_suffix(".yaml") {
                Some(topic) if topics && topic.contains('/') => Role::Topic(topic.to_owned()),
                _ => return,
            },
        };
        self.shipped_as(role, root, file);
    }

    fn shipped_as(&mut self, role: Role, root: &str, file: &'static include_dir::File<'static>) {
        let path = format!("{root}/{}", file.path().display()).into();
        self.files.push(File { role, path, bytes: Cow::Borrowed(file.contents()), shipped: true });
    }

    /// A folder of suites.
    fn folder(&mut self, root: &Path) {
        for path in self.entries(root) {
            let name = name_of(&path);
            match (path.is_dir(), name.as_str()) {
                (true, "content") => self.graphs(&path),
                (true, _) => self.area(&path),
                (false, REQUIREMENTS) => self.read_as(Role::Requirements, &path),
                (false, EXPECTATIONS) => self.read_as(Role::Expectations, &path),
                (false, _) if is_yaml(&path) => {
                    self.fault(&path, "a case file outside of an area", "move it into a folder: AREA/TOPIC.yaml");
                }
                (false, _) => {}
            }
        }
        let beside = root.join("../fixtures/content");
        if !root.join("content").is_dir() && beside.is_dir() {
            self.graphs(&beside);
        }
    }

    /// An area: its topics.
    fn area(&mut self, folder: &Path) {
        let area = name_of(folder);
        if !words::is_slug(&area) {
            return self.fault(folder, "the folder's name cannot be an area's", NAMES);
        }
        for path in self.entries(folder) {
            if path.is_dir() {
                self.fault(
                    &path,
                    "a folder within an area: nothing in it is loaded",
                    "move its files up: AREA/TOPIC.yaml",
                );
            } else if is_yaml(&path) {
                self.topic(&area, &path);
            }
        }
    }

    fn topic(&mut self, area: &str, path: &Path) {
        let topic = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension != "yaml") {
            self.fault(path, "a case file's name ends in `.yaml`", "rename it, so that it is loaded");
        } else if !words::is_slug(&topic) {
            self.fault(path, "the file's name cannot be a topic's", NAMES);
        } else {
            self.read_as(Role::Topic(format!("{area}/{topic}")), path);
        }
    }

    /// A folder of graphs.
    fn graphs(&mut self, folder: &Path) {
        for path in self.entries(folder).into_iter().filter(|path| is_yaml(path) && !path.is_dir()) {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            self.read_as(Role::Graph(name), &path);
        }
    }

    /// One case file.
    fn single(&mut self, path: &Path) {
        let folder = path.canonicalize().ok().and_then(|full| full.parent().map(name_of)).unwrap_or_default();
        let area = if words::is_slug(&folder) { folder } else { "area".into() };
        match std::fs::metadata(path) {
            Ok(_) => self.topic(&area, path),
            Err(error) => {
                let help = "name a folder of suites, or a case file";
                self.fault(path, &format!("it cannot be read: {error}"), help);
            }
        }
    }

    /// Reads a file that may be read.
    fn read_as(&mut self, role: Role, path: &Path) {
        match input::read(path, yaml::MAX_FILE as u64) {
            Ok(bytes) => {
                let path = path.to_string_lossy().into();
                self.files.push(File { role, path, bytes: Cow::Owned(bytes), shipped: false });
            }
            Err(e) => {
                self.fault(path, &format!("it cannot be read: {e}"), "put a readable text file there, or take it away")
            }
        }
    }

    /// What is in a folder, sorted, without hidden entries.
    fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        let found = std::fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>());
        let mut paths = found.unwrap_or_else(|error| {
            self.fault(folder, &format!("it cannot be read: {error}"), "give it to whoever runs lacuna");
            Vec::new()
        });
        paths.retain(|path| !name_of(path).starts_with('.'));
        paths.sort();
        paths
    }

    fn fault(&mut self, path: &Path, message: &str, help: &str) {
        let file: Arc<str> = path.to_string_lossy().into();
        let fault = Fault::new(At::START, shown(message, 300)).help(help);
        self.faults.push(Diagnostic::new(&file, fault, None));
    }

    /// sha256 over all files: roles and bytes, not where they lie.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for file in &self.files {
            let role = format!("{:?}", file.role);
            for part in [role.as_bytes(), &file.bytes] {
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
        }
        let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }
}

/// What names of areas and topics look like.
const NAMES: &str = "ids are made of it: lower-case letters and digits, with hyphens between";

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml"))
}
