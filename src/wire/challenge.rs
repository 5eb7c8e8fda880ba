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
}
