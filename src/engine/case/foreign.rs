//! Repositories of a pool: others have used them before, and may have left tags there.

use std::collections::BTreeSet;

use super::Case;
use crate::engine::ask::Question;
use crate::engine::expect::lists::TagPage;
use crate::wire::Ask;

/// Pages of tags that are read at most.
const PAGES: usize = 200;

impl Case {
    /// Looks which tags are in its repositories before it begins: they say nothing of what it asks.
    pub(in crate::engine) async fn look_around(&mut self) {
        let repositories: Vec<(String, String)> =
            self.repositories.iter().map(|(nickname, name)| (nickname.clone(), name.clone())).collect();
        for (nickname, name) in repositories {
            let tags = self.tags_of(&name).await;
            self.facts.at(&nickname).foreign = tags;
        }
    }

    /// All tags of a repository, as far as it lists them. One that nobody pushed to yet has no list.
    async fn tags_of(&self, name: &str) -> BTreeSet<String> {
        let mut tags = BTreeSet::new();
        let mut target = format!("/v2/{name}/tags/list");
        for _ in 0..PAGES {
            let mut ask = Ask::new("GET", &target);
            ask.scopes = vec![format!("repository:{name}:pull")];
            let (exchange, _) = self.run.sender.send(crate::suite::side::Side::Main, &ask).await;
            let Some(response) = exchange.response().filter(|response| response.status == 200) else { break };
            let before = tags.len();
            tags.extend(TagPage::of(response).tags.unwrap_or_default());
            match &response.next {
                Some(next) if tags.len() > before => target.clone_from(&next.0),
                _ => break,
            }
        }
        tags
    }

    /// Whether a read is of a tag that somebody else left, and that this case has not written: whatever it gives is theirs.
    pub(in crate::engine) fn is_of_others(&self, question: &Question, repository: &str) -> bool {
        let foreign = self.facts.of(&question.repository).map(|known| &known.foreign);
        let Some(foreign) = foreign.filter(|foreign| !foreign.is_empty()) else { return false };
        let tag = question.ask.target.strip_prefix(&format!("/v2/{repository}/manifests/"));
        question.ask.method != "PUT" && tag.is_some_and(|tag| foreign.contains(tag))
    }
}
