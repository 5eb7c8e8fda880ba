//! What can be done to a target that no request can do: which barriers it has, and whether a second server is there.

use std::collections::BTreeMap;

use super::actions::Act;
use super::launch;
use super::open::Live;
use super::program::find_program;
use super::units::Expiry;
use crate::clients;
use crate::engine::Barriers;
use crate::engine::ground::USAGE;
use crate::suite::barrier::Barrier;

impl Live {
    /// Which barriers the target has.
    pub fn barriers(&self) -> Barriers {
        let pool = self.profile.repositories.pool.len();
        let mut barriers = Barriers {
            lacking: self.lacking(),
            profile: (!self.spec.is_bare()).then(|| self.name.clone()),
            repositories: (pool > 0).then_some(pool),
            ..Barriers::default()
        };
        let clients = clients::absent().filter_map(|(name, _)| barriers.lacking.get(name).cloned());
        barriers.hints.extend(clients.collect::<Vec<_>>());
        if self.is_reference() {
            let all = Barrier::ALL.into_iter().filter(|barrier| *barrier != Barrier::Mirror);
            barriers.there.extend(all.map(|barrier| (barrier, matches!(barrier, Barrier::Gc | Barrier::Expiry))));
            return barriers;
        }
        match &self.profile.beside {
            None => barriers.alone = Some("the profile has no `beside` (docs/profiles.md)".into()),
            Some(beside) => {
                let program = beside.launch.as_ref().map(launch::program);
                barriers.alone = program.and_then(Result::err).map(|missing| missing.to_string());
                barriers.hints.extend(barriers.alone.clone());
            }
        }
        if matches!(self.profile.windows.expiry, Expiry::After(_)) {
            barriers.there.insert(Barrier::Expiry, true);
        }
        for barrier in Barrier::ALL {
            let Some(act) = self.profile.actions.of(barrier) else { continue };
            match self.unable(act) {
                Some(why) => {
                    barriers.hints.insert(why.clone());
                    barriers.missing.insert(barrier, why);
                }
                None => {
                    barriers.there.insert(barrier, act.is_online());
                    barriers.silent.extend(act.silence(barrier).map(|why| (barrier, why)));
                }
            }
        }
        barriers
    }

    /// What steps need and is not here, and why: clients, a storage that can be measured.
    fn lacking(&self) -> BTreeMap<String, String> {
        let mut lacking: BTreeMap<String, String> = clients::absent()
            .map(|(name, client)| (name.to_owned(), format!("{} is not installed: {}", client.program, client.missing)))
            .collect();
        if !self.client.access().below.is_empty() {
            let why = "it asks a registry at the root of its host only";
            lacking.extend(clients::all().keys().map(|name| (name.clone(), why.to_owned())));
        }
        if self.measures().is_none() {
            let why = "its profile does not say where it stores (`actions.usage`, docs/profiles.md)";
            lacking.insert(USAGE.into(), why.into());
        }
        lacking
    }

    /// Why an action cannot be done here: a program is not installed.
    fn unable(&self, act: &Act) -> Option<String> {
        let launch = self.profile.launch.as_ref();
        let again = act.relaunch.iter().chain(&act.read_only).zip(launch).map(|(again, launch)| again.over(launch));
        let missing = again.filter_map(|launch| launch::program(&launch).err()).map(|e| e.to_string()).next();
        let command = act.command.first().filter(|program| find_program(program).is_none());
        missing.or_else(|| command.map(|program| format!("{program} is not installed")))
    }
}
