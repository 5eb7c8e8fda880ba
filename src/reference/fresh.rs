//! Names that nobody can guess, for upload sessions and tokens.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::content::digest::Digest;
use crate::content::graph::Algorithm;

static COUNT: AtomicU64 = AtomicU64::new(0);

/// 64 hex digits: a hash over the operating system's randomness (std seeds its hash keys with it) and a counter.
pub fn secret() -> String {
    let mut seed = COUNT.fetch_add(1, Ordering::Relaxed).to_le_bytes().to_vec();
    for _ in 0..4 {
        seed.extend(RandomState::new().build_hasher().finish().to_le_bytes());
    }
    Digest::of(Algorithm::Sha256, &seed).hex().to_owned()
}

/// A UUID of version 4's form.
pub fn uuid() -> String {
    let hex = secret();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_differ_and_have_the_form() {
        let (a, b) = (uuid(), uuid());
        assert_ne!(a, b);
        assert_eq!(a.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}
