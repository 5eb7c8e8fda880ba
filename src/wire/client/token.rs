//! A token that is asked for as a question of its own, and a password that is wrong on purpose.

use super::Client;
use crate::wire::auth::{self, Who};
use crate::wire::exchange::{AskBody, Exchange, FailureKind, Secret};
use crate::wire::failure::{self, Fault};
use crate::wire::http::Call;
use crate::wire::token;
use crate::wire::trace::Trace;

impl Client {
    /// Asks the endpoint that the registry's challenges named for a token. The exchange shows none; the token is beside it.
    ///
    /// # Errors
    /// There is no such endpoint, or credentials would go where they must not: nothing was sent.
    pub async fn token(&self, who: Who, scopes: &[String]) -> Result<(Exchange, Option<Secret>), String> {
        let inner = &self.inner;
        let (get, post) = inner.auth.token_calls(who, scopes)?;
        let first = self.ask_token(&get).await;
        match post.filter(|_| matches!(first.0.status(), Some(404 | 405))) {
            Some(post) => Ok(self.ask_token(&post).await),
            None => Ok(first),
        }
    }

    async fn ask_token(&self, call: &Call) -> (Exchange, Option<Secret>) {
        let inner = &self.inner;
        let mut trace = Trace::of(call, inner.secrets.clone());
        inner.gate.pass().await;
        trace.start();
        // A form holds the password: the record has no body.
        trace.sends(&Call { body: AskBody::Empty, ..call.clone() });
        let mut stopped = self.stopped.subscribe();
        let sent = tokio::time::timeout(inner.total, inner.auth.door().send(call, &trace.meter));
        let result = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => {
                Err(Fault::new(FailureKind::Interrupted, "sending was stopped"))
            }
            sent = sent => match sent {
                Ok(sent) => sent.map_err(|failed| failed.fault),
                Err(_) => {
                    let text = format!("the token endpoint did not answer within {}", failure::shown(inner.total));
                    Err(Fault::new(FailureKind::Timeout, text))
                }
            },
        };
        let given = result.as_ref().map(|answer| token::given(&answer.body.bytes)).unwrap_or_default();
        for secret in &given {
            trace.secrets.add(&secret.0);
            trace.secrets.issue(&secret.0);
        }
        // A token that no header can carry cannot be used, and is as good as none.
        let usable = |secret: &Secret| secret.0.bytes().all(|b| b.is_ascii_graphic());
        let token = given.into_iter().next().filter(usable);
        (trace.end(result.map(|answer| (answer, call.url.clone()))), token)
    }

    /// The credentials of a Basic line with our name and a password that is not ours.
    pub fn wrong_password(&self) -> Secret {
        let (user, password) = self.inner.auth.wrong();
        let line = auth::basic(&user, &password).0;
        Secret(line.trim_start_matches("Basic ").to_owned())
    }
}
