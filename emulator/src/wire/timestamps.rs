//! Points in time as the protocols write them, to and from epoch milliseconds.

use serde_json::{Number, Value};

use crate::Timestamp;
use crate::model::TimestampFormat;

/// The latest second that is taken, the end of the year 9999: what comes after has no ISO form.
const MAX_SECONDS: f64 = 253_402_300_799.0;
/// The earliest second that is taken, the beginning of the year 1.
const MIN_SECONDS: f64 = -62_135_596_800.0;

/// Reads a point in time; `None` if the text is not of the format.
pub fn parse(text: &str, format: TimestampFormat) -> Option<i64> {
    let text = text.trim();
    match format {
        TimestampFormat::Iso8601 => parse_iso(text),
        TimestampFormat::Rfc822 => jiff::fmt::rfc2822::parse(text).ok().map(|point| point.timestamp().as_millisecond()),
        TimestampFormat::UnixTimestamp => from_seconds(text.parse().ok()?),
    }
}

/// SDKs send `2026-03-02T12:00:00Z`, with or without a fraction or another offset, and S3 takes a bare date too.
fn parse_iso(text: &str) -> Option<i64> {
    if let Ok(point) = text.parse::<jiff::Timestamp>() {
        return Some(point.as_millisecond());
    }
    let local = text.parse::<jiff::civil::DateTime>().ok()?;
    local.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|point| point.timestamp().as_millisecond())
}

/// Milliseconds of a count of seconds with a fraction; `None` outside of what a calendar holds.
pub fn from_seconds(seconds: f64) -> Option<i64> {
    if !(MIN_SECONDS..=MAX_SECONDS).contains(&seconds) {
        return None;
    }
    Some((seconds * 1000.0).round() as i64)
}

/// Writes a point in time as text, for headers, query strings and XML.
pub fn text(millis: i64, format: TimestampFormat) -> String {
    let point = Timestamp::from_millis(millis);
    match format {
        TimestampFormat::Iso8601 => point.to_iso_millis(),
        TimestampFormat::Rfc822 => point.to_http_date(),
        TimestampFormat::UnixTimestamp => seconds(millis).to_string(),
    }
}

/// Writes a point in time as a JSON value.
pub fn json(millis: i64, format: TimestampFormat) -> Value {
    match format {
        TimestampFormat::UnixTimestamp => Value::Number(seconds(millis)),
        _ => Value::String(text(millis, format)),
    }
}

/// Whole seconds as an integer, others with their fraction: how AWS's JSON shows them.
fn seconds(millis: i64) -> Number {
    if millis.rem_euclid(1000) == 0 {
        return Number::from(millis.div_euclid(1000));
    }
    Number::from_f64(millis as f64 / 1000.0).unwrap_or_else(|| Number::from(millis.div_euclid(1000)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use TimestampFormat::{Iso8601, Rfc822, UnixTimestamp};

    #[test]
    fn every_format_round_trips() {
        let point = 1_772_452_800_123;
        assert_eq!(text(point, Iso8601), "2026-03-02T12:00:00.123Z");
        assert_eq!(parse("2026-03-02T12:00:00.123Z", Iso8601), Some(point));
        assert_eq!(parse("2026-03-02T13:00:00.123+01:00", Iso8601), Some(point));
        assert_eq!(parse("2026-03-02", Iso8601), Some(1_772_409_600_000));
        assert_eq!(text(point, Rfc822), "Mon, 02 Mar 2026 12:00:00 GMT");
        assert_eq!(parse("Mon, 02 Mar 2026 12:00:00 GMT", Rfc822), Some(1_772_452_800_000));
        assert_eq!(json(point, UnixTimestamp), serde_json::json!(1_772_452_800.123));
        assert_eq!(json(1_772_452_800_000, UnixTimestamp), serde_json::json!(1_772_452_800));
        assert_eq!(parse("1772452800.123", UnixTimestamp), Some(point));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "yesterday", "2026-13-01T00:00:00Z", "1e300", "NaN"] {
            for format in [Iso8601, Rfc822, UnixTimestamp] {
                assert_eq!(parse(text, format), None, "{text} as {format:?}");
            }
        }
    }
}
