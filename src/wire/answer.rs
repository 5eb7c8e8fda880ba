//! An HTTP/1 answer, read leniently: what a strict parser refuses is what a harness must be able to show.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::address::Address;
use super::exchange::{FailureKind, Keep};
use super::failure::{self, Fault};
use super::http::{Answer, Limits};
use super::transfer::{Intake, Meter, Taken};

/// A head is never larger, in bytes.
const HEAD_LIMIT: usize = 256 * 1024;

/// After an answer that should have no body, so long is waited for one.
const FORBIDDEN_BODY: Duration = Duration::from_millis(100);

/// A connection from which an answer is read.
pub(crate) struct Reader<'a, S> {
    stream: S,
    buffer: BytesMut,
    peer: &'a Address,
    meter: &'a Arc<Meter>,
    limits: Limits,
}

/// Status line and header lines.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    version: &'static str,
    status: u16,
    headers: Vec<(String, Bytes)>,
}

impl<'a, S: AsyncRead + Unpin> Reader<'a, S> {
    /// A reader of this connection.
    pub fn new(stream: S, peer: &'a Address, meter: &'a Arc<Meter>, limits: Limits) -> Self {
        Reader { stream, buffer: BytesMut::new(), peer, meter, limits }
    }

    /// Reads the answer to a request of this method; who waits for an interim one is told of it.
    ///
    /// # Errors
    /// Deadlines, limits, an end before the end, and what is not HTTP even leniently.
    pub async fn answer(mut self, method: &str, keep: Keep, interim: &Notify) -> Result<Answer, Fault> {
        let head = loop {
            let head = self.head().await?;
            // Interim answers are not the answer.
            if !(100..200).contains(&head.status) || head.status == 101 {
                break head;
            }
            if head.status == 100 {
                interim.notify_one();
            }
        };
        let head_at = Instant::now();
        let body = self.body(&head, method, keep).await.map_err(|fault| fault.after_head(head.status))?;
        let Head { version, status, headers } = head;
        Ok(Answer { status, version, headers, body, head_at })
    }

    /// Reads the body as the head announces it.
    async fn body(&mut self, head: &Head, method: &str, keep: Keep) -> Result<Taken, Fault> {
        let mut intake = Intake::new(keep, head.status, self.limits.whole, self.limits.hashed, self.meter);
        if method == "HEAD" || matches!(head.status, 101 | 204 | 304) {
            self.forbidden(&mut intake).await?;
        } else if chunked(&head.headers) {
            self.chunks(&mut intake, head.status).await?;
        } else {
            let length = values(&head.headers, "content-length").next();
            match length.and_then(|l| std::str::from_utf8(l).ok()?.trim().parse::<u64>().ok()) {
                Some(length) => self.exactly(length, &mut intake, head.status).await?,
                None => while self.some(u64::MAX, &mut intake, head.status).await? {},
            }
        }
        Ok(intake.finish())
    }

    /// More bytes, or `false` at the end.
    async fn fill(&mut self, phase: &str) -> Result<bool, Fault> {
        let read = self.stream.read_buf(&mut self.buffer);
        match self.meter.while_alive(self.limits.idle, read).await {
            None => Err(failure::silence(self.peer, self.limits.idle, phase)),
            Some(Ok(count)) => {
                self.meter.touch();
                Ok(count > 0)
            }
            Some(Err(e)) => Err(failure::of_transfer(&e, self.peer, phase)),
        }
    }

    async fn head(&mut self) -> Result<Head, Fault> {
        loop {
            if let Some(end) = head_end(&self.buffer) {
                let head = self.buffer.split_to(end);
                return parse_head(&head).ok_or_else(|| self.not_http(&head));
            }
            if self.buffer.len() > HEAD_LIMIT {
                let text = format!("{} sent more than {HEAD_LIMIT} bytes of head", self.peer.authority());
                return Err(Fault::new(FailureKind::TooLarge, text).of_answer("a head above the limit"));
            }
            let begins = self.buffer.len().min(5);
            if self.buffer[..begins] != b"HTTP/"[..begins] {
                return Err(self.not_http(&self.buffer));
            }
            if !self.fill("after the request").await? {
                let phase = if self.buffer.is_empty() { "before it answered" } else { "within the answer's head" };
                return Err(failure::closed(self.peer, phase));
            }
        }
    }

    fn not_http(&self, bytes: &[u8]) -> Fault {
        let start: String = bytes.iter().take(40).map(|b| std::ascii::escape_default(*b).to_string()).collect();
        let text = format!("{} does not answer in HTTP; its answer begins with \"{start}\"", self.peer.authority());
        Fault::new(FailureKind::Protocol, text)
    }

    /// Takes at most `most` bytes of body; `false` at the end of the connection.
    async fn some(&mut self, most: u64, intake: &mut Intake, status: u16) -> Result<bool, Fault> {
        if self.buffer.is_empty() && !self.fill(&within(status, intake.came())).await? {
            return Ok(false);
        }
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(self.buffer.len());
        intake.push(&self.buffer[..count])?;
        self.buffer.advance(count);
        Ok(true)
    }

    async fn exactly(&mut self, length: u64, intake: &mut Intake, status: u16) -> Result<(), Fault> {
        let end = intake.came().saturating_add(length);
        while intake.came() < end {
            if !self.some(end - intake.came(), intake, status).await? {
                let missing = end - intake.came();
                return Err(failure::closed(
                    self.peer,
                    &format!("{} ({missing} more were announced)", within(status, intake.came())),
                ));
            }
        }
        Ok(())
    }

    async fn chunks(&mut self, intake: &mut Intake, status: u16) -> Result<(), Fault> {
        loop {
            let line = self.line(intake, status).await?;
            let digits = line.as_ref().split(|b: &u8| matches!(b, b';' | b' ' | b'\t')).next().unwrap_or_default();
            let size = std::str::from_utf8(digits).ok().and_then(|d| u64::from_str_radix(d, 16).ok());
            let Some(size) = size else {
                let text = format!("{} broke the protocol: a chunk's size is no number", self.peer.authority());
                return Err(Fault::new(FailureKind::Protocol, text));
            };
            if size == 0 {
                // Trailers end with an empty line; one that is missing changes nothing that was read.
                while matches!(self.line(intake, status).await, Ok(trailer) if !trailer.is_empty()) {}
                return Ok(());
            }
            self.exactly(size, intake, status).await?;
            self.line(intake, status).await?;
        }
    }

    /// A line of the chunked coding without its end.
    async fn line(&mut self, intake: &Intake, status: u16) -> Result<BytesMut, Fault> {
        loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == b'\n') {
                let mut line = self.buffer.split_to(end + 1);
                line.truncate(line.trim_ascii_end().len());
                return Ok(line);
            }
            if self.buffer.len() > HEAD_LIMIT {
                let text = format!("{} broke the protocol: a chunk's size has no end", self.peer.authority());
                return Err(Fault::new(FailureKind::Protocol, text));
            }
            let phase = within(status, intake.came());
            if !self.fill(&phase).await? {
                return Err(failure::closed(self.peer, &phase));
            }
        }
    }

    /// What comes although no body may: the connection was asked to close, so an honest peer ends it at once.
    async fn forbidden(&mut self, intake: &mut Intake) -> Result<(), Fault> {
        let until = Instant::now() + FORBIDDEN_BODY;
        loop {
            if !self.buffer.is_empty() {
                intake.push(&self.buffer)?;
                self.buffer.clear();
            }
            match tokio::time::timeout_at(until, self.stream.read_buf(&mut self.buffer)).await {
                Ok(Ok(count)) if count > 0 => {}
                _ => return Ok(()),
            }
        }
    }
}

fn within(status: u16, came: u64) -> String {
    format!("within the body, after status {status} and {came} bytes")
}

/// The values of every header line of a name, in order.
pub(super) fn values<'a>(headers: &'a [(String, Bytes)], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_ref())
}

fn chunked(headers: &[(String, Bytes)]) -> bool {
    values(headers, "transfer-encoding").any(|v| v.to_ascii_lowercase().windows(7).any(|w| w == b"chunked"))
}

/// Where the empty line after the head ends; bare line feeds are taken too.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut line_start = 0;
    for (at, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'\n') {
        let line = bytes[line_start..at].strip_suffix(b"\r").unwrap_or(&bytes[line_start..at]);
        if line.is_empty() && line_start > 0 {
            return Some(at + 1);
        }
        line_start = at + 1;
    }
    None
}

fn parse_head(bytes: &[u8]) -> Option<Head> {
    let mut lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status_line = lines.next()?.strip_prefix(b"HTTP/")?;
    let mut words = status_line.split(|b| *b == b' ').filter(|word| !word.is_empty());
    let version = match words.next()? {
        b"1.0" => "HTTP/1.0",
        b"1.1" => "HTTP/1.1",
        b"2" | b"2.0" => "HTTP/2.0",
        _ => "HTTP/?",
    };
    let status = std::str::from_utf8(words.next()?).ok()?.parse().ok().filter(|s| (100..1000).contains(s))?;
    let mut headers: Vec<(String, Bytes)> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let folded = line.starts_with(b" ") || line.starts_with(b"\t");
        match (headers.last_mut(), line.iter().position(|b| *b == b':')) {
            (Some((_, value)), _) if folded => *value = [value.as_ref(), b" ", line.trim_ascii()].concat().into(),
            (_, Some(colon)) => {
                let name = String::from_utf8_lossy(line[..colon].trim_ascii()).into_owned();
                headers.push((name, Bytes::copy_from_slice(line[colon + 1..].trim_ascii())));
            }
            (_, None) => headers.push((String::from_utf8_lossy(line).into_owned(), Bytes::new())),
        }
    }
    Some(Head { version, status, headers })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn read(method: &str, wire: &[u8]) -> Result<Answer, Fault> {
        let peer = Address::parse("http://h:1/").unwrap();
        let limits =
            Limits { connect: Duration::from_secs(1), idle: Duration::from_millis(50), whole: 1000, hashed: 1000 };
        Reader::new(wire, &peer, &Meter::new(), limits).answer(method, Keep::Whole, &Notify::new()).await
    }

    #[tokio::test]
    async fn every_framing_is_read() {
        for (method, wire, status, body) in [
            ("GET", &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"[..], 200, &b"abc"[..]),
            ("GET", b"HTTP/1.1 200\r\n\r\nto the end", 200, b"to the end"),
            ("GET", b"HTTP/1.0 404 Not\nA:b\n\nx", 404, b"x"),
            ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: t\r\n\r\n", 200, b"abc0123456789"),
            ("GET", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201, b""),
            ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nsent all the same", 200, b"sent all the same"),
            ("GET", b"HTTP/1.1 204 None\r\n\r\nboo", 204, b"boo"),
            ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc", 200, b"abc"),
        ] {
            let answer = read(method, wire).await.unwrap();
            assert_eq!((answer.status, answer.body.bytes.as_ref()), (status, body), "{}", wire.escape_ascii());
        }
    }

    #[tokio::test]
    async fn odd_header_lines_are_kept() {
        let wire = b"HTTP/1.1 200 OK\r\nA: 1\r\n 2\r\nno colon\r\nB : \xff\r\nA: 3\r\nContent-Length: 0\r\n\r\n";
        let answer = read("GET", wire).await.unwrap();
        let shown: Vec<String> = answer.headers.iter().map(|(n, v)| format!("{n}={}", v.escape_ascii())).collect();
        assert_eq!(shown, ["A=1 2", "no colon=", "B=\\xff", "A=3", "Content-Length=0"]);
    }

    #[tokio::test]
    async fn what_is_no_answer_says_what_it_is() {
        for (wire, kind, word) in [
            (&b""[..], FailureKind::Closed, "before it answered"),
            (b"HTTP/1.1 200 OK\r\nA: b", FailureKind::Closed, "head"),
            (b"\x15\x03\x01\x00\x02", FailureKind::Protocol, "\\x15"),
            (b"SSH-2.0-x\r\n", FailureKind::Protocol, "SSH-2.0"),
            (b"HTTP/1.1 abc\r\n\r\n", FailureKind::Protocol, "HTTP/1.1 abc"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", FailureKind::Closed, "6 more"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", FailureKind::Protocol, "no number"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", FailureKind::Closed, "closed"),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab",
                FailureKind::Closed,
                "closed",
            ),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nffffffffffffffff\r\n",
                FailureKind::Closed,
                "closed",
            ),
        ] {
            let fault = read("GET", wire).await.unwrap_err();
            assert_eq!(fault.kind, kind, "{}", wire.escape_ascii());
            assert!(fault.text.contains(word), "{}", fault.text);
        }
        let large = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'x'; 2000]].concat();
        assert_eq!(read("GET", &large).await.unwrap_err().kind, FailureKind::TooLarge);
    }
}
