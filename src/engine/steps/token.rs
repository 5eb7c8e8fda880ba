//! `token`: one is asked for, where the registry's challenges say that it is to be had.

use super::{Here, expand};
use crate::engine::ask::{Asked, Question};
use crate::engine::case::{Case, Halt};
use crate::engine::facts::is_yes;
use crate::suite::model::{Asker, TokenStep};
use crate::wire::{Ask, Who};

pub async fn run(case: &mut Case, here: &Here<'_>, what: &TokenStep) -> Result<(), Halt> {
    let mut scopes = Vec::with_capacity(what.scopes.len());
    for scope in &what.scopes {
        scopes.push(expand(case, here.nickname(), None, scope)?);
    }
    let (who, by) = match what.who {
        Asker::User => (Who::Ours, ""),
        Asker::Nobody => (Who::Nobody, " by nobody"),
        Asker::WrongPassword => (Who::Wrong, " by a wrong password"),
    };
    let label = format!("a token for {}{by}", if scopes.is_empty() { "nothing".into() } else { what.scopes.join(" ") });
    // What is sent is the client's own affair: it knows where to.
    let question = Question { expect: here.expect.clone(), reads: false, ..here.question(label, Ask::new("GET", "")) };
    let client = case.run.sender.client.clone();
    let (exchange, token) = client.token(who, &scopes).await.map_err(|problem| case.unusable(problem))?;
    let status = exchange.status();
    if let (Some(name), Some(token)) = (&here.step.name, token.filter(|_| is_yes(status))) {
        case.tokens.insert(name.clone(), token);
    }
    case.take(&question, Asked { exchange, located: None, wrong: None }).await?;
    // Without it what follows means nothing: that it was not given is said above.
    match &here.step.name {
        Some(name) if !case.tokens.contains_key(name) => Err(Halt::Meaningless),
        _ => Ok(()),
    }
}
