//! Why there is no response: errors of the layers below, told apart and told to people.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use super::address::Address;
use super::exchange::FailureKind;

/// A failure before it is recorded: its kind and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The kind.
    pub kind: FailureKind,
    /// For people; may hold secrets until it is recorded.
    pub text: String,
    /// What is wrong with the answer, where one came; as in [`super::Failure::wrong`].
    pub wrong: Option<String>,
}

impl Fault {
    /// A fault.
    pub fn new(kind: FailureKind, text: impl Into<String>) -> Fault {
        Fault { kind, text: text.into(), wrong: None }
    }

    /// An answer came, and this is wrong with it.
    pub fn of_answer(self, wrong: impl Into<String>) -> Fault {
        Fault { wrong: Some(wrong.into()), ..self }
    }

    /// An answer's head came, with this status: what ends the answer before its end is wrong with it, but for a deadline.
    pub fn after_head(self, status: u16) -> Fault {
        match self.kind {
            FailureKind::Closed => self.of_answer("connection closed within the answer"),
            FailureKind::TooLarge => self.of_answer(format!("status {status} with a body above the limit")),
            FailureKind::Protocol => self.of_answer(format!("status {status} with a body that breaks HTTP")),
            _ => self,
        }
    }
}

/// A duration for people: `500 ms`, `10 s`.
pub(crate) fn shown(duration: Duration) -> String {
    if duration.subsec_millis() == 0 && duration.as_secs() > 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

/// What an error of reqwest or hyper means. `phase` says where it happened: `before the answer`, `within the body`.
pub(crate) fn of_http(error: &reqwest::Error, peer: &Address, phase: &str, connect: Duration) -> Fault {
    let chain: Vec<&(dyn Error + 'static)> = chain(error).collect();
    if let Some(fault) = chain.iter().find_map(|e| of_tls(*e, peer)) {
        return fault;
    }
    let io = chain.iter().rev().find_map(|e| e.downcast_ref::<std::io::Error>());
    if error.is_connect() {
        if error.is_timeout() || io.is_some_and(|io| io.kind() == ErrorKind::TimedOut) {
            return no_connection(peer, connect);
        }
        if let Some(io) = io {
            return of_connect(io, peer);
        }
        let last = chain.last().map(ToString::to_string).unwrap_or_default();
        return Fault::new(FailureKind::Connect, format!("no connection to {}: {last}", peer.authority()));
    }
    if error.is_builder() || error.is_request() && chain.iter().any(|e| is_hyper(*e, hyper::Error::is_user)) {
        let last = chain.last().map(ToString::to_string).unwrap_or_default();
        return Fault::new(FailureKind::Protocol, format!("the request cannot be sent: {last}"));
    }
    if error.is_timeout() {
        return Fault::new(FailureKind::Timeout, format!("{} took too long {phase}", peer.authority()));
    }
    if let Some(io) = io {
        return of_transfer(io, peer, phase);
    }
    if chain.iter().any(|e| is_hyper(*e, |e| e.is_incomplete_message() || e.is_closed() || e.is_canceled())) {
        return closed(peer, phase);
    }
    let last = chain.last().map(ToString::to_string).unwrap_or_default();
    if chain.iter().any(|e| is_hyper(*e, is_no_head)) {
        return Fault::new(FailureKind::Protocol, format!("{} does not answer in HTTP: {last}", peer.authority()));
    }
    if chain.iter().any(|e| is_hyper(*e, hyper::Error::is_parse)) {
        let text = format!("{} answers with a head that breaks HTTP: {last}", peer.authority());
        return Fault::new(FailureKind::Protocol, text).of_answer(format!("a head that breaks HTTP: {last}"));
    }
    Fault::new(FailureKind::Protocol, format!("{} broke the protocol {phase}: {last}", peer.authority()))
}

/// What a failed connect means.
pub(crate) fn of_connect(io: &std::io::Error, peer: &Address) -> Fault {
    if let Some(fault) = io.get_ref().and_then(|inner| of_tls(inner, peer)) {
        return fault;
    }
    let at = peer.authority();
    let connect = |text: String| Fault::new(FailureKind::Connect, text);
    match io.kind() {
        ErrorKind::ConnectionRefused => connect(format!("connection refused: nothing listens on {}", with_port(peer))),
        ErrorKind::HostUnreachable => connect(format!("{at} cannot be reached: no route to the host")),
        ErrorKind::NetworkUnreachable => connect(format!("{at} cannot be reached: the network is unreachable")),
        ErrorKind::AddrNotAvailable => connect(format!("no connection to {at}: no local address or port is free")),
        ErrorKind::TimedOut => Fault::new(FailureKind::Timeout, format!("no connection to {at}: it does not answer")),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset if peer.secure => {
            Fault::new(FailureKind::Tls, format!("{at} ended the TLS handshake; does it speak http instead of https?"))
        }
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => {
            connect(format!("{} reset the connection at once", with_port(peer)))
        }
        _ if io.to_string().contains("lookup") => connect(format!("the name {} is unknown: {io}", peer.dial_host())),
        _ => connect(format!("no connection to {at}: {io}")),
    }
}

/// No connection within its deadline.
pub(crate) fn no_connection(peer: &Address, within: Duration) -> Fault {
    Fault::new(FailureKind::Timeout, format!("no connection to {} within {}", with_port(peer), shown(within)))
}

/// No byte within its deadline.
pub(crate) fn silence(peer: &Address, within: Duration, phase: &str) -> Fault {
    Fault::new(FailureKind::Timeout, format!("{} sent nothing for {} {phase}", peer.authority(), shown(within)))
}

/// The end of the connection where more was due.
pub(crate) fn closed(peer: &Address, phase: &str) -> Fault {
    Fault::new(FailureKind::Closed, format!("{} closed the connection {phase}", peer.authority()))
}

/// What a failed read or write means.
pub(crate) fn of_transfer(io: &std::io::Error, peer: &Address, phase: &str) -> Fault {
    if let Some(fault) = io.get_ref().and_then(|inner| of_tls(inner, peer)) {
        return fault;
    }
    match io.kind() {
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected
        | ErrorKind::UnexpectedEof => closed(peer, phase),
        ErrorKind::TimedOut => Fault::new(FailureKind::Timeout, format!("{} went silent {phase}", peer.authority())),
        _ => Fault::new(FailureKind::Protocol, format!("{} broke the protocol {phase}: {io}", peer.authority())),
    }
}

/// The local end of the connection on which the error happened, where there was one.
pub(crate) fn connection_of(error: &reqwest::Error) -> Option<std::net::SocketAddr> {
    let client = chain(error).find_map(|e| e.downcast_ref::<hyper_util::client::legacy::Error>())?;
    let mut extras = hyper::http::Extensions::default();
    client.connect_info()?.get_extras(&mut extras);
    extras.get::<hyper_util::client::legacy::connect::HttpInfo>().map(|info| info.local_addr())
}

fn with_port(peer: &Address) -> String {
    format!("{}:{}", peer.host, peer.port)
}

fn of_tls(error: &(dyn Error + 'static), peer: &Address) -> Option<Fault> {
    use rustls::CertificateError as C;
    use rustls::Error as T;
    let inner = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
    let tls = match inner.and_then(|inner| inner.downcast_ref::<T>()) {
        Some(tls) => tls,
        None => error.downcast_ref::<T>()?,
    };
    let at = peer.authority();
    let text = match tls {
        T::InvalidCertificate(C::UnknownIssuer) => format!(
            "the certificate of {at} is signed by nobody that is trusted here; name its CA with `tls: {{ca: FILE}}`"
        ),
        T::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => format!("the certificate of {at} has expired"),
        T::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            format!("the certificate of {at} is not valid yet; is this machine's clock right?")
        }
        T::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            format!("the certificate of {at} is for another name")
        }
        T::InvalidCertificate(other) => format!("the certificate of {at} is not accepted: {other}"),
        T::InvalidMessage(_) => format!("{at} does not speak TLS; is its URL http:// instead of https://?"),
        other => format!("TLS with {at} failed: {other}"),
    };
    Some(Fault::new(FailureKind::Tls, text))
}

/// Whether what came is no status line; hyper has no question for its version, and refuses all else after it.
fn is_no_head(error: &hyper::Error) -> bool {
    error.is_parse_status() || error.is_parse() && error.to_string().contains("HTTP version")
}

fn is_hyper(error: &(dyn Error + 'static), what: impl Fn(&hyper::Error) -> bool) -> bool {
    error.downcast_ref::<hyper::Error>().is_some_and(what)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |e: &&'a (dyn Error + 'static)| (*e).source())
}
