//! Free ports for what is launched, none of them twice.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};

/// Ports given to processes of ours that still run: the system may offer one again before its process listens.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that nobody listens on.
pub(super) fn free_port() -> std::io::Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        if given.insert(port) {
            return Ok(port);
        }
    }
}

/// The process that had it runs no more.
pub(super) fn release(port: u16) {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&port);
}
