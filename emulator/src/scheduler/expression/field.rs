//! One field of a cron expression: numbers, names, ranges, steps and lists, as a set of values.

/// The values that a field takes, and their names. `max - min` is below 256.
pub(super) struct Range {
    /// The least value.
    pub min: u16,
    /// The greatest value.
    pub max: u16,
    /// Names for the values from `min` on; empty if the field has none.
    pub names: &'static [&'static str],
    /// Whether a range may run over the end (`22-2`, `FRI-MON`).
    pub wraps: bool,
}

pub(super) const MINUTES: Range = Range { min: 0, max: 59, names: &[], wraps: true };
pub(super) const HOURS: Range = Range { min: 0, max: 23, names: &[], wraps: true };
pub(super) const DAYS_OF_MONTH: Range = Range { min: 1, max: 31, names: &[], wraps: true };
pub(super) const MONTHS: Range = Range {
    min: 1,
    max: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    wraps: true,
};
/// 1 is Sunday, unlike Unix cron.
pub(super) const DAYS_OF_WEEK: Range =
    Range { min: 1, max: 7, names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], wraps: true };
/// The years that AWS documents.
pub(super) const YEARS: Range = Range { min: 1970, max: 2199, names: &[], wraps: false };

/// A set of values of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    /// Bit n stands for `min + n`.
    bits: [u64; 4],
    min: u16,
}

impl Set {
    /// Reads a comma-separated list of values, ranges and steps.
    pub fn parse(text: &str, range: &Range) -> Option<Self> {
        let mut set = Self { bits: [0; 4], min: range.min };
        for item in text.split(',') {
            set.add_item(item, range)?;
        }
        Some(set)
    }

    /// Whether the value is in the set.
    pub fn contains(&self, value: u16) -> bool {
        let Some(bit) = value.checked_sub(self.min) else { return false };
        self.bits.get(usize::from(bit / 64)).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    /// The values from `from` to `to`, inclusive, in order.
    pub fn within(&self, from: u16, to: u16) -> impl Iterator<Item = u16> {
        (from..=to).filter(|value| self.contains(*value))
    }

    fn insert(&mut self, value: u16) {
        let bit = value.saturating_sub(self.min);
        if let Some(word) = self.bits.get_mut(usize::from(bit / 64)) {
            *word |= 1 << (bit % 64);
        }
    }

    /// `*`, `a`, `a-b`, each with or without `/step`; `a/step` runs from a to the greatest value.
    fn add_item(&mut self, item: &str, range: &Range) -> Option<()> {
        let (base, step) = match item.split_once('/') {
            Some((base, step)) => (base, Some(digits(step).filter(|step| *step > 0)?)),
            None => (item, None),
        };
        let (from, to) = if base == "*" {
            (range.min, range.max)
        } else if let Some((from, to)) = base.split_once('-') {
            (range.value(from)?, range.value(to)?)
        } else {
            let value = range.value(base)?;
            (value, if step.is_some() { range.max } else { value })
        };
        if from > to && !range.wraps {
            return None;
        }
        let size = range.max - range.min + 1;
        let length = if from <= to { to - from } else { size - (from - to) };
        for distance in (0..=length).step_by(usize::from(step.unwrap_or(1))) {
            self.insert(range.min + (from - range.min + distance) % size);
        }
        Some(())
    }
}

impl Range {
    /// A value by its number or, in any case, by its name.
    pub fn value(&self, text: &str) -> Option<u16> {
        if let Some(place) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return Some(self.min + u16::try_from(place).ok()?);
        }
        digits(text).filter(|value| (self.min..=self.max).contains(value))
    }
}

/// A number of ASCII digits only: `+5`, which the standard library takes, is not one.
fn digits(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
