//! A connection below HTTP: it shows how a request was written, and can send what HTTP forbids.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// So many bytes of a connection are kept to see how its first request was written.
const HEARD: usize = 8 * 1024;

/// What a connection and whoever answers on it know of each other.
#[derive(Debug, Clone, Default)]
pub struct Line(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    heard: Vec<u8>,
    afterwards: Bytes,
}

impl Line {
    /// Sends these bytes behind the answer that is given next.
    pub fn send_afterwards(&self, bytes: Bytes) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).afterwards = bytes;
    }

    /// The names of the first request's header fields, as they were written; of later requests none.
    pub fn spelled(&self) -> Vec<String> {
        let heard = std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).heard);
        let text = String::from_utf8_lossy(&heard);
        let fields = text.lines().skip(1).take_while(|line| !line.is_empty());
        fields.filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect()
    }

    fn hear(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = HEARD.saturating_sub(kept.heard.len()).min(bytes.len());
        kept.heard.extend_from_slice(&bytes[..room]);
    }
}

/// A TCP connection with its line.
pub struct Connection {
    /// The connection.
    pub stream: TcpStream,
    /// What passes beside HTTP.
    pub line: Line,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, into))?;
        self.line.hear(&into.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        let Connection { stream, line } = &mut *self;
        let mut kept = line.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !kept.afterwards.is_empty() {
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, &kept.afterwards))?;
            kept.afterwards.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
