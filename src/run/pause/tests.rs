//! What is said of a pause.

use super::*;

#[test]
fn who_upgrades_from_outside_can_go_back() {
    let mut barriers = Barriers::default();
    barriers.there.insert(Barrier::Upgrade, true);
    add(None, &mut barriers);
    assert_eq!(barriers.there.len(), 1);
    add(Some(Barrier::Upgrade), &mut barriers);
    assert_eq!(barriers.there.get(&Barrier::Upgrade), Some(&false), "nothing can be sent during it");
    assert_eq!(barriers.there.get(&Barrier::Downgrade), Some(&false));
    let mut barriers = Barriers::default();
    add(Some(Barrier::Gc), &mut barriers);
    assert_eq!(barriers.there.len(), 1);
}
