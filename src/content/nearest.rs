//! What an author may have meant by a name that is none.

/// The candidate that is nearest to `wanted`, where one is near at all.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing takes as long as both are long; nobody mistypes a name of thousands of letters.
    if wanted.len() > 200 {
        return None;
    }
    let candidates: Vec<&str> = candidates.into_iter().filter(|c| c.len() <= 200).collect();
    let folded = candidates.iter().copied().find(|c| c.eq_ignore_ascii_case(wanted));
    folded.or_else(|| similar::get_close_matches(wanted, &candidates, 1, 0.6).first().copied())
}

/// `; did you mean ...?`, or nothing where nothing is near: the end of a message.
pub fn did_you_mean<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, candidates).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_or_none() {
        let names = ["amd64", "arm64", "index", "ppc64le"];
        assert_eq!(nearest("amd46", names), Some("amd64"));
        assert_eq!(nearest("INDEX", names), Some("index"));
        assert_eq!(nearest("ppc64", names), Some("ppc64le"));
        assert_eq!(nearest("zebra", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest(&"a".repeat(1 << 20), names), None);
        assert_eq!(did_you_mean("indx", names), "; did you mean `index`?");
        assert_eq!(did_you_mean("zebra", names), "");
    }
}
