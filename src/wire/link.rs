//! The `Link` header (RFC 8288 section 3), as far as paging needs it.

use super::address::Address;

/// One link of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// What stands between the angle brackets.
    pub target: Vec<u8>,
    /// Parameters in order; names lower-case, values unquoted.
    pub parameters: Vec<(String, String)>,
}

impl Link {
    /// Whether `rel` says so. Only the first `rel` counts (section 3.3); it may hold several relations.
    fn is(&self, relation: &str) -> bool {
        let rel = self.parameters.iter().find(|(name, _)| name == "rel");
        rel.is_some_and(|(_, value)| value.split_ascii_whitespace().any(|r| r.eq_ignore_ascii_case(relation)))
    }

    /// A link whose context is another resource says nothing of this one (section 3.2).
    fn is_of_another(&self) -> bool {
        self.parameters.iter().any(|(name, _)| name == "anchor")
    }
}

/// The links of all header lines, and what is wrong with them.
pub(crate) fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Link>, Option<String>) {
    let mut links = Vec::new();
    let mut problem = None;
    for line in lines {
        let mut rest = Cursor(line);
        loop {
            rest.skip(b" \t,");
            if rest.0.is_empty() {
                break;
            }
            match rest.link() {
                Ok(link) => links.push(link),
                Err(what) => {
                    problem.get_or_insert(what);
                    break;
                }
            }
        }
    }
    (links, problem)
}

/// Where `rel="next"` leads when `answered` sent these header lines, and what is wrong with them.
pub(crate) fn next<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    answered: &Address,
) -> (Option<Address>, Option<String>) {
    let (links, mut problem) = parse(lines);
    let mut next: Option<Address> = None;
    for link in links.iter().filter(|link| link.is("next") && !link.is_of_another()) {
        let complaint = match answered.resolve(&link.target) {
            Err(what) => format!("Link rel=\"next\" leads nowhere: {what}"),
            Ok(url) if !url.same_origin(answered) => {
                format!("Link rel=\"next\" leads to another host, {}; it is not followed", url.origin())
            }
            Ok(url) => match &next {
                None => {
                    next = Some(url);
                    continue;
                }
                Some(first) if *first == url => continue,
                Some(_) => "two Link rel=\"next\" with different targets; the first is taken".to_owned(),
            },
        };
        problem.get_or_insert(complaint);
    }
    (next, problem)
}

/// What is left of a header line.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn skip(&mut self, any: &[u8]) {
        while let [first, rest @ ..] = self.0 {
            if !any.contains(first) {
                break;
            }
            self.0 = rest;
        }
    }

    fn take_until(&mut self, any: &[u8]) -> Vec<u8> {
        let end = self.0.iter().position(|b| any.contains(b)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken.to_vec()
    }

    fn link(&mut self) -> Result<Link, String> {
        let [b'<', rest @ ..] = self.0 else {
            return Err("Link without angle brackets around its target (RFC 8288 section 3)".into());
        };
        self.0 = rest;
        let target = self.take_until(b">");
        let [b'>', rest @ ..] = self.0 else {
            return Err("Link whose angle bracket is never closed (RFC 8288 section 3)".into());
        };
        self.0 = rest;
        let mut parameters = Vec::new();
        loop {
            self.skip(b" \t");
            match self.0 {
                [] | [b',', ..] => return Ok(Link { target, parameters }),
                [b';', rest @ ..] => self.0 = rest,
                _ => return Err("Link with something other than ';' or ',' after its target".into()),
            }
            self.skip(b" \t;");
            let name = String::from_utf8_lossy(&self.take_until(b"=;, \t")).to_ascii_lowercase();
            self.skip(b" \t");
            let mut value = String::new();
            if let [b'=', rest @ ..] = self.0 {
                self.0 = rest;
                self.skip(b" \t");
                value = self.value()?;
            }
            if !name.is_empty() {
                parameters.push((name, value));
            }
        }
    }

    fn value(&mut self) -> Result<String, String> {
        let [b'"', rest @ ..] = self.0 else {
            return Ok(String::from_utf8_lossy(&self.take_until(b";, \t")).into_owned());
        };
        self.0 = rest;
        let mut value = Vec::new();
        loop {
            match self.0 {
                [b'"', rest @ ..] => {
                    self.0 = rest;
                    return Ok(String::from_utf8_lossy(&value).into_owned());
                }
                [b'\\', next, rest @ ..] | [next, rest @ ..] => {
                    value.push(*next);
                    self.0 = rest;
                }
                [] => return Err("Link with a quote that is never closed".into()),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ask(lines: &[&str]) -> (Option<String>, Option<String>) {
        let answered = Address::parse("http://h:5000/v2/a/tags/list?n=2").unwrap();
        let (next, problem) = next(lines.iter().map(|l| l.as_bytes()), &answered);
        (next.map(|n| n.path), problem)
    }

    #[test]
    fn next_is_found_in_every_lawful_form() {
        let table: &[(&[&str], &str)] = &[
            (&["</v2/a/tags/list?n=2&last=b>; rel=\"next\""], "/v2/a/tags/list?n=2&last=b"),
            (&["<?n=2&last=b>;rel=next"], "/v2/a/tags/list?n=2&last=b"),
            (&["<list?last=b>; rel=next"], "/v2/a/tags/list?last=b"),
            (&["<http://h:5000/x>; REL=\"NEXT\""], "/x"),
            (&["<http://H:5000/x>; rel=\"prev next\""], "/x"),
            (&["</p>; rel=prev, </x>; rel=next"], "/x"),
            (&["</p>; rel=prev", "</x>; rel=next"], "/x"),
            (&["</x>; title=\"a, b; \\\"c\\\"\"; rel=next"], "/x"),
            (&["</x?a=1,2;3>; rel=next"], "/x?a=1,2;3"),
            (&[" , ,</x> ; rel = \"next\" ; , "], "/x"),
            (&["</x>;; rel=next; flag"], "/x"),
            (&["</x>; rel=next, </x>; rel=next"], "/x"),
        ];
        for (lines, wanted) in table {
            assert_eq!(ask(lines), (Some((*wanted).to_owned()), None), "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_next_gives_none() {
        for lines in [
            &[][..],
            &[""],
            &["</x>; rel=prev"],
            &["</x>"],
            &["</x>; rel=prev; rel=next"],
            &["</x>; rel=nextish"],
            &["</x>; anchor=\"/other\"; rel=next"],
            &["</x>; title=\"rel=next\""],
        ] {
            assert_eq!(ask(lines), (None, None), "{lines:?}");
        }
    }

    #[test]
    fn what_breaks_the_rfc_is_flagged() {
        for (lines, word) in [
            (&["/v2/a/tags/list?n=2&last=b; rel=next"][..], "angle brackets"),
            (&["</x; rel=next"], "never closed"),
            (&["</x>; rel=\"next"], "never closed"),
            (&["</x> rel=next"], "other than"),
            (&["<http://evil/x>; rel=next"], "another host, http://evil"),
            (&["<//evil/x>; rel=next"], "another host"),
            (&["<https://h:5000/x>; rel=next"], "another host"),
            (&["<file:///etc/passwd>; rel=next"], "leads nowhere"),
        ] {
            let (next, problem) = ask(lines);
            assert_eq!(next, None, "{lines:?}");
            assert!(problem.as_ref().is_some_and(|p| p.contains(word)), "{lines:?}: {problem:?}");
        }
        let (next, problem) = ask(&["</x>; rel=next, </y>; rel=next"]);
        assert_eq!(next.unwrap(), "/x");
        assert!(problem.unwrap().contains("different targets"));
    }

    #[test]
    fn any_bytes_are_survived() {
        for length in 0..6u32 {
            for mut code in 0..8u32.pow(length) {
                let line: Vec<u8> = (0..length)
                    .map(|_| {
                        let b = b"<>;,=\"\\r"[(code % 8) as usize];
                        code /= 8;
                        b
                    })
                    .collect();
                let _ = parse([line.as_slice()]);
            }
        }
    }
}
