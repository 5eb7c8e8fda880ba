//! What an author can write: topics of cases, bundles of expectations, requirements.

pub mod assertion;
mod decode;
pub mod either;
pub mod fault;
pub mod model;
pub mod requirement;
mod tree;
