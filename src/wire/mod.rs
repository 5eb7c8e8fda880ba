//! How a registry is asked: one [`Exchange`] is a request and what came of it, recorded and redacted at birth.

pub mod exchange;

pub use exchange::*;
