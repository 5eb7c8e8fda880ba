//! Runs cases: the only stage that touches the network.

pub mod outcome;
