//! `repositories`: the catalog, a page of it or all pages together. Others have repositories in it too, so it is never exact.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Fault;
use crate::suite::assertion::RepositoriesAre;
use crate::wire::Response;

/// Reads a page.
///
/// # Errors
/// Why it is none.
pub fn names(response: &Response) -> Result<Vec<String>, String> {
    let value: Value = serde_json::from_slice(&response.body).map_err(|_| "a body that is not JSON".to_owned())?;
    match value.get("repositories") {
        Some(Value::Array(items)) => {
            let names: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            names.ok_or_else(|| "a repository that is no text".into())
        }
        Some(Value::Null) => Err("\"repositories\" is null".into()),
        Some(_) => Err("\"repositories\" is no list".into()),
        None => Err("no key \"repositories\"".into()),
    }
}

/// Evaluates the key. Names are other ones in each run: what came is told by numbers.
pub fn check(expected: &RepositoriesAre, pages: &[Result<Vec<String>, String>]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some((page, problem)) = pages.iter().enumerate().find_map(|(page, p)| Some((page, p.as_ref().err()?))) {
        if expected.list == Some(true) {
            let fault = Fault::new("repositories", "\"repositories\" is a list of names", problem.clone());
            faults.push(fault.on(Some(page)));
        }
        return faults;
    }
    let all: Vec<&String> = pages.iter().flatten().flatten().collect();
    let have: BTreeSet<&String> = all.iter().copied().collect();
    let count = |names: &Option<Vec<String>>, there: bool| {
        names.iter().flatten().filter(|name| have.contains(name) == there).count()
    };
    let end = pages.len().checked_sub(1);
    let of = |names: &Option<Vec<String>>| names.as_ref().map_or(0, Vec::len);
    let missing = count(&expected.including, false);
    if missing > 0 {
        let wanted = format!("{} repositories that were pushed to", of(&expected.including));
        faults.push(Fault::new("repositories", wanted, format!("{missing} are missing")).on(end));
    }
    let extra = count(&expected.excluding, true);
    if extra > 0 {
        let wanted = format!("none of {} repositories", of(&expected.excluding));
        faults.push(Fault::new("repositories", wanted, format!("{extra} of them")).on(end));
    }
    if expected.unique == Some(true) && have.len() < all.len() {
        let got = format!("{} twice", if all.len() - have.len() == 1 { "one" } else { "some" });
        faults.push(Fault::new("repositories", "each repository once", got).on(end));
    }
    let longest = pages.iter().flatten().map(Vec::len).max().unwrap_or(0) as u64;
    if let Some(most) = expected.at_most
        && longest > most
    {
        let got = format!("more than {most} repositories on a page");
        faults.push(Fault::new("repositories", format!("at most {most} repositories on a page"), got));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn got(expected: &RepositoriesAre, pages: &[&[&str]]) -> Vec<String> {
        let pages: Vec<_> = pages.iter().map(|page| Ok(page.iter().map(|name| (*name).to_owned()).collect())).collect();
        check(expected, &pages).into_iter().map(|fault| fault.got).collect()
    }

    #[test]
    fn a_catalog_is_judged_over_all_its_pages() {
        let of = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let pages: &[&[&str]] = &[&["a", "b"], &["c", "a"]];
        let none = RepositoriesAre::default;
        assert!(got(&RepositoriesAre { including: of(&["a", "c"]), at_most: Some(2), ..none() }, pages).is_empty());
        assert_eq!(got(&RepositoriesAre { including: of(&["a", "x"]), ..none() }, pages), ["1 are missing"]);
        assert_eq!(got(&RepositoriesAre { excluding: of(&["c"]), ..none() }, pages), ["1 of them"]);
        assert_eq!(got(&RepositoriesAre { unique: Some(true), ..none() }, pages), ["one twice"]);
        assert_eq!(got(&RepositoriesAre { at_most: Some(1), ..none() }, pages), ["more than 1 repositories on a page"]);
        let broken = [Err("\"repositories\" is null".to_owned())];
        assert_eq!(check(&RepositoriesAre { list: Some(true), ..none() }, &broken).len(), 1);
        assert!(
            check(&RepositoriesAre { including: of(&["a"]), ..none() }, &broken).is_empty(),
            "said once, by `list`"
        );
    }
}
