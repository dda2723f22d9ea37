//! What expressions compute with: numbers, series of numbers over time, and lists of those.

use std::collections::BTreeMap;

use crate::Timestamp;

/// Numbers by the beginnings of their periods.
pub(in crate::cloudwatch) type Points = BTreeMap<Timestamp, f64>;

/// A series, and how it is called.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::cloudwatch) struct Series {
    pub label: String,
    /// In seconds.
    pub period: i64,
    pub points: Points,
}

impl Series {
    /// The same series with other numbers.
    pub fn with(&self, points: Points) -> Self {
        Self { label: self.label.clone(), period: self.period, points }
    }

    /// Each number changed; what is no number afterwards is left out.
    pub fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        let points = self.points.iter().map(|(at, value)| (*at, change(*value)));
        self.with(points.filter(|(_, value)| value.is_finite()).collect())
    }
}

/// What an expression gives.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cloudwatch) enum Outcome {
    Number(f64),
    One(Series),
    Many(Vec<Series>),
}
