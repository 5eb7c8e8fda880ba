//! Whom we ask: the profile, its credentials, how it is launched, and what the probe found.

pub mod findings;
pub mod profile;
pub mod units;
