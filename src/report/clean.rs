//! Text that a registry sent, made fit for where it is shown. Nothing that it sends may move a cursor, colour a line,
//! turn text around, or end an element.

/// Whether this character is shown by its number instead of as it is: controls, what changes the direction of text or
/// hides in it, and what XML 1.0 forbids.
fn is_hidden(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || matches!(code, 0x00AD | 0x061C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF)
        || matches!(code, 0xFFF9..=0xFFFB | 0xE0000..=0xE007F)
        || code & 0xFFFE == 0xFFFE
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if u32::from(c) < 0x100 => out.push_str(&format!("\\x{:02x}", u32::from(c))),
        c => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
    }
}

/// One line for a terminal, an attribute, anywhere: what would not be seen as itself is shown by its number.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { push_visible(&mut out, c) } else { out.push(c) }
    }
    out
}

/// The same, with the text's own lines and tabs kept.
pub fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && c != '\n' && c != '\t' { push_visible(&mut out, c) } else { out.push(c) }
    }
    out
}

/// The content of an XML CDATA section, whose end within the text is split over two sections.
pub fn cdata(text: &str) -> String {
    lines(text).replace("]]>", "]]]]><![CDATA[>")
}

/// HTML text or a quoted attribute's value.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// At most `width` characters; what is cut is told by an ellipsis.
pub fn clip(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some(_) => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_is_shown_by_its_number() {
        assert_eq!(line("a\x1b[31mred\r\n\0"), "a\\x1b[31mred\\r\\n\\x00");
        assert_eq!(line("\u{202E}evil\u{2066}\u{FEFF}\u{FFFE}\u{1FFFF}\u{9b}"), {
            "\\u{202e}evil\\u{2066}\\u{feff}\\u{fffe}\\u{1ffff}\\x9b"
        });
        assert_eq!(line("Grüße, 世界 🦀"), "Grüße, 世界 🦀");
        assert_eq!(lines("a\n\tb\r\n"), "a\n\tb\\r\n");
    }

    #[test]
    fn nothing_ends_an_element() {
        assert_eq!(cdata("a]]>b"), "a]]]]><![CDATA[>b");
        assert_eq!(html("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
    }

    #[test]
    fn clipping_counts_characters() {
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöüß", 3), "äö…");
        assert_eq!(clip("x", 0), "…");
    }
}
