//! Expectation tables.
