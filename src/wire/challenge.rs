//! `WWW-Authenticate` (RFC 9110 section 11.6.1), read leniently: registries write it in many ways.

/// One challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// Scheme, lower-case: `basic`, `bearer`.
    pub scheme: String,
    /// Parameters in order; names lower-case, values unquoted. A token68 has the empty name.
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The first parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// The challenges of all header lines, in order. What cannot be read is passed over.
pub(crate) fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Vec<Challenge> {
    let mut found = Vec::new();
    for line in lines {
        let text = String::from_utf8_lossy(line);
        read_line(&text, &mut found);
    }
    found
}

fn read_line(text: &str, found: &mut Vec<Challenge>) {
    let mut rest = text;
    // Parameters belong to the challenge that this line began last; a line never continues another one.
    let mut open = false;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return;
        }
        let (token, after) = split_token(rest);
        if token.is_empty() {
            rest = after_comma(rest);
            continue;
        }
        let bare = after.trim_start_matches([' ', '\t']);
        if let Some(value) = bare.strip_prefix('=') {
            let (value, after) = read_value(value);
            if let Some(challenge) = found.last_mut().filter(|_| open) {
                challenge.parameters.push((token.to_ascii_lowercase(), value));
            }
            rest = after;
            continue;
        }
        open = true;
        let mut challenge = Challenge { scheme: token.to_ascii_lowercase(), parameters: Vec::new() };
        if let Some((token68, after)) = read_token68(bare) {
            challenge.parameters.push((String::new(), token68.to_owned()));
            rest = after;
        } else {
            rest = bare;
        }
        found.push(challenge);
    }
}

/// A token (RFC 9110 section 5.6.2) and what follows it.
fn split_token(text: &str) -> (&str, &str) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.split_at(text.find(|c| !is_token(c)).unwrap_or(text.len()))
}

/// A token68 that reaches to the next comma or the end; anything else there begins a parameter or a challenge.
fn read_token68(text: &str) -> Option<(&str, &str)> {
    let letters = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-._~+/".contains(c))).unwrap_or(text.len());
    let padded = text[letters..].find(|c| c != '=').map_or(text.len(), |at| letters + at);
    let rest = text[padded..].trim_start_matches([' ', '\t']);
    (letters > 0 && (rest.is_empty() || rest.starts_with(','))).then(|| (&text[..padded], rest))
}

/// A value, quoted or not, and what follows it. An unquoted one ends at a comma or white space.
fn read_value(text: &str) -> (String, &str) {
    let text = text.trim_start_matches([' ', '\t']);
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(letters.next().map(|(_, next)| next)),
            other => value.push(other),
        }
    }
    (value, "")
}

/// What is against the grammar in these header lines (RFC 9110 sections 11.2 to 11.6.1, RFC 7617 section 2, RFC 6750 section
/// 3); `None` where nothing is.
pub(crate) fn malformed(lines: &[&str]) -> Option<&'static str> {
    lines.iter().find_map(|line| malformed_line(line))
}

fn malformed_line(line: &str) -> Option<&'static str> {
    let mut rest = line;
    let mut open: Option<Challenge> = None;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (token, after) = split_token(rest);
        let bare = after.trim_start_matches([' ', '\t']);
        let end = rest.is_empty();
        if token.is_empty() && !end {
            return Some("what is neither a scheme nor a parameter");
        }
        match (bare.strip_prefix('=').filter(|_| !end), &mut open) {
            (Some(_), None) => return Some("a parameter before any scheme"),
            (Some(value), Some(challenge)) => {
                let name = token.to_ascii_lowercase();
                let quoted = value.trim_start_matches([' ', '\t']).starts_with('"');
                if challenge.parameter(&name).is_some() {
                    return Some("a parameter twice");
                }
                if name == "realm" && !quoted {
                    return Some("a realm that is not in quotes");
                }
                rest = match strict_value(value) {
                    Ok(after) => after,
                    Err(what) => return Some(what),
                };
                challenge.parameters.push((name, read_value(value).0));
            }
            (None, _) => {
                if let Some(what) = open.take().and_then(|challenge| incomplete(&challenge)) {
                    return Some(what);
                }
                if end {
                    return None;
                }
                let mut challenge = Challenge { scheme: token.to_ascii_lowercase(), parameters: Vec::new() };
                if !(after.is_empty() || after.starts_with([' ', '\t', ','])) {
                    return Some("a scheme that does not end in a space");
                }
                rest = bare;
                if let Some((token68, after)) = read_token68(bare).filter(|_| after.starts_with(' ')) {
                    challenge.parameters.push((String::new(), token68.to_owned()));
                    rest = after;
                }
                open = Some(challenge);
            }
        }
    }
}

/// What comes after a value that is a token, or a text in quotes, and ends before a comma or the line.
fn strict_value(text: &str) -> Result<&str, &'static str> {
    let text = text.trim_start_matches([' ', '\t']);
    let after = match text.strip_prefix('"') {
        None => match split_token(text) {
            ("", _) => return Err("a parameter without a value"),
            (_, after) => after,
        },
        Some(quoted) => {
            let mut escaped = false;
            let end = quoted.char_indices().find(|(_, letter)| {
                let ends = *letter == '"' && !escaped;
                escaped = *letter == '\\' && !escaped;
                ends
            });
            end.map(|(at, _)| &quoted[at + 1..]).ok_or("a text whose quotes do not end")?
        }
    };
    let after = after.trim_start_matches([' ', '\t']);
    if after.is_empty() || after.starts_with(',') { Ok(after) } else { Err("a value that goes on after its end") }
}

/// What a scheme demands beside the grammar.
fn incomplete(challenge: &Challenge) -> Option<&'static str> {
    match challenge.scheme.as_str() {
        "basic" if challenge.parameter("realm").is_none() => Some("Basic without a realm"),
        "bearer" if challenge.parameters.is_empty() => Some("Bearer without a parameter"),
        _ => None,
    }
}

fn after_comma(text: &str) -> &str {
    text.find(',').map_or("", |at| &text[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[&str]) -> String {
        let texts: Vec<String> = parse(lines.iter().map(|l| l.as_bytes()))
            .into_iter()
            .map(|c| {
                let parameters: Vec<String> = c.parameters.iter().map(|(n, v)| format!("{n}={v}")).collect();
                format!("{}({})", c.scheme, parameters.join("|"))
            })
            .collect();
        texts.join(" ")
    }

    #[test]
    fn every_form_of_a_challenge_is_read() {
        for (lines, wanted) in [
            (&["Basic realm=\"x\""][..], "basic(realm=x)"),
            (&["BASIC REALM=x"], "basic(realm=x)"),
            (&["Basic"], "basic()"),
            (
                &["Bearer realm=\"https://a/t?x=1,2\",service=\"s\",scope=\"repository:a/b:pull,push\""],
                "bearer(realm=https://a/t?x=1,2|service=s|scope=repository:a/b:pull,push)",
            ),
            (&["Bearer realm = \"r\" , service = s"], "bearer(realm=r|service=s)"),
            (&["Basic realm=\"a\", Bearer realm=\"b\",service=\"c\""], "basic(realm=a) bearer(realm=b|service=c)"),
            (&["Basic realm=\"a\"", "Bearer realm=\"b\""], "basic(realm=a) bearer(realm=b)"),
            (&["Negotiate, Basic realm=a"], "negotiate() basic(realm=a)"),
            (&["Negotiate YWJj==, Basic realm=a"], "negotiate(=YWJj==) basic(realm=a)"),
            (&["Bearer realm=https://a/t,service=s"], "bearer(realm=https://a/t|service=s)"),
            (&["Bearer realm=\"a\\\"b\\\\c\""], "bearer(realm=a\"b\\c)"),
            (&["Bearer error=\"invalid_token\", realm=\"r\""], "bearer(error=invalid_token|realm=r)"),
            (&[", ,Basic realm=\"x\",,"], "basic(realm=x)"),
            (&["Bearer realm=\"never closed"], "bearer(realm=never closed)"),
            (&["realm=\"of nobody\""], ""),
            (&["@@@, Basic realm=x"], "basic(realm=x)"),
            (&["Bearer scope=\"\""], "bearer(scope=)"),
            (&[""], ""),
        ] {
            assert_eq!(shown(lines), wanted, "{lines:?}");
        }
    }

    #[test]
    fn any_bytes_are_survived() {
        for length in 0..6u32 {
            for mut code in 0..8u32.pow(length) {
                let line: Vec<u8> = (0..length)
                    .map(|_| {
                        let b = b"a =,\"\\@\xff"[(code % 8) as usize];
                        code /= 8;
                        b
                    })
                    .collect();
                let _ = parse([line.as_slice()]);
            }
        }
    }

    #[test]
    fn what_is_against_the_grammar_is_said() {
        for (line, wrong) in [
            (r#"Bearer realm="https://h/t",service="s",scope="repository:a:pull,push""#, None),
            (r#"BASIC realm="Sonatype \"Nexus\" Manager""#, None),
            (r#"Negotiate, Basic realm="a" , charset="UTF-8", Bearer error=invalid_token"#, None),
            ("Negotiate a2V5==", None),
            ("", None),
            ("Basic", Some("Basic without a realm")),
            ("Bearer", Some("Bearer without a parameter")),
            ("Basic realm=r", Some("a realm that is not in quotes")),
            (r#"Bearer realm="a",realm="b""#, Some("a parameter twice")),
            (r#"Bearer realm="a",scope=repository:a:pull,push"#, Some("a value that goes on after its end")),
            (r#"Bearer realm="a" service="b""#, Some("a value that goes on after its end")),
            (r#"Bearer realm="a"#, Some("a text whose quotes do not end")),
            (r#"realm="a""#, Some("a parameter before any scheme")),
            // By the grammar this is a token68 with its padding.
            ("Basic realm=", Some("Basic without a realm")),
            (r#"Bearer realm="a",error="#, Some("a parameter without a value")),
            (r#"Bearer "realm""#, Some("what is neither a scheme nor a parameter")),
        ] {
            assert_eq!(malformed(&[line]), wrong, "{line}");
        }
    }
}
