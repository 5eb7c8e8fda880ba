//! The door: from an HTTP request to a route's answer, through the layer over finished answers, back to HTTP.

use std::sync::Arc;

use axum::body::{Body as HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode};
use bytes::Bytes;

use super::answer::Answer;
use super::connection::Line;
use super::gc::Terms;
use super::problem::Problem;
use super::question::Asked;
use super::registry::Registry;
use super::route::{Route, is_name};
use super::{blobs, lists, manifests, referrers, sessions};

/// Bytes of a body that is read into memory: far above any manifest that is taken, so that 413 can be answered to a
/// client that has sent all of it.
const WHOLE_BODY: usize = 64 * 1024 * 1024;

/// Answers one request.
pub async fn serve(State(registry): State<Arc<Registry>>, request: Request) -> Response<HttpBody> {
    let (head, body) = request.into_parts();
    let line = head.extensions.get::<Line>().cloned().unwrap_or_default();
    let asked = Asked::new(head.method, head.uri, head.headers);
    let asked = Arc::new(Asked { spelled: line.spelled(), ..asked });
    let _under_way = registry.traffic.enter(&asked);
    let wait = registry.policy.begin(&asked);
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let answer = match registry.refuse(&asked).or_else(|| unheard(&registry, &asked)) {
        Some(refusal) => refusal,
        None => answer(&registry, &asked, body).await.unwrap_or_else(Answer::from),
    };
    let answer = {
        let state = registry.state();
        registry.policy.finish(&asked, &registry.view(&state), answer)
    };
    if answer.delivery.body_to_head && asked.method == Method::HEAD {
        line.send_afterwards(answer.body.to_bytes());
    }
    answer.into_response(&asked.method).await
}

/// The answer to a request that is not heard.
fn unheard(registry: &Registry, asked: &Asked) -> Option<Answer> {
    let state = registry.state();
    let writes = !asked.reads() && asked.route.repository().is_some();
    let refused = registry.config.gc.refuses.filter(|_| writes && state.life.collecting);
    let right = match refused.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) => Err(Problem::unsupported("nothing is written while garbage is collected").status(status)),
        None => Ok(()),
    };
    let answer = registry.policy.hear(asked, &registry.view(&state), right).err().map(Answer::from)?;
    let comes_back = answer.status == StatusCode::SERVICE_UNAVAILABLE;
    Some(if comes_back { answer.with("retry-after", "1") } else { answer })
}

async fn answer(registry: &Arc<Registry>, asked: &Arc<Asked>, body: HttpBody) -> Result<Answer, Problem> {
    if let Some(repository) = asked.route.repository()
        && !is_name(repository)
    {
        let status = if asked.reads() { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
        let detail = serde_json::json!({ "name": repository });
        return Err(Problem::new(status, "NAME_INVALID", "invalid repository name", detail));
    }
    match &asked.route {
        Route::Uploads { repository } => sessions::open(registry, asked, repository, body).await,
        Route::Collect if registry.config.gc.admin && asked.method == Method::POST => {
            let terms = Terms::asked(registry.config.gc, asked)?;
            let collected = registry.aside(move |registry| registry.collect(&terms)).await??;
            Ok(Answer::json(StatusCode::OK, &collected.to_json()))
        }
        Route::Upload { repository, session } => sessions::proceed(registry, asked, repository, session, body).await,
        _ => {
            let bytes = match asked.method {
                Method::PUT | Method::POST => whole(body).await?,
                _ => Bytes::new(),
            };
            let asked = asked.clone();
            registry.working(move |registry| at_once(registry, &asked, &bytes)).await?
        }
    }
}

async fn whole(body: HttpBody) -> Result<Bytes, Problem> {
    to_bytes(body, WHOLE_BODY).await.map_err(|_| {
        let message = "the body ended too early, or is larger than anything that is taken here";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID", message, serde_json::Value::Null)
    })
}

/// The routes that need no stream.
fn at_once(registry: &Registry, asked: &Asked, bytes: &Bytes) -> Result<Answer, Problem> {
    match &asked.route {
        Route::Base if asked.reads() => {
            let answer = Answer::json(StatusCode::OK, &serde_json::json!({}));
            Ok(answer.with("docker-distribution-api-version", "registry/2.0"))
        }
        Route::Manifest { repository, reference } => {
            Ok(manifests::route(registry, asked, repository, reference, bytes))
        }
        Route::Blob { repository, digest } => Ok(blobs::route(registry, asked, repository, digest)),
        Route::Tags { repository } => lists::tags(registry, asked, repository),
        Route::Referrers { repository, digest } => referrers::get(registry, asked, repository, digest),
        Route::Catalog => lists::catalog(registry, asked),
        Route::Token => registry.token(asked, &String::from_utf8_lossy(bytes)),
        Route::Base => Err(Problem::unsupported("/v2/ has GET")),
        _ => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "UNSUPPORTED",
            "nothing of the distribution-spec is here",
            serde_json::Value::Null,
        )),
    }
}
