//! The six fields of a cron expression, and the search for the next time that matches them.

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

use super::field::{DAYS_OF_MONTH, DAYS_OF_WEEK, HOURS, MINUTES, MONTHS, Set, YEARS};
use super::first_instant;
use crate::Timestamp;

/// 2200-01-02T00:00:00Z: no zone's clocks still show a year that cron knows.
const LAST: Timestamp = Timestamp::from_secs(7_258_204_800);

/// A cron expression as AWS reads it: minutes, hours, day of month, month, day of week, year; `?` in exactly one of
/// the two day fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: Set,
    hours: Set,
    days: Days,
    months: Set,
    years: Set,
}

/// Which days of a month match. The field that is not `?` decides.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    OfMonth(Set),
    /// `L`
    LastOfMonth,
    /// `15W`: the weekday (Monday to Friday) nearest to that day, in the same month.
    NearestWeekday(i8),
    /// `LW`
    LastWeekday,
    OfWeek(Set),
    /// `6L`: the last Friday of the month.
    LastOfWeekday(u16),
    /// `3#2`: the second Tuesday of the month.
    Nth(u16, i8),
}

impl Cron {
    /// Reads the six fields (what stands between the parentheses). `None` if AWS would refuse them.
    pub fn parse(inner: &str) -> Option<Self> {
        if inner.starts_with(' ') || inner.ends_with(' ') {
            return None;
        }
        let fields: Vec<&str> = inner.split(' ').filter(|field| !field.is_empty()).collect();
        let [minutes, hours, of_month, month, of_week, year] = fields.as_slice() else { return None };
        let days = match (*of_month, *of_week) {
            ("?", "?") => return None,
            (of_month, "?") => days_of_month(of_month)?,
            ("?", of_week) => days_of_week(of_week)?,
            _ => return None,
        };
        Some(Self {
            minutes: Set::parse(minutes, &MINUTES)?,
            hours: Set::parse(hours, &HOURS)?,
            days,
            months: Set::parse(month, &MONTHS)?,
            years: Set::parse(year, &YEARS)?,
        })
    }

    /// Whether this minute of local time matches.
    pub fn matches(&self, local: DateTime) -> bool {
        self.minutes.contains(small(local.minute()))
            && self.hours.contains(small(local.hour()))
            && self.matches_day(local.date())
    }

    /// The first instant strictly after `after` at which the zone's clocks show a matching minute for the first time.
    ///
    /// Bounded by the years that cron knows: at worst one look at each day up to 2199.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if after >= LAST {
            return None;
        }
        let local = zone.to_datetime(after.to_jiff());
        let first_year = Date::constant(1970, 1, 1);
        let mut date = local.date().max(first_year);
        // Local times up to this one first came at or before `after`, so only later ones are candidates.
        let mut reached = (date == local.date()).then(|| (small(local.hour()), small(local.minute())));
        while small_year(date) <= YEARS.max {
            if !self.years.contains(small_year(date)) {
                (date, reached) = (Date::new(date.year() + 1, 1, 1).ok()?, None);
                continue;
            }
            if !self.months.contains(small(date.month())) {
                (date, reached) = (date.last_of_month().tomorrow().ok()?, None);
                continue;
            }
            if self.matches_day(date)
                && let Some(point) = self.next_on(date, reached, after, zone)
            {
                return Some(point);
            }
            (date, reached) = (date.tomorrow().ok()?, None);
        }
        None
    }

    fn next_on(&self, date: Date, reached: Option<(u16, u16)>, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let (from_hour, from_minute) = reached.map_or((0, 0), |(hour, minute)| (hour, minute + 1));
        for hour in self.hours.within(from_hour, HOURS.max) {
            let from = if hour == from_hour { from_minute } else { 0 };
            for minute in self.minutes.within(from, MINUTES.max) {
                let local = date.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
                if let Some(point) = first_instant(local, zone).filter(|point| *point > after) {
                    return Some(point);
                }
            }
        }
        None
    }

    fn matches_day(&self, date: Date) -> bool {
        if !self.years.contains(small_year(date)) || !self.months.contains(small(date.month())) {
            return false;
        }
        let last = date.days_in_month();
        match &self.days {
            Days::OfMonth(set) => set.contains(small(date.day())),
            Days::LastOfMonth => date.day() == last,
            Days::NearestWeekday(day) => nearest_weekday(date, *day) == Some(date),
            Days::LastWeekday => nearest_weekday(date, last) == Some(date),
            Days::OfWeek(set) => set.contains(weekday(date)),
            Days::LastOfWeekday(wanted) => weekday(date) == *wanted && date.day() + 7 > last,
            Days::Nth(wanted, nth) => weekday(date) == *wanted && (date.day() - 1) / 7 + 1 == *nth,
        }
    }
}

fn days_of_month(text: &str) -> Option<Days> {
    if text == "L" {
        return Some(Days::LastOfMonth);
    }
    if text == "LW" {
        return Some(Days::LastWeekday);
    }
    if let Some(day) = text.strip_suffix('W') {
        return i8::try_from(DAYS_OF_MONTH.value(day)?).ok().map(Days::NearestWeekday);
    }
    Set::parse(text, &DAYS_OF_MONTH).map(Days::OfMonth)
}

/// `L`, `#` stand alone: AWS documents that a field with `#` holds one expression only.
fn days_of_week(text: &str) -> Option<Days> {
    // Alone it is the last day of the week, Saturday.
    if text == "L" {
        return Set::parse("7", &DAYS_OF_WEEK).map(Days::OfWeek);
    }
    if let Some((day, nth)) = text.split_once('#') {
        let nth = nth.parse::<i8>().ok().filter(|n| (1..=5).contains(n) && nth.len() == 1)?;
        return Some(Days::Nth(DAYS_OF_WEEK.value(day)?, nth));
    }
    if let Some(day) = text.strip_suffix('L').and_then(|day| DAYS_OF_WEEK.value(day)) {
        return Some(Days::LastOfWeekday(day));
    }
    Set::parse(text, &DAYS_OF_WEEK).map(Days::OfWeek)
}

/// The weekday (Monday to Friday) nearest to this day of the date's month, without leaving the month.
fn nearest_weekday(month: Date, day: i8) -> Option<Date> {
    let wanted = Date::new(month.year(), month.month(), day).ok()?;
    let step: i32 = match wanted.weekday() {
        Weekday::Saturday if day == 1 => 2,
        Weekday::Saturday => -1,
        Weekday::Sunday if day == wanted.days_in_month() => -2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    wanted.checked_add(step.days()).ok()
}

/// AWS's number of a date's weekday: Sunday is 1.
fn weekday(date: Date) -> u16 {
    small(date.weekday().to_sunday_one_offset())
}

/// jiff's small numbers are signed, though none of those used here is negative.
fn small(number: i8) -> u16 {
    u16::try_from(number).unwrap_or(0)
}

fn small_year(date: Date) -> u16 {
    u16::try_from(date.year()).unwrap_or(0)
}
