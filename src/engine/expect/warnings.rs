//! `warnings`: the `Warning` headers of an answer (v1.1.1 L829-833; RFC 7234 5.5).

use super::{Fault, Observation};
use crate::suite::assertion::WarningsAre;

/// The most bytes of warnings in an answer.
const MOST: usize = 4096;

/// Evaluates the key: without such a header nothing is said.
pub fn check(expected: WarningsAre, seen: &Observation) -> Option<Fault> {
    let lines = seen.response.values("warning");
    let read: Vec<Result<usize, &str>> = lines.flat_map(|value| values(&String::from_utf8_lossy(value))).collect();
    match expected {
        WarningsAre::WellFormed => {
            let problem = read.into_iter().find_map(Result::err)?;
            Some(Fault::new("warnings", "Warning: 299 - \"text\"", problem))
        }
        // What cannot be read is told by the other one.
        WarningsAre::Bounded => {
            let size: usize = read.into_iter().flatten().sum();
            let got = format!("more than {MOST} bytes");
            (size > MOST).then(|| Fault::new("warnings", format!("at most {MOST} bytes of warnings"), got))
        }
    }
}

/// The bytes of each warning's text in one header line, or what is wrong with it.
fn values(line: &str) -> Vec<Result<usize, &'static str>> {
    let mut out = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        match value(rest) {
            Ok((size, after)) => {
                out.push(Ok(size));
                rest = after.trim_start().trim_start_matches(',').trim_start();
            }
            Err(problem) => {
                out.push(Err(problem));
                break;
            }
        }
    }
    out
}

/// One warning, and what stands behind it.
fn value(text: &str) -> Result<(usize, &str), &'static str> {
    let mut words = text.splitn(3, ' ');
    let (code, agent, quoted) = (words.next(), words.next(), words.next());
    if code != Some("299") {
        return Err("another code than 299");
    }
    if agent != Some("-") {
        return Err("another agent than -");
    }
    let quoted = quoted.and_then(|text| text.strip_prefix('"')).ok_or("a text without quotes")?;
    let mut escaped = false;
    let end = quoted.char_indices().find_map(|(at, c)| {
        let is_end = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        is_end.then_some(at)
    });
    let (inside, after) = quoted.split_at(end.ok_or("a text without its second quote")?);
    let after = after.get(1..).unwrap_or_default();
    match after.trim_start().chars().next() {
        None | Some(',') => Ok((inside.len(), after)),
        Some('"') => Err("a date"),
        Some(_) => Err("something behind the text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_read_alone_and_in_lists() {
        for (line, expected) in [
            ("", vec![]),
            ("299 - \"a \\\" b\"", vec![Ok(6)]),
            ("299 - \"a, b\", 299 - \"c\"", vec![Ok(4), Ok(1)]),
            ("299 - \"a\" \"Sun, 06 Nov 1994 08:49:37 GMT\"", vec![Err("a date")]),
            ("199 - \"a\"", vec![Err("another code than 299")]),
            ("299 registry \"a\"", vec![Err("another agent than -")]),
            ("299 - a", vec![Err("a text without quotes")]),
            ("299 - \"a", vec![Err("a text without its second quote")]),
            ("299 - \"a\" b", vec![Err("something behind the text")]),
            ("be warned", vec![Err("another code than 299")]),
        ] {
            assert_eq!(values(line), expected, "{line}");
        }
    }
}
