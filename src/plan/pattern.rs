//! Patterns over case ids: components between slashes, `*` within one of them, `**` for any number.

/// A pattern over ids. Only `*` and `**` are special.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// `**`: any number of components, none too.
    Many,
    /// A component, with `*` for any characters of it, none too.
    One(String),
}

/// The longest pattern, in bytes; no id is that long.
const LONGEST: usize = 1000;

impl Pattern {
    /// Parses a pattern; a slash at its end means nothing.
    ///
    /// # Errors
    /// What is wrong with it, for the person who wrote it.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        if text.len() > LONGEST {
            return Err(format!("a pattern has at most {LONGEST} bytes"));
        }
        let parts = text.strip_suffix('/').unwrap_or(text).split('/').map(|part| match part {
            "" => Err("a component is empty: ids look like `area/topic/name`, with no slash before them".to_owned()),
            "**" => Ok(Part::Many),
            _ if part.contains("**") => {
                Err(format!("`{part}`: `**` is a component of its own; within one, `*` stands for any characters"))
            }
            _ => match part.chars().find(|&c| !(c.is_ascii_alphanumeric() || "._+-*".contains(c))) {
                Some(odd) => Err(format!("{odd:?} is in no id; only `*` and `**` are special")),
                None => Ok(Part::One(part.to_owned())),
            },
        });
        Ok(Pattern { parts: parts.collect::<Result<_, _>>()? })
    }

    /// Whether it matches all of the id.
    pub fn matches(&self, id: &str) -> bool {
        let mut reached = Reached::new(self);
        id.split('/').for_each(|component| reached.step(component));
        reached.end()
    }

    /// Whether it matches the id, or whole components at its beginning.
    pub fn matches_beginning(&self, id: &str) -> bool {
        let mut reached = Reached::new(self);
        id.split('/').any(|component| {
            reached.step(component);
            reached.end()
        })
    }

    /// The components, as written.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| match part {
            Part::Many => "**",
            Part::One(text) => text,
        })
    }
}

/// Which beginnings of a pattern match the components so far: `at[i]` says so of its first `i` parts.
struct Reached<'p> {
    parts: &'p [Part],
    at: Vec<bool>,
}

impl Reached<'_> {
    fn new(pattern: &Pattern) -> Reached<'_> {
        let mut at = vec![false; pattern.parts.len() + 1];
        at[0] = true;
        let mut reached = Reached { parts: &pattern.parts, at };
        reached.skip_many();
        reached
    }

    /// `**` may stand for nothing.
    fn skip_many(&mut self) {
        for (i, part) in self.parts.iter().enumerate() {
            if *part == Part::Many && self.at[i] {
                self.at[i + 1] = true;
            }
        }
    }

    fn step(&mut self, component: &str) {
        let mut next = vec![false; self.at.len()];
        for (i, part) in self.parts.iter().enumerate().filter(|(i, _)| self.at[*i]) {
            match part {
                Part::Many => next[i] = true,
                Part::One(glob) => next[i + 1] |= globs(glob, component),
            }
        }
        self.at = next;
        self.skip_many();
    }

    fn end(&self) -> bool {
        self.at.last() == Some(&true)
    }
}

/// Whether `glob`, in which only `*` is special, matches all of `text`. Time grows with the product of their lengths.
pub(crate) fn globs(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t) = (0, 0);
    // Where the last star stands, and the text that follows what it stands for.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if glob.get(g) == Some(&b'*') {
            star = Some((g, t));
            g += 1;
        } else if glob.get(g) == Some(&text[t]) {
            g += 1;
            t += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            g = at + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    glob[g..].iter().all(|&b| b == b'*')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn globs_match_all_of_a_text() {
        for (glob, text, matches) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "abc", true),
            ("a*", "abc", true),
            ("a*", "bc", false),
            ("*c", "abcc", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXb", false),
            ("2.8.*", "2.8.2", true),
            ("2.8.*", "2.80.2", false),
            ("[a]?", "a1", false),
            ("[a]?", "[a]?", true),
            ("*ü*", "über ü", true),
        ] {
            assert_eq!(globs(glob, text), matches, "{glob:?} on {text:?}");
        }
        let long = "a".repeat(2000);
        assert!(!globs(&format!("{}b", "*a".repeat(200)), &long));
    }

    #[test]
    fn stars_stay_within_a_component_and_two_cross_any_number() {
        for (text, id, matches) in [
            ("a/b/c", "a/b/c", true),
            ("a/*/c", "a/b/c", true),
            ("a/*", "a/b/c", false),
            ("a/b*", "a/bcd", true),
            ("**", "a/b/c", true),
            ("**/c", "a/b/c", true),
            ("**/c", "c", true),
            ("a/**/c", "a/c", true),
            ("a/**/c", "a/b/b/c", true),
            ("a/**/c", "a/b/b/d", false),
            ("a/**/b/**/c", "a/x/b/b/y/c", true),
            ("a/**", "a", true),
            ("a/1.2+b", "a/1.2+b", true),
            ("a/1.2", "a/1x2", false),
        ] {
            assert_eq!(pattern(text).matches(id), matches, "{text} on {id}");
        }
    }

    #[test]
    fn a_beginning_is_of_whole_components() {
        for (text, id, matches) in [
            ("a", "a/b/c", true),
            ("a/b", "a/b/c", true),
            ("a/b/", "a/b/c", true),
            ("a/b", "a/bc/c", false),
            ("a/b*", "a/bc/c", true),
            ("*/b", "a/b/c", true),
            ("b", "a/b/c", false),
            ("**/b", "a/b/c", true),
            ("a/b/c/d", "a/b/c", false),
        ] {
            assert_eq!(pattern(text).matches_beginning(id), matches, "{text} on {id}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (text, part) in [
            ("", "component is empty"),
            ("/", "component is empty"),
            ("/a", "component is empty"),
            ("a//b", "component is empty"),
            ("a/b**", "`b**`: `**` is a component of its own"),
            ("a/***", "`***`"),
            ("a/b?", "'?' is in no id"),
            ("a/[bc]", "'[' is in no id"),
            ("a/{b,c}", "'{' is in no id"),
            ("a\\b", "is in no id"),
            ("a b", "' ' is in no id"),
            ("ü", "'ü' is in no id"),
        ] {
            let error = Pattern::parse(text).unwrap_err();
            assert!(error.contains(part), "{text:?}: {error}");
        }
        assert!(Pattern::parse(&"a/".repeat(1000)).is_err());
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = pattern(&"**/".repeat(300));
        assert!(pattern.matches(&"a/".repeat(1000)));
        let pattern = Pattern::parse(&format!("{}b", "*a".repeat(100))).unwrap();
        assert!(!pattern.matches(&"a".repeat(10_000)));
    }
}
