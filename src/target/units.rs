//! Quantities as people write them: durations (`500ms`), sizes (`64MiB`), rates (`50/s`). A number without a unit is refused.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A duration: a number and `ms`, `s`, `m` or `h`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(pub Duration);

/// A size in bytes: a number and `B`, `KiB`, `MiB`, `GiB` (or `kB`, `MB`, `GB`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Size(pub u64);

/// Requests a second: a number and `/s` or `/m`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(pub f64);

/// When content ends by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Expiry {
    /// Never.
    #[default]
    None,
    /// After this time.
    After(Time),
}

impl TryFrom<String> for Expiry {
    type Error = String;

    fn try_from(text: String) -> Result<Expiry, String> {
        if text == "none" { Ok(Expiry::None) } else { Time::try_from(text).map(Expiry::After) }
    }
}

/// The longest duration that is taken: a day. Deadlines are added to the clock, which must not overflow.
const LONGEST: u64 = 24 * 60 * 60;

/// The slowest rate that is taken, in requests a second: nobody waits for a run of a request in a quarter of an hour.
const SLOWEST: f64 = 0.001;

/// Splits `text` into its number and its unit.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    Some((number, text[end..].trim_start()))
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Time, String> {
        let wrong =
            || format!("`{text}` is no duration: write a number and its unit, such as `500ms`, `10s`, `2m`, `1h`");
        let (number, unit) = split(&text).ok_or_else(wrong)?;
        let seconds = match unit {
            "ms" => number / 1000.0,
            "s" => number,
            "m" => number * 60.0,
            "h" => number * 3600.0,
            _ => return Err(wrong()),
        };
        if seconds > LONGEST as f64 {
            return Err(format!("`{text}` is too long: 24h is the most"));
        }
        Duration::try_from_secs_f64(seconds).map(Time).map_err(|_| wrong())
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Size, String> {
        let wrong =
            || format!("`{text}` is no size: write a number and its unit, such as `512B`, `64KiB`, `64MiB`, `1GiB`");
        let (number, unit) = split(&text).ok_or_else(wrong)?;
        let factor: u64 = match unit {
            "B" => 1,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(wrong()),
        };
        // Exact to 2^53 bytes, which is more than any limit that makes sense; `as` saturates above.
        Ok(Size((number * factor as f64) as u64))
    }
}

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Rate, String> {
        let wrong = || format!("`{text}` is no rate: write requests a second or a minute, such as `50/s`, `600/m`");
        let (number, unit) = split(&text).ok_or_else(wrong)?;
        let rate = match unit {
            "/s" => number,
            "/m" => number / 60.0,
            _ => return Err(wrong()),
        };
        if rate >= SLOWEST && rate.is_finite() {
            Ok(Rate(rate))
        } else {
            Err(format!("`{text}` is slower than {SLOWEST}/s: it would never end"))
        }
    }
}

impl From<Time> for String {
    fn from(time: Time) -> String {
        time.to_string()
    }
}

impl From<Size> for String {
    fn from(size: Size) -> String {
        size.to_string()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> String {
        rate.to_string()
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.subsec_millis() == 0 {
            write!(f, "{}s", self.0.as_secs())
        } else {
            write!(f, "{}ms", self.0.as_millis())
        }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            n if n > 0 && n % (1 << 30) == 0 => write!(f, "{}GiB", n >> 30),
            n if n > 0 && n % (1 << 20) == 0 => write!(f, "{}MiB", n >> 20),
            n if n > 0 && n % (1 << 10) == 0 => write!(f, "{}KiB", n >> 10),
            n => write!(f, "{n}B"),
        }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "A duration with its unit.",
            "pattern": "^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$", "examples": ["500ms", "10s"] })
    }
}

impl JsonSchema for Expiry {
    fn schema_name() -> Cow<'static, str> {
        "Expiry".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "A duration with its unit, or `none`.",
            "pattern": "^(none|[0-9]+(\\.[0-9]+)?(ms|s|m|h))$" })
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "A size with its unit.",
            "pattern": "^[0-9]+(\\.[0-9]+)?(B|[kK]B|MB|GB|KiB|MiB|GiB)$", "examples": ["64MiB"] })
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "Requests a second or a minute.",
            "pattern": "^[0-9]+(\\.[0-9]+)?/(s|m)$", "examples": ["50/s"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Result<Duration, String> {
        Time::try_from(text.to_owned()).map(|t| t.0)
    }

    #[test]
    fn durations_need_a_unit_and_an_end() {
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(time("0s"), Ok(Duration::ZERO));
        for text in ["", "10", "s", "-1s", "1 parsec", "1e9s", "..s", "99999999h", "١s"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_binary_or_decimal_by_their_unit() {
        let size = |text: &str| Size::try_from(text.to_owned()).map(|s| s.0);
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("1kB"), Ok(1000));
        assert_eq!(size("0B"), Ok(0));
        for text in ["64", "64M", "-1B", "MiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_above_zero() {
        let rate = |text: &str| Rate::try_from(text.to_owned()).map(|r| r.0);
        assert_eq!(rate("50/s"), Ok(50.0));
        assert_eq!(rate("60/m"), Ok(1.0));
        for text in ["0/s", "50", "50/h", "/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_printed_is_read_again() {
        for text in ["500ms", "10s"] {
            assert_eq!(time(text).map(|d| Time(d).to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Size(64 << 20).to_string(), "64MiB");
        assert_eq!(Size(1000).to_string(), "1000B");
    }
}
