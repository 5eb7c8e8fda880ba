//! `tags`: the list of tags, one page or all.

use super::pages::{self, Of};
use super::{Here, delete, query};
use crate::engine::ask::Question;
use crate::engine::case::{Case, Halt};
use crate::suite::model::Tags;
use crate::wire::Ask;

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Tags) -> Result<(), Halt> {
    let repository = case.repository(here.nickname())?;
    let values = [("n", &what.n), ("last", &what.last)];
    let values =
        values.iter().filter_map(|(key, value)| Some(format!("{key}={}", query(&value.as_ref()?.to_string()))));
    let values = values.collect::<Vec<_>>().join("&");
    let mut target = format!("/v2/{repository}/tags/list");
    let mut label = "list tags".to_owned();
    if !values.is_empty() {
        target.push_str(&format!("?{values}"));
        label.push_str(&format!(" {values}"));
    }
    let question = Question {
        expect: here.expect.clone(),
        ..here.question(label, here.finish(case, None, Ask::new("GET", &target), &["pull"])?)
    };
    let mut first = None;
    if let Some(tag) = &what.delete_between {
        let asked = case.run.sender.ask(&question).await.map_err(|error| case.unwritten(&error))?;
        if asked.exchange.status() == Some(200) {
            let expect = case.bundle("tag-deleted")?;
            delete::one_tag(case, here, tag, expect).await?;
        }
        first = Some(asked);
    }
    let n = what.n.as_ref().and_then(|n| n.to_string().parse().ok());
    pages::take(case, &question, first, Of::Tags { n }, what.follow).await
}
