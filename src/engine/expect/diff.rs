//! Where two bodies differ.

use std::fmt::Write as _;

use similar::TextDiff;

/// Above so many bytes on either side only the first difference is shown.
const MOST_BYTES: usize = 256 * 1024;

/// Lines of a unified diff that are shown.
const MOST_LINES: usize = 60;

/// Characters of a line that are shown.
const MOST_COLUMNS: usize = 200;

/// Offset of the first byte that differs; where one is the other's beginning, the shorter one's length.
pub fn first_difference(expected: &[u8], got: &[u8]) -> Option<usize> {
    match expected.iter().zip(got).position(|(a, b)| a != b) {
        Some(at) => Some(at),
        None if expected.len() == got.len() => None,
        None => Some(expected.len().min(got.len())),
    }
}

/// The first differing byte and, where both are text, a unified diff; `None` where they are equal.
pub fn describe(expected: &[u8], got: &[u8]) -> Option<String> {
    let at = first_difference(expected, got)?;
    let mut text = format!("first difference at byte {at}: expected {}, got {}", around(expected, at), around(got, at));
    if expected.len() != got.len() {
        let _ = write!(text, " ({} bytes expected, {} came)", expected.len(), got.len());
    }
    if expected.len() > MOST_BYTES || got.len() > MOST_BYTES {
        return Some(text);
    }
    if let (Ok(expected), Ok(got)) = (std::str::from_utf8(expected), std::str::from_utf8(got)) {
        match (indented(expected), indented(got)) {
            (Some(a), Some(b)) if a != b => {
                text.push_str("\n(indented for reading)\n");
                text.push_str(&unified(&a, &b));
            }
            (Some(_), Some(_)) => {
                text.push_str("\nthe same JSON in other bytes\n");
                text.push_str(&unified(expected, got));
            }
            _ => {
                text.push('\n');
                text.push_str(&unified(expected, got));
            }
        }
    }
    Some(text)
}

/// JSON is often one line, of which a diff by lines says nothing.
fn indented(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

fn unified(expected: &str, got: &str) -> String {
    let diff = TextDiff::from_lines(expected, got);
    let whole = diff.unified_diff().context_radius(2).header("expected", "got").to_string();
    let lines: Vec<&str> = whole.lines().collect();
    let mut text = lines.iter().take(MOST_LINES).map(|line| cut(line)).collect::<Vec<_>>().join("\n");
    if lines.len() > MOST_LINES {
        let _ = write!(text, "\n... {} more lines", lines.len() - MOST_LINES);
    }
    text
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(MOST_COLUMNS) {
        Some((at, _)) => format!("{}...", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// A few bytes from `at` on, printable.
fn around(bytes: &[u8], at: usize) -> String {
    match bytes.get(at..) {
        None | Some([]) => "the end".into(),
        Some(rest) => {
            let few = rest.get(..rest.len().min(12)).unwrap_or_default();
            format!("\"{}\"", few.escape_ascii())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn equal_bodies_do_not_differ() {
        assert_eq!(first_difference(b"", b""), None);
        assert_eq!(describe(b"abc", b"abc"), None);
    }

    #[test]
    fn a_cut_body_differs_at_its_end() {
        assert_eq!(first_difference(b"abcdef", b"abc"), Some(3));
        let text = describe(b"abcdef", b"abc").unwrap();
        assert!(
            text.starts_with("first difference at byte 3: expected \"def\", got the end (6 bytes expected, 3 came)")
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_escaped_and_not_diffed() {
        let text = describe(&[0, 255, 1], &[0, 254, 1]).unwrap();
        assert_eq!(text, r#"first difference at byte 1: expected "\xff\x01", got "\xfe\x01""#);
    }

    #[test]
    fn json_is_indented_before_it_is_compared() {
        let text = describe(br#"{"a":1,"b":[2,3]}"#, br#"{"a":1,"b":[2,4]}"#).unwrap();
        assert!(text.contains("(indented for reading)"), "{text}");
        assert!(text.contains("-    3\n+    4"), "{text}");
    }

    #[test]
    fn json_in_other_bytes_is_called_so() {
        let text = describe(br#"{"a":1}"#, br#"{"a": 1}"#).unwrap();
        assert!(text.contains("the same JSON in other bytes"), "{text}");
        assert!(text.contains("-{\"a\":1}"), "{text}");
    }

    #[test]
    fn a_diff_is_bounded() {
        let a: String = (0..10_000).map(|n| format!("line {n}\n")).collect();
        let b: String = (0..10_000).map(|n| format!("{n} {}\n", "x".repeat(1000))).take(200).collect();
        let text = describe(a.as_bytes(), b.as_bytes()).unwrap();
        assert!(text.len() < MOST_LINES * (MOST_COLUMNS + 10), "{}", text.len());
        assert!(text.contains("more lines"));
    }
}
