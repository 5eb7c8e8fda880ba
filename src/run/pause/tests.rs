//! What is said of a pause.

use super::*;
use crate::suite::model::{Scope, StanceWord};

fn found(is: StanceWord, scope: Option<Scope>, delete: Is) -> Found {
    let stance = StanceFinding { is, platforms: Vec::new(), scope, evidence: "e".into() };
    Found { oci: stance.clone(), docker: stance, capabilities: [("delete.tag".to_owned(), delete)].into() }
}

#[test]
fn what_changed_is_said_in_words() {
    let then = found(StanceWord::Refuse, Some(Scope::Repository), Is::Absent);
    assert_eq!(changes(&then, &then), Vec::<String>::new());
    assert_eq!(
        changes(&then, &found(StanceWord::Accept, None, Is::Supported)),
        [
            "oci stance was: refuse; is now: accept",
            "docker stance was: refuse; is now: accept",
            "delete.tag was: absent; is now: supported"
        ]
    );
    let wider = found(StanceWord::Refuse, Some(Scope::Registry), Is::Absent);
    let said = changes(&then, &wider);
    assert_eq!(
        said.first().map(String::as_str),
        Some("oci stance was: refuse (scope repository); is now: refuse (scope registry)")
    );
}

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
