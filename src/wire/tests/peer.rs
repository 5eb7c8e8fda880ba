//! A scripted server on loopback: what it is asked is kept, what it answers is given.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Number of the request, over all connections.
    pub number: usize,
    /// Number of the connection.
    pub connection: usize,
    pub method: String,
    pub path: String,
    /// Lines in order, names lower-case.
    pub lines: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn line(&self, name: &str) -> Option<&str> {
        self.lines.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// What is done next.
pub enum Say {
    /// These bytes, and the connection stays.
    This(Vec<u8>),
    /// These bytes, and the end.
    Last(Vec<u8>),
    /// These bytes a moment after the other, and the end.
    Slowly(Vec<Vec<u8>>, Duration),
    /// Nothing, for ever.
    Silence,
}

/// A plain answer.
pub fn say(status: u16, lines: &[(&str, &str)], body: &str) -> Say {
    let lines: String = lines.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    Say::This(format!("HTTP/1.1 {status} X\r\n{lines}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

pub struct Peer {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Peer {
    pub async fn start(script: impl Fn(&Seen) -> Say + Send + Sync + 'static) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (kept, script) = (seen.clone(), Arc::new(script));
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, connection, kept.clone(), script.clone()));
                connection += 1;
            }
        });
        Peer { url, seen }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    kept: Arc<Mutex<Vec<Seen>>>,
    script: Arc<impl Fn(&Seen) -> Say + Send + Sync + 'static>,
) {
    let mut buffer = Vec::new();
    while let Some(mut seen) = request(&mut stream, &mut buffer).await {
        seen.connection = connection;
        {
            let mut kept = kept.lock().unwrap();
            seen.number = kept.len();
            kept.push(seen.clone());
        }
        let ended = match script(&seen) {
            Say::This(bytes) => stream.write_all(&bytes).await.is_err(),
            Say::Last(bytes) => {
                let _ = stream.write_all(&bytes).await;
                true
            }
            Say::Slowly(pieces, pause) => {
                for piece in pieces {
                    let _ = stream.write_all(&piece).await;
                    tokio::time::sleep(pause).await;
                }
                true
            }
            Say::Silence => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                true
            }
        };
        if ended {
            return;
        }
    }
}

async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end);
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let lines: Vec<(String, String)> =
        lines.filter_map(|l| l.split_once(':')).map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned())).collect();
    let length = lines.iter().find(|(n, _)| n == "content-length").and_then(|(_, v)| v.parse().ok()).unwrap_or(0);
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            break;
        }
    }
    let body = buffer.drain(..length.min(buffer.len())).collect();
    Some(Seen { number: 0, connection: 0, method, path, lines, body })
}
