//! The catalogue of defects: each is one wrong decision, at a seam of [`super::policy`].
//!
//! A defect knows no case, repository or fixture: it is wrong about a kind of content or request, as products have been.
//! A row is its name, what the registry does wrong, the requirement that it breaks, and the change at the seam.

mod after;
mod after_lists;
mod after_writes;
mod again;
mod asked_by_clients;
mod asked_by_registries;
mod auth_challenge;
mod auth_entry;
mod auth_scope;
mod auth_token;
mod blobs;
mod boot;
mod boot_again;
mod boot_back;
mod boot_bytes;
mod boot_elsewhere;
mod boot_heads;
mod boot_kill;
mod boot_lists;
mod boot_referrers;
mod boot_tools;
mod boot_upgrade;
mod boot_uploads;
mod children;
mod chunks;
mod conditional;
mod delete;
mod delete_blobs;
mod delete_children;
mod delete_moved;
mod docker;
mod forms;
mod gaps;
mod gc;
mod gc_after;
mod gc_again;
mod gc_during;
mod gc_late;
mod gc_museum;
mod gc_pins;
mod gc_pushed;
mod gc_roots;
mod gc_shapes;
mod gc_started;
mod gc_stops;
mod gc_successors;
mod gc_takes;
mod gc_tools;
mod head;
mod headers;
mod http;
mod last;
mod late;
mod late_asked;
mod late_deleted;
mod late_pushed;
mod malformed;
mod missing;
mod mounts;
mod names;
mod negotiate;
mod negotiate_codes;
mod pages;
mod paths;
mod pull;
mod push;
mod race;
mod race_lost;
mod ranges;
mod referrers;
mod referrers_filter;
mod referrers_form;
mod referrers_late;
mod referrers_pages;
mod refuse;
mod refused;
mod remembered;
mod require;
mod rewrite;
mod roads;
mod scope;
mod seldom;
mod sessions;
mod shapes;
mod shapes_mixed;
mod skew;
mod statuses;
mod storage;
mod subject;
mod tags;
mod tags_odd;
mod texts;
mod tools;
mod types;
mod uploads;

use std::sync::LazyLock;

use super::policy::Seam;
use crate::suite::model::StanceWord;

/// One wrong decision.
#[derive(Debug, Clone, Copy)]
pub struct Defect {
    /// Kebab-case, for ever stable.
    pub name: &'static str,
    /// What the registry does wrong.
    pub sentence: &'static str,
    /// The requirement that it breaks, by its id in `suites/requirements.yaml`.
    pub requirement: &'static str,
    /// Requirements by which the same wrong decision shows where a case asks for something else first.
    pub also: &'static [&'static str],
    /// The stances in which it shows; empty: every one.
    pub stances: &'static [StanceWord],
    /// Where it decides, and how.
    pub(super) seams: &'static [Seam],
}

impl Defect {
    /// A defect that shows in every stance.
    const fn new(
        name: &'static str,
        sentence: &'static str,
        requirement: &'static str,
        seams: &'static [Seam],
    ) -> Defect {
        Defect { name, sentence, requirement, also: &[], stances: &[], seams }
    }

    /// The same, showing only in these stances.
    const fn when(self, stances: &'static [StanceWord]) -> Defect {
        Defect { stances, ..self }
    }

    /// The same, seen by these requirements too.
    const fn also(self, also: &'static [&'static str]) -> Defect {
        Defect { also, ..self }
    }

    /// Whether a mismatch of this requirement is this defect's doing, and no collateral damage.
    pub fn breaks(&self, requirement: &str) -> bool {
        self.requirement == requirement || self.also.contains(&requirement)
    }
}

static ALL: LazyLock<Vec<Defect>> = LazyLock::new(|| {
    let areas = [
        push::DEFECTS,
        rewrite::DEFECTS,
        gaps::DEFECTS,
        shapes::DEFECTS,
        forms::DEFECTS,
        malformed::DEFECTS,
        conditional::DEFECTS,
        shapes_mixed::DEFECTS,
        children::DEFECTS,
        refuse::DEFECTS,
        refused::DEFECTS,
        require::DEFECTS,
        again::DEFECTS,
        late::DEFECTS,
        late_asked::DEFECTS,
        late_deleted::DEFECTS,
        late_pushed::DEFECTS,
        scope::DEFECTS,
        pull::DEFECTS,
        head::DEFECTS,
        negotiate::DEFECTS,
        negotiate_codes::DEFECTS,
        missing::DEFECTS,
        blobs::DEFECTS,
        headers::DEFECTS,
        ranges::DEFECTS,
        uploads::DEFECTS,
        chunks::DEFECTS,
        seldom::DEFECTS,
        sessions::DEFECTS,
        statuses::DEFECTS,
        roads::DEFECTS,
        mounts::DEFECTS,
        tags::DEFECTS,
        tags_odd::DEFECTS,
        pages::DEFECTS,
        last::DEFECTS,
        delete::DEFECTS,
        delete_blobs::DEFECTS,
        delete_children::DEFECTS,
        delete_moved::DEFECTS,
        remembered::DEFECTS,
        referrers::DEFECTS,
        referrers_form::DEFECTS,
        referrers_pages::DEFECTS,
        referrers_filter::DEFECTS,
        subject::DEFECTS,
        referrers_late::DEFECTS,
        boot::DEFECTS,
        boot_again::DEFECTS,
        boot_bytes::DEFECTS,
        boot_elsewhere::DEFECTS,
        boot_heads::DEFECTS,
        boot_lists::DEFECTS,
        boot_kill::DEFECTS,
        boot_upgrade::DEFECTS,
        boot_back::DEFECTS,
        boot_uploads::DEFECTS,
        boot_referrers::DEFECTS,
        gc::DEFECTS,
        gc_during::DEFECTS,
        gc_stops::DEFECTS,
        gc_successors::DEFECTS,
        gc_takes::DEFECTS,
        gc_shapes::DEFECTS,
        gc_started::DEFECTS,
        gc_pushed::DEFECTS,
        after::DEFECTS,
        after_lists::DEFECTS,
        after_writes::DEFECTS,
        gc_again::DEFECTS,
        gc_roots::DEFECTS,
        gc_after::DEFECTS,
        gc_late::DEFECTS,
        gc_museum::DEFECTS,
        gc_pins::DEFECTS,
        skew::DEFECTS,
        types::DEFECTS,
        race::DEFECTS,
        race_lost::DEFECTS,
        storage::DEFECTS,
        names::DEFECTS,
        paths::DEFECTS,
        http::DEFECTS,
        texts::DEFECTS,
        docker::DEFECTS,
        asked_by_clients::DEFECTS,
        asked_by_registries::DEFECTS,
        auth_challenge::DEFECTS,
        auth_entry::DEFECTS,
        auth_scope::DEFECTS,
        auth_token::DEFECTS,
    ];
    areas.concat()
});

/// Every defect, by area.
pub fn defects() -> &'static [Defect] {
    &ALL
}
