//! `catalog`: the list of repositories, one page or all.

use std::sync::Arc;

use super::pages::{self, Of};
use super::{Here, expand, query};
use crate::engine::ask::{Expected, Question};
use crate::engine::case::{Case, Halt};
use crate::suite::model::Catalog;
use crate::wire::Ask;

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Catalog) -> Result<(), Halt> {
    let mut values = Vec::new();
    for (key, value) in [("n", &what.n), ("last", &what.last)] {
        if let Some(value) = value {
            values.push(format!("{key}={}", query(&expand(case, here.nickname(), None, &value.to_string())?)));
        }
    }
    let values = values.join("&");
    let target = if values.is_empty() { "/v2/_catalog".to_owned() } else { format!("/v2/_catalog?{values}") };
    let mut ask = here.finish(case, None, Ask::new("GET", &target), &[])?;
    ask.scopes = vec!["registry:catalog:*".into()];
    let question = Question { expect: named(case, here)?, ..here.question("list repositories", ask) };
    pages::take(case, &question, None, Of::Repositories, what.follow).await
}

/// What is expected, with the repositories' full names.
fn named(case: &Case, here: &Here<'_>) -> Result<Expected, Halt> {
    let mut expect = here.expect.to_vec();
    for are in expect.iter_mut().filter_map(|expectation| expectation.assertion.repositories.as_mut()) {
        for name in [&mut are.including, &mut are.excluding].into_iter().flatten().flatten() {
            *name = expand(case, here.nickname(), None, name)?;
        }
    }
    Ok(Arc::from(expect))
}
