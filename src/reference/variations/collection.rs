//! Lawful differences of how a registry collects.

use std::time::Duration;

use super::Variation;

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::configured(
        "collection-takes-its-time",
        "A collection takes a second at least, however little there is; requests are answered meanwhile.",
        |config| config.gc.least = Duration::from_secs(1),
    ),
    Variation::configured(
        "collection-refuses-writes-405",
        "While a collection is under way every push and deletion is refused as unsupported.",
        |config| config.gc.refuses = Some(405),
    ),
    Variation::configured(
        "collection-refuses-writes-503",
        "While a collection is under way whoever pushes or deletes is told to come again.",
        |config| config.gc.refuses = Some(503),
    ),
];
