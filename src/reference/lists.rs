//! Lists: of tags (end-8), of repositories.

use std::sync::LazyLock;

use axum::http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::answer::Answer;
use super::problem::Problem;
use super::question::{Asked, Listing, Page};
use super::registry::Registry;

/// GET of the tags of a repository: bytewise order, pages by `n` and `last`.
pub fn tags(registry: &Registry, asked: &Asked, repository: &str) -> Result<Answer, Problem> {
    if !asked.reads() {
        return Err(Problem::unsupported("a tag list has GET"));
    }
    let n = read_n(asked)?;
    let state = registry.state();
    let found = state.repository(repository).ok_or_else(|| Problem::name_unknown(repository))?;
    let all: Vec<String> = found.tags.keys().cloned().collect();
    let listing = Listing { view: registry.view(&state), repository, n, last: asked.query.get("last") };
    let all = registry.policy.list(&listing, all);
    let page = registry.policy.page(&listing, &all, page_of(&listing, &all));
    let answer = Answer::json(StatusCode::OK, &json!({ "name": repository, "tags": page.items }));
    Ok(with_next(answer, &format!("/v2/{repository}/tags/list"), n, page.next.as_deref()))
}

/// GET of all repositories.
pub fn catalog(registry: &Registry, asked: &Asked) -> Result<Answer, Problem> {
    if asked.method != Method::GET && asked.method != Method::HEAD {
        return Err(Problem::unsupported("the catalog has GET"));
    }
    let n = read_n(asked)?;
    let state = registry.state();
    let all: Vec<String> = state.repositories.keys().cloned().collect();
    let listing = Listing { view: registry.view(&state), repository: "", n, last: asked.query.get("last") };
    let page = page_of(&listing, &all);
    let answer = Answer::json(StatusCode::OK, &json!({ "repositories": page.items }));
    Ok(with_next(answer, "/v2/_catalog", n, page.next.as_deref()))
}

fn read_n(asked: &Asked) -> Result<Option<usize>, Problem> {
    let Some(text) = asked.query.get("n") else { return Ok(None) };
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::bad_request("`n` is not a number"));
    }
    Ok(Some(text.parse().unwrap_or(usize::MAX)))
}

/// The items after `last`, at most `n`. `last` need not be there: it is a place in the order.
pub fn page_of(listing: &Listing, all: &[String]) -> Page {
    let rest = match listing.last {
        Some(last) => all.iter().skip_while(|item| item.as_str() <= last).cloned().collect::<Vec<_>>(),
        None => all.to_vec(),
    };
    let n = listing.n.unwrap_or(usize::MAX);
    let more = n > 0 && rest.len() > n;
    let items: Vec<String> = rest.into_iter().take(n).collect();
    let next = if more { items.last().cloned() } else { None };
    Page { items, next }
}

/// What a query value must not carry as it is.
static RESERVED: LazyLock<AsciiSet> =
    LazyLock::new(|| NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-').remove(b'~').remove(b':').remove(b'/'));

/// Text as a query's value.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

/// RFC 8288: `Link: <...>; rel="next"`.
fn with_next(answer: Answer, path: &str, n: Option<usize>, next: Option<&str>) -> Answer {
    let Some(last) = next else { return answer };
    let n = n.map(|n| format!("n={n}&")).unwrap_or_default();
    answer.with("link", &format!("<{path}?{n}last={}>; rel=\"next\"", encode(last)))
}
