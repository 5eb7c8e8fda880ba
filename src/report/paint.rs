//! Colour, or none.

/// When colours are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether to colour what goes to a stream that is (or is not) a terminal. `no_color` is the variable's value: as
    /// its convention has it, anything but the empty text asks for none.
    pub fn painter(self, terminal: bool, no_color: Option<&std::ffi::OsStr>) -> Painter {
        Painter(match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && no_color.is_none_or(std::ffi::OsStr::is_empty),
        })
    }
}

/// Paints text, or leaves it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Painter(pub bool);

impl Painter {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// What failed.
    pub fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// What warns.
    pub fn odd(self, text: &str) -> String {
        self.with("33", text)
    }

    /// What holds.
    pub fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What is read first.
    pub fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What is read last.
    pub fn faint(self, text: &str) -> String {
        self.with("2", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_and_pipes_are_respected_and_always_is_always() {
        let set = Some(std::ffi::OsStr::new("1"));
        assert!(Color::Auto.painter(true, None).0);
        assert!(Color::Auto.painter(true, Some(std::ffi::OsStr::new(""))).0);
        assert!(!Color::Auto.painter(true, set).0);
        assert!(!Color::Auto.painter(false, None).0);
        assert!(Color::Always.painter(false, set).0);
        assert!(!Color::Never.painter(true, None).0);
    }
}
