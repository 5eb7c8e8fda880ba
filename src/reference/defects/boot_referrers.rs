//! Wrong about the referrers API that an upgrade brings.

use super::boot_tools::*;

pub(super) const DEFECTS: &[Defect] = &[Defect::new(
    "upgrade-brings-empty-referrers",
    "There is no referrers API, until an upgrade brings one: it lists what is pushed from then on.",
    "referrers.enabled",
    &[
        Seam::Finish(|asked, view, _, answer| match view.state.life.upgraded {
            true => answer,
            false if matches!(asked.route, Route::Referrers { .. }) => {
                Problem::unsupported("not here").status(StatusCode::NOT_FOUND).into()
            }
            false => answer.without("oci-subject"),
        }),
        Seam::Refer(|lookup, right| {
            let life = lookup.view.state.life;
            let since = life.started.filter(|_| life.upgraded);
            right.into_iter().filter(|(_, stored)| since.is_none_or(|since| stored.first >= since)).collect()
        }),
    ],
)];
