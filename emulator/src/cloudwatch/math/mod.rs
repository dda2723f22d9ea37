//! Metric math: expressions over the series of other queries.
//!
//! `parse.rs` reads an expression, `evaluate.rs` and `functions.rs` compute it, `series.rs` is what they compute with.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>

mod evaluate;
mod functions;
mod parse;
mod series;
#[cfg(test)]
mod tests;

pub(super) use evaluate::{Grid, evaluate};
pub(super) use parse::{Expression, parse};
pub(super) use series::{Outcome, Points, Series};
