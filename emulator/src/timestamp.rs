//! A point in time, as every service state and every wire value holds it.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// The earliest and the latest point for calendar work: jiff keeps a day or so away from the years -9999 and 9999, so
/// that every time zone's local time fits.
const EARLIEST: i64 = -377_705_023_201_000;
const LATEST: i64 = 253_402_207_200_000;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Milliseconds since 1970-01-01T00:00:00Z: the resolution that AWS answers with.
///
/// In the plain values that pass through the front a timestamp is this integer; `wire` turns it into what
/// protocol and model ask for (epoch seconds, ISO 8601, HTTP date, CBOR tag 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point this many milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The point this many seconds after the epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The time from `earlier` to this point; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same point for calendar work. Points that jiff cannot hold (beyond the year 9999) are clamped.
    pub fn to_jiff(self) -> jiff::Timestamp {
        let clamped = self.0.clamp(EARLIEST, LATEST);
        jiff::Timestamp::from_millisecond(clamped).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// The same point for the SDK and the standard library.
    pub fn to_system_time(self) -> SystemTime {
        let distance = Duration::from_millis(self.0.unsigned_abs());
        if self.0 >= 0 { SystemTime::UNIX_EPOCH + distance } else { SystemTime::UNIX_EPOCH - distance }
    }

    /// `2026-03-02T12:00:00Z`, without a fraction: how S3 headers' dates round and how reports read.
    pub fn to_iso_secs(self) -> String {
        self.to_jiff().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// `2026-03-02T12:00:00.000Z`: the ISO 8601 form of AWS's XML answers.
    pub fn to_iso_millis(self) -> String {
        self.to_jiff().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    /// `Mon, 02 Mar 2026 12:00:00 GMT`: the date of HTTP headers (RFC 9110).
    pub fn to_http_date(self) -> String {
        // Every answer carries one: put together by hand it costs a tenth of what `strftime` takes.
        let at = jiff::tz::Offset::UTC.to_datetime(self.to_jiff());
        format!(
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
            name(&DAYS, at.weekday().to_monday_zero_offset()),
            at.day(),
            name(&MONTHS, at.month() - 1),
            at.year(),
            at.hour(),
            at.minute(),
            at.second()
        )
    }

    /// `02/Mar/2026:12:00:00 +0000`: a time as the Common Log Format has it, made as [`Timestamp::to_http_date`] is.
    pub fn to_log_time(self) -> String {
        let at = jiff::tz::Offset::UTC.to_datetime(self.to_jiff());
        let (day, month, year) = (at.day(), name(&MONTHS, at.month() - 1), at.year());
        format!("{day:02}/{month}/{year:04}:{:02}:{:02}:{:02} +0000", at.hour(), at.minute(), at.second())
    }
}

/// The name at a place.
fn name(names: &[&'static str], place: i8) -> &'static str {
    usize::try_from(place).ok().and_then(|place| names.get(place).copied()).unwrap_or("")
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self(i64::try_from(after.as_millis()).unwrap_or(i64::MAX)),
            Err(before) => Self(-i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX)),
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_iso_millis())
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(|point| Self(point.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_beyond_the_calendar_are_clamped_and_do_not_wrap() {
        assert_eq!(Timestamp::from_millis(i64::MAX).to_iso_secs(), "9999-12-30T22:00:00Z");
        assert!(Timestamp::from_millis(i64::MIN).to_iso_secs().starts_with("-9999"));
        assert_eq!(Timestamp::from_millis(1).since(Timestamp::from_millis(i64::MAX)), Duration::ZERO);
    }

    #[test]
    fn a_point_is_written_in_the_forms_of_the_protocols() {
        let point: Timestamp = "2026-03-02T12:00:00.25Z".parse().unwrap_or_default();
        assert_eq!(point.to_iso_millis(), "2026-03-02T12:00:00.250Z");
        assert_eq!(point.to_iso_secs(), "2026-03-02T12:00:00Z");
        assert_eq!(point.to_http_date(), "Mon, 02 Mar 2026 12:00:00 GMT");
        assert_eq!(Timestamp::from(point.to_system_time()), point);
    }
}
