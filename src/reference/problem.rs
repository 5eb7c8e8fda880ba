//! Errors in the distribution-spec's form (v1.1.1, "Error Codes").

use axum::http::StatusCode;
use serde_json::{Value, json};

/// One entry of `errors`.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// A code of the spec's table.
    pub code: String,
    /// For a person.
    pub message: String,
    /// Arbitrary JSON; left out where it is null.
    pub detail: Value,
}

/// Why a request is refused: a status, and one entry or more.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// What `errors` lists.
    pub entries: Vec<Entry>,
}

/// Whether something may be done.
pub type Verdict = Result<(), Problem>;

impl Problem {
    /// A problem of one entry.
    pub fn new(status: StatusCode, code: &str, message: &str, detail: Value) -> Problem {
        Problem { status, entries: vec![Entry { code: code.into(), message: message.into(), detail }] }
    }

    /// The manifest that a reference should lead to is not there.
    pub fn manifest_unknown(reference: &str) -> Problem {
        let detail = json!({ "reference": reference });
        Problem::new(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown to registry", detail)
    }

    /// The blob is not there.
    pub fn blob_unknown(digest: &str) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry", json!({ "digest": digest }))
    }

    /// No such repository.
    pub fn name_unknown(repository: &str) -> Problem {
        let detail = json!({ "name": repository });
        Problem::new(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "repository name not known to registry", detail)
    }

    /// A manifest that is none, or none that may be stored.
    pub fn manifest_invalid(why: &str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "MANIFEST_INVALID", why, Value::Null)
    }

    /// A manifest names content that is not there: one entry for each digest, in order.
    pub fn children_unknown(digests: &[String]) -> Problem {
        let entries = digests
            .iter()
            .map(|digest| Entry {
                code: "MANIFEST_BLOB_UNKNOWN".into(),
                message: "manifest references a manifest or blob unknown to registry".into(),
                detail: json!({ "digest": digest }),
            })
            .collect();
        Problem { status: StatusCode::BAD_REQUEST, entries }
    }

    /// A digest that is malformed, or not that of the bytes that came.
    pub fn digest_invalid(message: &str, digest: &str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", message, json!({ "digest": digest }))
    }

    /// A method that the registry does not have, or has switched off.
    pub fn unsupported(what: &str) -> Problem {
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", what, Value::Null)
    }

    /// A query or header that cannot be understood.
    pub fn bad_request(what: &str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "UNSUPPORTED", what, Value::Null)
    }

    /// No such upload.
    pub fn upload_unknown(session: &str) -> Problem {
        let detail = json!({ "session": session });
        Problem::new(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", detail)
    }

    /// An upload's request that cannot be understood.
    pub fn upload_invalid(why: &str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID", why, Value::Null)
    }

    /// The storage failed: the registry's own fault, told without the path.
    pub fn storage(error: &std::io::Error) -> Problem {
        let message = format!("the registry's storage failed: {}", error.kind());
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "UNSUPPORTED", &message, Value::Null)
    }

    /// Whether any entry has this code.
    pub fn has(&self, code: &str) -> bool {
        self.entries.iter().any(|entry| entry.code == code)
    }

    /// The same with another code in every entry.
    #[must_use]
    pub fn coded(mut self, code: &str) -> Problem {
        for entry in &mut self.entries {
            entry.code = code.into();
        }
        self
    }

    /// The same with another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Problem {
        self.status = status;
        self
    }

    /// The body.
    pub fn to_json(&self) -> Value {
        let errors: Vec<Value> = self
            .entries
            .iter()
            .map(|entry| {
                let mut object = json!({ "code": entry.code, "message": entry.message });
                if let (Some(map), false) = (object.as_object_mut(), entry.detail.is_null()) {
                    map.insert("detail".into(), entry.detail.clone());
                }
                object
            })
            .collect();
        json!({ "errors": errors })
    }
}
