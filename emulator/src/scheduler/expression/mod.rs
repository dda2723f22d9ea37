//! Schedule expressions: `rate(…)`, `cron(…)` and `at(…)`, and when they fire next.
//!
//! Follows "Schedule types in EventBridge Scheduler" (Scheduler user guide) and, for [`Expression::parse_rule`],
//! "Setting a schedule pattern for scheduled rules" (EventBridge user guide). Refusals carry the texts that AWS was
//! recorded to answer with.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::{Error, Result, Timestamp};

mod cron;
mod field;
#[cfg(test)]
mod tests;

pub use cron::Cron;

/// The longest expression that either service takes (API model: `ScheduleExpression`, length 1 to 256).
pub const MAX_LENGTH: usize = 256;

/// A schedule expression that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// `rate(value unit)`: every so often, whatever the clocks of the time zone do (a day is 24 hours).
    Rate {
        /// The time between two occurrences.
        period: Duration,
        /// Whether the anchor itself is the first occurrence (Scheduler) or one period after it (EventBridge rules).
        at_once: bool,
    },
    /// `cron(minutes hours day-of-month month day-of-week year)`.
    Cron(Box<Cron>),
    /// `at(yyyy-mm-ddThh:mm:ss)`: once, in local time of the schedule's time zone.
    At(DateTime),
}

impl Expression {
    /// Reads an expression as EventBridge Scheduler does.
    ///
    /// # Errors
    /// `ValidationException`, "Invalid Schedule Expression X."
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = || Error::client("ValidationException", format!("Invalid Schedule Expression {text}."));
        if text.len() > MAX_LENGTH {
            return Err(invalid());
        }
        let parsed = if let Some(inner) = body(text, "rate") {
            rate(inner, false).map(|period| Self::Rate { period, at_once: true })
        } else if let Some(inner) = body(text, "cron") {
            Cron::parse(inner).map(|cron| Self::Cron(Box::new(cron)))
        } else {
            body(text, "at").and_then(local_time).map(Self::At)
        };
        parsed.ok_or_else(invalid)
    }

    /// Reads an expression as an EventBridge rule does: no `at`, a unit that agrees in number with its value, and a
    /// rate that counts from the rule's creation. Rules know no time zone: pass [`TimeZone::UTC`] to [`Self::next`].
    ///
    /// # Errors
    /// `ValidationException`, "Parameter ScheduleExpression is not valid."
    pub fn parse_rule(text: &str) -> Result<Self> {
        let invalid = || Error::client("ValidationException", "Parameter ScheduleExpression is not valid.");
        if text.len() > MAX_LENGTH {
            return Err(invalid());
        }
        let parsed = if let Some(inner) = body(text, "rate") {
            rate(inner, true).map(|period| Self::Rate { period, at_once: false })
        } else {
            body(text, "cron").and_then(Cron::parse).map(|cron| Self::Cron(Box::new(cron)))
        };
        parsed.ok_or_else(invalid)
    }

    /// The first occurrence strictly after `after`; `None` if there is none (any more).
    ///
    /// `start` is the schedule's `StartDate`: nothing recurring occurs before it, and a rate counts from it. Without one
    /// a rate counts from `created`. As Scheduler's rate starts at once, its first occurrence is `created` itself:
    /// ask with an `after` before `created` to see it. One-time schedules ignore `start`, as AWS documents.
    ///
    /// Daylight saving time, as AWS documents it: a local time that the clocks skip does not occur that day; a local time
    /// that comes twice occurs the first time only. (A one-time schedule at a skipped time occurs when
    /// the clocks have moved; AWS does not say.)
    pub fn next(
        &self,
        after: Timestamp,
        zone: &TimeZone,
        start: Option<Timestamp>,
        created: Timestamp,
    ) -> Option<Timestamp> {
        match self {
            Self::Rate { period, at_once } => next_rate(*period, *at_once, after, start.unwrap_or(created)),
            Self::Cron(cron) => {
                let just_before_start = start.map(|start| start - Duration::from_millis(1));
                cron.next(just_before_start.map_or(after, |point| point.max(after)), zone)
            }
            Self::At(local) => {
                let point = zone.to_ambiguous_timestamp(*local).compatible().ok()?;
                Some(Timestamp::from_millis(point.as_millisecond())).filter(|point| *point > after)
            }
        }
    }

    /// Whether this is a one-time schedule (`at`).
    pub fn is_one_time(&self) -> bool {
        matches!(self, Self::At(_))
    }
}

/// The time zone of a schedule's `ScheduleExpressionTimezone`, by its IANA name.
///
/// # Errors
/// `ValidationException` that names the zone. The text is ours: no recording of AWS's was found.
pub fn time_zone(name: &str) -> Result<TimeZone> {
    TimeZone::get(name)
        .map_err(|_| Error::client("ValidationException", format!("Invalid Schedule Expression Timezone {name}.")))
}

/// What stands between `name(` and the final `)`. AWS takes no blanks around any of the three.
fn body<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

/// `value unit`. Rules demand `1 minute` and `2 minutes`; Scheduler takes either form with any value.
fn rate(inner: &str, unit_must_agree: bool) -> Option<Duration> {
    let (value, unit) = inner.split_once(' ')?;
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: u64 = value.parse().ok().filter(|value| *value > 0)?;
    let (singular, plural) = (unit.strip_suffix('s').unwrap_or(unit), unit.ends_with('s'));
    if unit_must_agree && plural != (value > 1) {
        return None;
    }
    let seconds = match singular {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return None,
    };
    let total = value.checked_mul(seconds).filter(|total| i64::try_from(*total).is_ok_and(|t| t <= i64::MAX / 1000));
    total.map(Duration::from_secs)
}

/// `yyyy-mm-ddThh:mm:ss` and nothing else: no zone, no fraction, a day that exists.
fn local_time(inner: &str) -> Option<DateTime> {
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let fits = inner.len() == shape.len()
        && inner
            .bytes()
            .zip(shape)
            .all(|(byte, want)| if *want == b'd' { byte.is_ascii_digit() } else { byte == *want });
    // Second 60 is a leap second to jiff, and no time to AWS.
    if fits && !inner.ends_with("60") { inner.parse().ok() } else { None }
}

/// The first of `anchor + k · period` after `after`, for k from 0 or 1.
fn next_rate(period: Duration, at_once: bool, after: Timestamp, anchor: Timestamp) -> Option<Timestamp> {
    let period = i64::try_from(period.as_millis()).ok().filter(|period| *period > 0)?;
    let first = if at_once { anchor.millis() } else { anchor.millis().checked_add(period)? };
    if first > after.millis() {
        return Some(Timestamp::from_millis(first));
    }
    let rounds = after.millis().checked_sub(first)? / period + 1;
    first.checked_add(rounds.checked_mul(period)?).map(Timestamp::from_millis)
}

/// The instant at which a local time first comes, or `None` if the clocks skip it.
fn first_instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let offset = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { .. } => return None,
        AmbiguousOffset::Fold { before, .. } => before,
    };
    offset.to_timestamp(local).ok().map(|point| Timestamp::from_millis(point.as_millisecond()))
}
