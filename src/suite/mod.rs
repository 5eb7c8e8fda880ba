//! What an author can write: topics of cases, bundles of expectations, requirements.

pub mod assertion;
pub mod model;
pub mod requirement;
