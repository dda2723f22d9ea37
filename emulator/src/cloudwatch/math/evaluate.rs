//! The value of an expression, over the series that it refers to.

use std::collections::BTreeMap;

use super::functions;
use super::parse::Expression;
use super::series::{Outcome, Points, Series};
use crate::cloudwatch::validation;
use crate::{Error, Result, Timestamp};

/// The periods of a range: where `FILL` and `TIME_SERIES` put numbers.
#[derive(Clone, Copy, Debug)]
pub(in crate::cloudwatch) struct Grid {
    pub start: Timestamp,
    pub end: Timestamp,
    /// In seconds.
    pub period: i64,
}

/// A grid has at most so many periods: no answer has more datapoints.
const MAX_PERIODS: i64 = 100_800;

impl Grid {
    /// The beginnings of the periods.
    pub fn times(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let (start, end, period) = (self.start.secs(), self.end.secs(), self.period.max(1));
        let count = (end.saturating_sub(start).saturating_add(period - 1) / period).clamp(0, MAX_PERIODS);
        (0..count).map(move |place| Timestamp::from_secs(start + place * period))
    }
}

/// Computes an expression. The results of other queries come by their ids; `metrics` are those that are metrics.
///
/// # Errors
/// 501 for functions that exist at AWS and not here; `ValidationError` with what is wrong otherwise.
pub(in crate::cloudwatch) fn evaluate(
    expression: &Expression,
    known: &BTreeMap<String, Outcome>,
    metrics: &[(String, Series)],
    grid: Grid,
) -> Result<Outcome> {
    let value = |one: &Expression| evaluate(one, known, metrics, grid);
    match expression {
        Expression::Number(number) => Ok(Outcome::Number(*number)),
        Expression::Text(text) => Err(wrong(format!("Unexpected string '{text}'"))),
        Expression::Name(name) => {
            known.get(name).cloned().ok_or_else(|| wrong(format!("The metric or expression '{name}' does not exist")))
        }
        Expression::List(all) => {
            let mut many = Vec::new();
            for one in all {
                match value(one)? {
                    Outcome::One(series) => many.push(series),
                    Outcome::Many(more) => many.extend(more),
                    Outcome::Number(_) => return Err(wrong("A list has only time series")),
                }
            }
            Ok(Outcome::Many(many))
        }
        Expression::Negative(inner) => Ok(each(value(inner)?, |number| -number)),
        Expression::Binary(left, operator, right) => binary(value(left)?, operator, value(right)?),
        Expression::Call(name, arguments) => functions::call(name, arguments, metrics, grid, &value),
    }
}

/// What is wrong with an expression.
pub(super) fn wrong(message: impl std::fmt::Display) -> Error {
    validation(message.to_string())
}

/// Each number changed.
pub(super) fn each(outcome: Outcome, change: impl Fn(f64) -> f64 + Copy) -> Outcome {
    match outcome {
        Outcome::Number(number) => Outcome::Number(change(number)),
        Outcome::One(series) => Outcome::One(series.map(change)),
        Outcome::Many(many) => Outcome::Many(many.iter().map(|series| series.map(change)).collect()),
    }
}

fn operation(operator: &str) -> fn(f64, f64) -> f64 {
    match operator {
        "+" => |a, b| a + b,
        "-" => |a, b| a - b,
        "*" => |a, b| a * b,
        "/" => |a, b| a / b,
        "^" => f64::powf,
        "==" => |a, b| f64::from(u8::from(a == b)),
        "!=" => |a, b| f64::from(u8::from(a != b)),
        "<" => |a, b| f64::from(u8::from(a < b)),
        "<=" => |a, b| f64::from(u8::from(a <= b)),
        ">" => |a, b| f64::from(u8::from(a > b)),
        ">=" => |a, b| f64::from(u8::from(a >= b)),
        "&&" | "AND" => |a, b| f64::from(u8::from(a != 0.0 && b != 0.0)),
        _ => |a, b| f64::from(u8::from(a != 0.0 || b != 0.0)),
    }
}

/// Two series meet where both have a number; two lists must be as long as each other.
fn binary(left: Outcome, operator: &str, right: Outcome) -> Result<Outcome> {
    let compute = operation(operator);
    let two = |a: &Series, b: &Series| {
        let both = a.points.iter().filter_map(|(at, x)| Some((*at, compute(*x, *b.points.get(at)?))));
        a.with(both.filter(|(_, value)| value.is_finite()).collect())
    };
    Ok(match (left, right) {
        (Outcome::Number(a), Outcome::Number(b)) => Outcome::Number(compute(a, b)),
        (left, Outcome::Number(b)) => each(left, |a| compute(a, b)),
        (Outcome::Number(a), right) => each(right, |b| compute(a, b)),
        (Outcome::One(a), Outcome::One(b)) => Outcome::One(two(&a, &b)),
        (Outcome::Many(all), Outcome::One(b)) => Outcome::Many(all.iter().map(|a| two(a, &b)).collect()),
        (Outcome::One(a), Outcome::Many(all)) => {
            Outcome::Many(all.iter().map(|b| Series { label: b.label.clone(), ..two(&a, b) }).collect())
        }
        (Outcome::Many(a), Outcome::Many(b)) if a.len() == b.len() => {
            Outcome::Many(a.iter().zip(&b).map(|(a, b)| two(a, b)).collect())
        }
        (Outcome::Many(_), Outcome::Many(_)) => {
            return Err(wrong("Lists of time series must have the same number of time series"));
        }
    })
}

/// A list of series folded into one: over all numbers that they have at each time.
pub(super) fn fold(many: &[Series], compute: impl Fn(&[f64]) -> f64) -> Series {
    let mut all: BTreeMap<Timestamp, Vec<f64>> = BTreeMap::new();
    for series in many {
        for (at, value) in &series.points {
            all.entry(*at).or_default().push(*value);
        }
    }
    let points: Points = all.into_iter().map(|(at, values)| (at, compute(&values))).collect();
    Series { label: String::new(), period: many.iter().map(|one| one.period).max().unwrap_or(60), points }
}
