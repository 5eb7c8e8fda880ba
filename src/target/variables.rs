//! What of a profile only its user knows - where the registry is, whose repositories may be made there: environment
//! variables that stand in it as `{NAME}`.

use super::argument::base_url;
use super::profile::{Profile, Repositories};
use super::repository;

/// What stands for a variable where a profile is checked before the variable is set.
const SAMPLE: &str = "registry.example";

impl Profile {
    /// Puts values of variables into `url` and `repositories`; `value` gives that of an environment variable.
    ///
    /// # Errors
    /// Which are not set, and what they have to hold; or what is wrong with what they hold.
    pub(super) fn fill(&mut self, value: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        if self.variables.is_empty() {
            return Ok(());
        }
        let mut missing = Vec::new();
        for (name, meaning) in self.variables.clone() {
            match value(&name).filter(|value| !value.is_empty()) {
                Some(value) => self.put_in(&name, &value),
                None => missing.push(format!("{name} ({meaning})")),
            }
        }
        if !missing.is_empty() {
            return Err(format!("set in the environment {}", missing.join(", ")));
        }
        let named = |what: &str, fault: &str| {
            let names: Vec<&str> = self.variables.keys().map(String::as_str).collect();
            format!("with {} as it is set {what}: {fault}", names.join(" and "))
        };
        if let Err(fault) = base_url(&self.url) {
            return Err(named("the profile's `url` is none", &fault));
        }
        match self.repositories.unlawful() {
            Some(name) => Err(named("a repository cannot be named", &format!("`{name}`"))),
            None => Ok(()),
        }
    }

    /// As it would be with each variable set to something; for checks of its form.
    pub(super) fn sampled(&self) -> Profile {
        let mut sampled = self.clone();
        let names: Vec<&str> = self.variables.keys().map(String::as_str).collect();
        sampled.url = sample(&self.url, &names);
        names.iter().for_each(|name| sampled.put_in(name, SAMPLE));
        sampled
    }

    fn put_in(&mut self, name: &str, value: &str) {
        let place = format!("{{{name}}}");
        let texts = [&mut self.url, &mut self.repositories.template];
        for text in texts.into_iter().chain(&mut self.repositories.pool) {
            *text = text.replace(&place, value);
        }
    }

    /// Every text that a variable can stand in.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
        let repositories = &self.repositories;
        [&self.url, &repositories.template].into_iter().chain(&repositories.pool).map(String::as_str)
    }
}

/// A URL with each variable set to something: all of it, or its host.
pub(super) fn sample(url: &str, variables: &[&str]) -> String {
    let place = |name: &&str| format!("{{{name}}}");
    let is_whole = variables.iter().any(|name| url.starts_with(&place(name)));
    let filled = variables.iter().fold(url.to_owned(), |url, name| url.replace(&place(name), SAMPLE));
    if is_whole { format!("https://{filled}") } else { filled }
}

impl Repositories {
    /// A name that these would make and that the spec's grammar forbids.
    fn unlawful(&self) -> Option<String> {
        let made = ["{run}", "{case}", "{n}"].iter().fold(self.template.clone(), |name, word| name.replace(word, "0"));
        let names = if self.pool.is_empty() { vec![made] } else { self.pool.clone() };
        names.into_iter().find(|name| !repository::is_name(name))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::target::load;
    use crate::target::profile::Profile;

    fn profile() -> Profile {
        let text = "variables: {URL: its address, OWNER: an organization}\nurl: '{URL}'\n\
                    repositories: {template: '{OWNER}/lacuna-{run}-{case}-{n}'}\n";
        load::parse(text.as_bytes(), "p.yaml").unwrap()
    }

    #[test]
    fn values_are_put_in_and_what_is_not_set_is_asked_for() {
        let mut asked = profile();
        asked.fill(|name| Some(if name == "URL" { "http://h:1".into() } else { "me".into() })).unwrap();
        assert_eq!(
            (asked.url.as_str(), asked.repositories.template.as_str()),
            ("http://h:1", "me/lacuna-{run}-{case}-{n}")
        );
        let missing = profile().fill(|name| (name == "URL").then(String::new)).unwrap_err();
        assert_eq!(missing, "set in the environment OWNER (an organization), URL (its address)");
        for (url, owner, said) in [
            ("h", "me", "the profile's `url` is none: this is no URL"),
            ("https://u:secret@h", "me", "credentials do not belong in a URL"),
            ("https://h", "Me", "`Me/lacuna-0-0-0`"),
        ] {
            let fault = profile().fill(|name| Some(if name == "URL" { url.into() } else { owner.into() })).unwrap_err();
            assert!(fault.contains(said) && fault.contains("OWNER and URL") && !fault.contains("secret"), "{fault}");
        }
    }

    #[test]
    fn every_shipped_profile_says_whether_it_was_run_and_can_be_filled() {
        for name in load::shipped_names() {
            let mut profile = load::shipped(name).unwrap().unwrap();
            // Nobody saw a failure of what nobody ran, and a registry that lacuna starts is run here.
            assert!(profile.not_run.is_none() || profile.known.is_empty(), "{name}");
            assert!(profile.not_run.is_none() || profile.launch.is_none(), "{name}");
            // Of one that runs elsewhere a run is borne out by what it showed.
            assert!(profile.not_run.is_some() || profile.launch.is_some() || !profile.known.is_empty(), "{name}");
            assert_eq!(profile.variables.is_empty(), profile.launch.is_some(), "{name}");
            let launched = profile.launch.is_some();
            let filled = profile.fill(|name| Some(if name.ends_with("_URL") { "https://h" } else { "x" }.into()));
            assert!(launched || filled.is_ok(), "{name}: {filled:?}");
            let left = profile.places().any(|text| profile.variables.keys().any(|name| text.contains(name.as_str())));
            assert!(!left, "{name}");
        }
    }
}
