//! The reference registry behind a door that collects in every way that goes wrong.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path as PathOf, Request, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use lacuna::reference::{self, Config, Running};

/// The reference registry behind a door that knows of collections too, each of which goes wrong in its own way.
pub struct Served {
    pub url: String,
    pub door: Arc<Door>,
    registry: Option<Running>,
    runtime: tokio::runtime::Runtime,
}

/// What the door knows.
#[derive(Default)]
pub struct Door {
    url: String,
    /// Collections and tasks that were asked for, each by its name.
    pub asked: Mutex<BTreeMap<String, u32>>,
    /// Until when nothing else is answered.
    sick: Mutex<Option<Instant>>,
    /// Until when no manifest is found.
    blind: Mutex<Option<Instant>>,
    collecting: AtomicBool,
    /// Of each push of the tag `during`: whether a collection was under way.
    pub met: Mutex<Vec<bool>>,
}

impl Door {
    /// How often this was asked for, now included.
    fn count(&self, what: &str) -> u32 {
        let mut asked = self.asked.lock().unwrap();
        let count = asked.entry(what.to_owned()).or_default();
        *count += 1;
        *count
    }
}

async fn collect(State(door): State<Arc<Door>>, PathOf(how): PathOf<String>) -> Response<Body> {
    let answer = |status, body: String| Response::builder().status(status).body(Body::from(body)).unwrap();
    match how.as_str() {
        "refused" => answer(StatusCode::FORBIDDEN, "{\"detail\": \"admins only\"}".into()),
        "html" => answer(StatusCode::ACCEPTED, "<html>on its way</html>".into()),
        "huge" => answer(StatusCode::ACCEPTED, " ".repeat(64 << 20)),
        "conflict" => answer(StatusCode::CONFLICT, "{\"detail\": \"one is under way\"}".into()),
        "busy" => match door.count("collect") {
            1 => answer(StatusCode::CONFLICT, String::new()),
            2 => Response::builder().status(429).header("Retry-After", "1").body(Body::empty()).unwrap(),
            3 => answer(StatusCode::SERVICE_UNAVAILABLE, String::new()),
            _ => answer(StatusCode::ACCEPTED, "{\"task\": \"/task/late\"}".into()),
        },
        "sick" => {
            *door.sick.lock().unwrap() = Some(Instant::now() + Duration::from_secs(2));
            answer(StatusCode::OK, String::new())
        }
        "blind" => {
            *door.blind.lock().unwrap() = Some(Instant::now() + Duration::from_millis(1500));
            answer(StatusCode::OK, String::new())
        }
        "slow" => {
            door.collecting.store(true, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(2)).await;
            door.collecting.store(false, Ordering::SeqCst);
            answer(StatusCode::OK, String::new())
        }
        "silent" => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            answer(StatusCode::ACCEPTED, String::new())
        }
        _ => answer(StatusCode::ACCEPTED, format!("{{\"task\": \"http://elsewhere.example/task/{how}\"}}")),
    }
}

async fn task(State(door): State<Arc<Door>>, PathOf(state): PathOf<String>) -> Response<Body> {
    let answer = |status: u16, state: &str| {
        Response::builder().status(status).body(Body::from(format!("{{\"state\": \"{state}\"}}"))).unwrap()
    };
    match state.as_str() {
        "late" => match door.count("task") {
            1 => answer(404, "none"),
            2 => answer(503, "none"),
            3 => answer(200, "running"),
            _ => answer(200, "completed"),
        },
        state => answer(200, state),
    }
}

async fn pass_on(State(door): State<Arc<Door>>, request: Request) -> Response<Body> {
    let url = &door.url;
    let (head, body) = request.into_parts();
    if door.sick.lock().unwrap().is_some_and(|until| Instant::now() < until) {
        return Response::builder().status(502).body(Body::empty()).unwrap();
    }
    let is_read = head.method == "GET" && head.uri.path().contains("/manifests/");
    if is_read && door.blind.lock().unwrap().is_some_and(|until| Instant::now() < until) {
        return Response::builder().status(404).body(Body::empty()).unwrap();
    }
    if head.method == "PUT" && head.uri.path().ends_with("/manifests/during") {
        door.met.lock().unwrap().push(door.collecting.load(Ordering::SeqCst));
    }
    let body = to_bytes(body, 64 << 20).await.unwrap();
    let target = format!("{url}{}", head.uri.path_and_query().unwrap());
    let asked = reqwest::Client::new().request(head.method, target).headers(head.headers).body(body);
    let answer = asked.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut passed = Response::new(Body::from(answer.bytes().await.unwrap()));
    (*passed.status_mut(), *passed.headers_mut()) = (status, headers);
    passed
}

impl Served {
    pub fn start() -> Served {
        // The first to be asked wins; another test of this process may have been.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let registry = runtime.block_on(reference::start(Config::default(), address)).unwrap();
        let door = Arc::new(Door { url: registry.url.clone(), ..Door::default() });
        let app = Router::new()
            .route("/collect/{how}", post(collect))
            .route("/task/{state}", get(task))
            .fallback(pass_on)
            .with_state(door.clone());
        let listener = runtime.block_on(tokio::net::TcpListener::bind(address)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Served { url, door, registry: Some(registry), runtime }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.take() {
            self.runtime.block_on(registry.stop());
        }
    }
}
