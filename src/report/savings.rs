//! What a sparse copy saves: bytes stored and bytes sent, against the full one, as measured on the registry under test.

use serde::{Deserialize, Serialize};

use crate::record::{CaseRecord, RunRecord};

/// The case whose instances differ in nothing but the children that are there.
const CASE: &str = "savings/storage/pushed/";

/// One copy of the same index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Saving {
    /// The children that are there: `amd64+arm64`.
    pub children: String,
    /// Bytes by which the storage grew.
    pub stored: i64,
    /// Bytes that were sent.
    pub sent: u64,
}

/// The copies that were measured, the smallest first.
pub fn savings(record: &RunRecord) -> Vec<Saving> {
    let saving = |case: &CaseRecord| {
        let children = case.id.strip_prefix(CASE)?.to_owned();
        Some(Saving { children, stored: case.usage.last()?.bytes, sent: case.bytes_sent })
    };
    let mut savings: Vec<Saving> = record.cases.iter().filter_map(saving).collect();
    savings.sort_by_key(|saving| saving.sent);
    savings
}

/// Rows of a table: children, stored, sent, and how much less each is than the last, which is the full copy.
pub fn rows(savings: &[Saving]) -> Vec<[String; 4]> {
    let Some(full) = savings.last() else { return Vec::new() };
    let row = |saving: &Saving| {
        let less = match saving.stored < full.stored {
            true => format!(
                "{} % less than the full index",
                100 - (saving.stored.max(0) * 100 + full.stored / 2) / full.stored.max(1)
            ),
            false => "the full index".to_owned(),
        };
        [saving.children.clone(), mebibytes(saving.stored), mebibytes(i64::try_from(saving.sent).unwrap_or(0)), less]
    };
    savings.iter().map(row).collect()
}

/// `1.82 MiB`.
fn mebibytes(bytes: i64) -> String {
    let hundredths = (i128::from(bytes) * 100 + (1 << 19)) >> 20;
    format!("{}.{:02} MiB", hundredths / 100, (hundredths % 100).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_how_much_less_than_the_full_index() {
        let saving = |children: &str, stored, sent| Saving { children: children.into(), stored, sent };
        let rows = rows(&[saving("amd64", 701_825, 701_825), saving("all", 1_904_413, 1_904_413)]);
        assert_eq!(rows[0], ["amd64", "0.67 MiB", "0.67 MiB", "63 % less than the full index"]);
        assert_eq!(rows[1], ["all", "1.82 MiB", "1.82 MiB", "the full index"]);
        assert!(super::rows(&[]).is_empty());
        assert_eq!(super::rows(&[saving("a", 0, 0)])[0][1], "0.00 MiB");
    }
}
