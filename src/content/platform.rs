//! Platforms as authors write them: `os/architecture[/variant]`.

/// A platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform<'t> {
    /// `linux`.
    pub os: &'t str,
    /// `arm`.
    pub architecture: &'t str,
    /// `v7`.
    pub variant: Option<&'t str>,
}

impl<'t> Platform<'t> {
    /// Parses the text form: two or three parts of letters, digits, `.`, `_` and `-`.
    pub fn parse(text: &'t str) -> Option<Platform<'t>> {
        let mut parts = text.split('/');
        let platform = Platform { os: parts.next()?, architecture: parts.next()?, variant: parts.next() };
        let valid = |part: &str| {
            (1..=64).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let all = [Some(platform.os), Some(platform.architecture), platform.variant];
        (parts.next().is_none() && all.into_iter().flatten().all(valid)).then_some(platform)
    }

    /// Whether os and architecture are the same, whatever the variants are.
    pub fn is_like(&self, other: &Platform<'_>) -> bool {
        self.os == other.os && self.architecture == other.architecture
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_two_or_three_parts() {
        let arm = Platform { os: "linux", architecture: "arm", variant: Some("v7") };
        assert_eq!(Platform::parse("linux/arm/v7"), Some(arm));
        assert_eq!(Platform::parse("linux/arm"), Some(Platform { variant: None, ..arm }));
        assert!(arm.is_like(&Platform { variant: None, ..arm }));
        assert!(!arm.is_like(&Platform { os: "windows", ..arm }));
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", "linux", "/", "linux/", "/arm", "linux/arm/", "linux/arm/v7/x", "linux/ärm", "a b/c", "none"]
        {
            assert_eq!(Platform::parse(text), None, "{text:?}");
        }
    }
}
