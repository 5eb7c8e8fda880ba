//! Free ports for what is launched, none of them twice.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

/// Ports given to processes of ours that still run: the system may offer one again before its process listens.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Where ours begin: below are those of well-known services.
const FIRST: u16 = 10_000;

/// How often one is tried of those that no connection gets by itself, before the system is asked for any.
const TRIES: usize = 100;

/// A port that nobody listens on. Where the system says which ports connections get, it is none of these: what is launched
/// may listen a minute later only, and any connection of this machine could have it by then.
pub(super) fn free_port() -> std::io::Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let range = range();
    for port in (0..TRIES).filter_map(|_| quiet_port(&range)) {
        if !given.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            given.insert(port);
            return Ok(port);
        }
    }
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        if given.insert(port) {
            return Ok(port);
        }
    }
}

/// What Linux says of the ports that connections get: the first, and the last one.
fn range() -> String {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default()
}

/// One of the ports below those, at random.
fn quiet_port(range: &str) -> Option<u16> {
    let end: u16 = range.split_whitespace().next()?.parse().ok()?;
    let room = end.checked_sub(FIRST).filter(|room| *room > 1000)?;
    let random = RandomState::new().build_hasher().finish() % u64::from(room);
    Some(FIRST + u16::try_from(random).ok()?)
}

/// The process that had it runs no more.
pub(super) fn release(port: u16) {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&port);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_connection_gets_such_a_port_by_itself() {
        for _ in 0..1000 {
            assert!(quiet_port("32768\t60999\n").is_some_and(|port| (FIRST..32_768).contains(&port)));
        }
        for full in ["", "x", "1024 65535", "10500 60999"] {
            assert_eq!(quiet_port(full), None, "{full}");
        }
    }
}
