//! Words that a record and all that is made of it share.

/// `1 case`, `12 cases`.
pub fn cases(count: usize) -> String {
    if count == 1 { "1 case".into() } else { format!("{count} cases") }
}
