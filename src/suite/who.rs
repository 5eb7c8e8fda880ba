//! What may be asserted of a registry that wants to know who asks.

use schemars::JsonSchema;
use serde::Deserialize;

/// What the challenge of a 401 must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChallengeIs {
    /// There is one.
    Present,
    /// All of them are as RFC 9110, RFC 7617 and RFC 6750 write them.
    WellFormed,
    /// A realm of Bearer is an absolute URL.
    Realm,
    /// A scope of Bearer, where there is one, names the step's repository with what the request wants to do there.
    Scope,
    /// Of a request that had a token, Bearer says `invalid_token`, where it says what is wrong.
    InvalidToken,
    /// Of a request that had a token, Bearer has the scope that the token lacks.
    LackingScope,
}

/// What the answer of a token endpoint must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TokenIs {
    /// JSON with `token` or `access_token`.
    Given,
    /// It has none.
    None,
    /// A token that says how long it lives lives for a minute at least.
    Lasting,
    /// Where it says when it was issued, that is a time of RFC 3339.
    Dated,
}
