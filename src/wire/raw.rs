//! The second door: bytes as given, on a connection of their own. HTTP/1.1 only.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;

use super::address::Address;
use super::answer::Reader;
use super::exchange::FailureKind;
use super::failure::{self, Fault};
use super::http::{Answer, Call, Limits};
use super::transfer::{self, Meter};

/// The second door.
#[derive(Clone)]
pub(crate) struct RawDoor {
    tls: TlsConnector,
    limits: Limits,
}

impl RawDoor {
    /// A door with this TLS configuration.
    pub fn new(tls: &rustls::ClientConfig, limits: Limits) -> RawDoor {
        let mut tls = tls.clone();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        RawDoor { tls: TlsConnector::from(Arc::new(tls)), limits }
    }

    /// Sends the call's method, path, lines and body as they are; `finish` closes the sending half after them.
    pub async fn send(&self, call: &Call, finish: bool, meter: &Arc<Meter>) -> Result<Answer, Fault> {
        let connecting = tokio::time::timeout(self.limits.connect, self.connect(&call.url));
        let late = |_| failure::no_connection(&call.url, self.limits.connect);
        match connecting.await.map_err(late)?? {
            Stream::Plain(stream) => self.exchange(stream, call, finish, meter).await,
            Stream::Secure(stream) => self.exchange(stream, call, finish, meter).await,
        }
    }

    async fn connect(&self, url: &Address) -> Result<Stream, Fault> {
        let tcp = TcpStream::connect((url.dial_host(), url.port)).await.map_err(|e| failure::of_connect(&e, url))?;
        // Only the last bytes of a request are held back without it; a failure to set it changes nothing else.
        let _ = tcp.set_nodelay(true);
        if !url.secure {
            return Ok(Stream::Plain(tcp));
        }
        let name = ServerName::try_from(url.dial_host().to_owned())
            .map_err(|_| Fault::new(FailureKind::Tls, format!("{} is no name for a certificate", url.dial_host())))?;
        let stream = self.tls.connect(name, tcp).await.map_err(|e| failure::of_connect(&e, url))?;
        Ok(Stream::Secure(Box::new(stream)))
    }

    async fn exchange<S: AsyncRead + AsyncWrite>(
        &self,
        stream: S,
        call: &Call,
        finish: bool,
        meter: &Arc<Meter>,
    ) -> Result<Answer, Fault> {
        let (reading, mut writing) = tokio::io::split(stream);
        let interim = Notify::new();
        let write = async {
            // A peer may answer and close before it has read everything: what it says counts, not that writing failed.
            let _ = write(&mut writing, call, finish, &interim, meter).await;
            std::future::pending::<()>().await;
        };
        let reading = std::pin::pin!(reading);
        let read = Reader::new(reading, &call.url, meter, self.limits).answer(&call.method, call.keep, &interim);
        let answer = tokio::select! {
            answer = read => answer,
            () = write => Err(failure::closed(&call.url, "before it answered")),
        };
        answer.map_err(|fault| match fault.kind {
            FailureKind::Timeout if waits(call) && meter.totals().0 == 0 => {
                fault.of_answer("neither 100 (Continue) nor an answer")
            }
            _ => fault,
        })
    }
}

enum Stream {
    Plain(TcpStream),
    Secure(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

async fn write<W: AsyncWrite + Unpin>(
    out: &mut W,
    call: &Call,
    finish: bool,
    interim: &Notify,
    meter: &Arc<Meter>,
) -> std::io::Result<()> {
    out.write_all(&head(call)).await?;
    if waits(call) {
        out.flush().await?;
        interim.notified().await;
    }
    for piece in transfer::pieces(&call.body, meter) {
        out.write_all(&piece).await?;
        meter.touch();
    }
    out.flush().await?;
    if finish {
        out.shutdown().await?;
    }
    Ok(())
}

/// Whether the body is held back until it is asked for (RFC 9110 10.1.1).
fn waits(call: &Call) -> bool {
    call.values("expect").any(|value| value.eq_ignore_ascii_case("100-continue"))
}

fn head(call: &Call) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", call.method, call.url.path).into_bytes();
    for (name, value) in &call.lines {
        head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head
}
