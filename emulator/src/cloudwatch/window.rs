//! Which data a request means: its period, its rounded start, and the datapoints that its range falls into.

use std::collections::BTreeMap;

use super::series::{NO_UNIT, Point};
use crate::Timestamp;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Data of less than a minute is kept this long, in seconds; data of a minute, and of five minutes, for so long.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention>
const KEPT_FINE: i64 = 3 * HOUR;
const KEPT_MINUTES: i64 = 15 * DAY;
const KEPT_FIVE_MINUTES: i64 = 63 * DAY;
/// The periods below a minute, which only metrics of high resolution have data for.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>
const SHORT_PERIODS: [i64; 5] = [1, 5, 10, 20, 30];
/// The order in which CloudWatch looks through units for `GetMetricData` of data in several (seen at AWS).
const UNITS: [&str; 27] = [
    "Megabits",
    "Terabits",
    "Gigabits",
    "Count",
    "Bytes",
    "Gigabytes",
    "Gigabytes/Second",
    "Kilobytes",
    "Kilobits/Second",
    "Terabytes",
    "Terabits/Second",
    "Bytes/Second",
    "Percent",
    "Megabytes",
    "Megabits/Second",
    "Milliseconds",
    "Microseconds",
    "Kilobytes/Second",
    "Gigabits/Second",
    "Megabytes/Second",
    "Bits",
    "Bits/Second",
    "Count/Second",
    "Seconds",
    "Kilobits",
    "Terabytes/Second",
    NO_UNIT,
];

/// The place of a unit in the order in which CloudWatch looks through them.
pub(super) fn rank(unit: &str) -> usize {
    UNITS.iter().position(|one| *one == unit).unwrap_or(UNITS.len())
}

/// Whether a period, in seconds, may be asked for.
pub(super) fn is_period(period: i64) -> bool {
    SHORT_PERIODS.contains(&period) || (period >= 60 && period % 60 == 0)
}

/// A range of time cut into periods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    /// The rounded start.
    pub start: Timestamp,
    /// The end, which is not part of the range.
    pub end: Timestamp,
    /// In seconds.
    period: i64,
    /// Whether data as fine as the period asks for is kept for a range that begins so long ago.
    kept: bool,
}

impl Window {
    /// The start is rounded down: to the period if that is below a minute, else to a minute, to five where it is more
    /// than fifteen days ago, and to an hour where it is more than 63 days ago.
    pub fn new(start: Timestamp, end: Timestamp, period: i64, now: Timestamp) -> Self {
        let age = now.secs().saturating_sub(start.secs());
        let finest = match age {
            _ if age > KEPT_FIVE_MINUTES => HOUR,
            _ if age > KEPT_MINUTES => 300,
            _ if age > KEPT_FINE => 60,
            _ => 1,
        };
        let step = if finest == 1 { period.min(60) } else { finest };
        Self { start: round_down(start, step), end, period, kept: period % finest == 0 }
    }

    /// The period that a point in time falls into, by its beginning.
    fn period_of(&self, at: Timestamp) -> Timestamp {
        let since = at.millis().saturating_sub(self.start.millis());
        let period = self.period.saturating_mul(1000).max(1);
        Timestamp::from_millis(self.start.millis().saturating_add(since.div_euclid(period).saturating_mul(period)))
    }

    /// The points of each period and unit, in order of time.
    pub fn buckets<'a>(&self, points: Vec<Point<'a>>) -> BTreeMap<(Timestamp, &'a str), Vec<Point<'a>>> {
        let mut buckets: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for point in points.into_iter().filter(|_| self.kept) {
            buckets.entry((self.period_of(point.at), point.unit)).or_default().push(point);
        }
        buckets
    }
}

/// A point in time rounded down to a multiple of `step` seconds.
pub(super) fn round_down(at: Timestamp, step: i64) -> Timestamp {
    let step = step.max(1);
    Timestamp::from_secs(at.secs().div_euclid(step).saturating_mul(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_short_ones_or_whole_minutes() {
        assert!([1, 5, 10, 20, 30, 60, 120, 86_400].into_iter().all(is_period));
        assert!([-60, 0, 2, 15, 45, 61, 90].into_iter().all(|period| !is_period(period)));
    }

    #[test]
    fn starts_are_rounded_by_age() {
        let now = Timestamp::from_secs(100 * DAY);
        let start = |ago: i64, period| {
            let window = Window::new(Timestamp::from_secs(100 * DAY - ago), now, period, now);
            (now.secs() - window.start.secs(), window.kept)
        };
        assert_eq!(start(100, 60), (120, true));
        assert_eq!(start(103, 10), (110, true));
        assert_eq!(start(3 * HOUR + 10, 10), (3 * HOUR + 60, false));
        assert_eq!(start(16 * DAY + 10, 60), (16 * DAY + 300, false));
        assert_eq!(start(16 * DAY + 10, 600), (16 * DAY + 300, true));
        assert_eq!(start(64 * DAY + 10, 3_600), (64 * DAY + HOUR, true));
    }
}
