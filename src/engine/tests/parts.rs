//! On scripted registries: what comes in parts, lists in pages and blobs in chunks.

use std::sync::{Arc, Mutex};

use super::crooked::{answer, one};
use super::*;
use crate::engine::expect::testing::serve;
use crate::wire::FailureKind;

#[tokio::test]
async fn what_is_on_a_page_that_is_not_answered_now_is_not_missing() {
    let served = serve(|_, path, _| {
        let link = "</v2/x/tags/list?last=a>; rel=\"next\"".into();
        match path.contains("last=") {
            true => (429, vec![("Retry-After", "0".into())], Vec::new()),
            false => (200, vec![("Link", link)], b"{\"name\":\"x\",\"tags\":[\"a\"]}".to_vec()),
        }
    })
    .await;
    let step = json!([{ "tags": { "follow": true, "expect": { "r": { "status": 200, "tags": { "exactly": ["a", "b"] } } } } }]);
    let outcome = one(&served.client, step).await;
    assert_eq!(said(&outcome), [] as [&str; 0]);
    assert_eq!(outcome.error.unwrap().kind, Some(FailureKind::Unavailable));
}

/// A blob of 5000 bytes is left after its first chunk. The registry lost all of it, and says so as well as a range can (v1.1.1 L427); or has it, and
/// wants larger chunks (L336-339).
#[tokio::test]
async fn an_upload_that_was_left_goes_on_as_the_registry_says() {
    for (range, least, lengths) in [("0-0", 0, [2000, 2000, 2000, 1000].as_slice()), ("0-2999", 3000, &[3000, 2000])] {
        let chunks: Arc<Mutex<Vec<usize>>> = Arc::default();
        let heard = chunks.clone();
        let served = serve(move |method, path, body| {
            let location = || ("Location", "/v2/x/up/1".to_owned());
            match method {
                "POST" => (202, vec![location(), ("OCI-Chunk-Min-Length", least.to_string())], Vec::new()),
                "PATCH" => {
                    heard.lock().unwrap().push(body.len());
                    (202, vec![location()], Vec::new())
                }
                "GET" if path.contains("/up/") => (204, vec![location(), ("Range", range.into())], Vec::new()),
                "PUT" => (201, vec![location()], Vec::new()),
                _ => answer(404),
            }
        })
        .await;
        let upload = |more: Value| {
            let mut keys =
                json!({ "blob": "layer", "how": "chunked", "chunk": 2000, "expect": { "r": { "status": "2xx" } } });
            keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({ "upload": keys })
        };
        let steps = json!([upload(json!({ "stop-after": 1 })), upload(json!({ "resume": true }))]);
        let outcome = one(&served.client, steps).await;
        assert_eq!((said(&outcome), outcome.error), (vec![], None));
        assert_eq!(*chunks.lock().unwrap(), lengths, "{range}");
    }
}
