//! The grammars of words that stand in suites.

/// A part of an id: lower-case letters and digits, hyphens between.
pub fn is_slug(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 100 && text.split('-').all(part)
}

/// A dotted id, as requirements have: `manifest.get.absent`.
pub fn is_dotted(text: &str) -> bool {
    text.len() <= 100 && text.split('.').all(is_slug)
}

/// A repository by nickname; behind slashes the rest of the name of one that lies below it (v1.1.1 L157).
pub fn is_repository(text: &str) -> bool {
    let mut parts = text.split('/');
    parts.next().is_some_and(is_slug) && parts.all(is_name_component) && text.len() <= 200
}

/// A component of a repository's name: lower-case words, joined by a dot, one or two underscores, or hyphens.
fn is_name_component(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let between = |run: &str| matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-');
    let ends = [text.bytes().next(), text.bytes().next_back()];
    ends.into_iter().all(|end| end.is_some_and(is_word))
        && text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()).all(between)
}

/// A header's or method's name (RFC 9110 5.6.2 "Tokens").
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// A tag (distribution-spec v1.1.1 L154).
pub fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// A media type without parameters (RFC 6838 4.2), of a registered top-level type.
pub fn is_media_type(text: &str) -> bool {
    const TOP: [&str; 10] =
        ["application", "text", "image", "audio", "video", "multipart", "message", "font", "model", "example"];
    let name = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
    text.split_once('/').is_some_and(|(top, sub)| TOP.contains(&top) && !sub.is_empty() && sub.bytes().all(name))
}

/// `os/architecture` or `os/architecture/variant`.
pub fn is_platform(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    matches!(text.split('/').count(), 2 | 3) && text.split('/').all(part)
}

/// What a header's value may be: visible ASCII, spaces and tabs.
pub fn is_header_value(text: &str) -> bool {
    text.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammars_take_what_they_should() {
        assert!(is_slug("a-b2") && !is_slug("-a") && !is_slug("a--b") && !is_slug("A") && !is_slug(""));
        assert!(is_repository("main") && is_repository("main/a__b.c--d/blobs") && !is_repository("a_b"));
        for wrong in ["main/", "/a", "main/_a", "main/a___b", "main/a..b", "main/a._b", "main/A", "main/a/", "main/é"]
        {
            assert!(!is_repository(wrong), "{wrong}");
        }
        assert!(is_dotted("manifest.get.absent") && !is_dotted("manifest..x"));
        assert!(is_tag("1.20") && is_tag("_x") && !is_tag(".x") && !is_tag("a/b") && !is_tag(&"a".repeat(129)));
        assert!(is_media_type("application/vnd.oci.image.index.v1+json") && !is_media_type("amd64/config"));
        assert!(is_platform("linux/arm/v7") && !is_platform("linux") && !is_platform("a/b/c/d"));
        assert!(is_header_value("*/*; q=0.5") && !is_header_value("a\r\nb: c"));
    }
}
