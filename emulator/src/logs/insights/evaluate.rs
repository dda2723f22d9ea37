//! The value of an expression for a row, or for a group of rows.

use std::cell::Cell;
use std::cmp::Ordering;

use super::parse::Expression;
use super::row::Row;
use super::value::Value;

/// The longest text that a function may make, in bytes, and how much text the functions of one query may make of all rows: a few
/// calls of `replace` within each other would make more than any memory holds. The first is the size of the largest event; AWS
/// ends a query by its time instead.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
pub(super) const MAX_TEXT: usize = 1 << 20;
const MAX_MADE: usize = 256 << 20;

/// What all rows of a query have in common.
pub(super) struct Common {
    /// The cloud's time, in milliseconds.
    pub now: i64,
    /// How much text may yet be made.
    left: Cell<usize>,
}

impl Common {
    pub fn at(now: i64) -> Self {
        Self { now, left: Cell::new(MAX_MADE) }
    }

    /// Whether the query has made more text than it may.
    pub fn is_spent(&self) -> bool {
        self.left.get() == 0
    }

    fn spend(&self, made: &Value) {
        if let Value::Text(text) = made {
            let left = if text.len() > MAX_TEXT { 0 } else { self.left.get().saturating_sub(text.len()) };
            self.left.set(left);
        }
    }
}

/// What an expression is computed over.
#[derive(Clone, Copy)]
pub(super) struct Over<'a, 'b> {
    /// The row; of a group, its first.
    pub row: &'a Row<'b>,
    /// The rows of the group, where there is one.
    pub group: &'a [Row<'b>],
    pub common: &'a Common,
}

impl Over<'_, '_> {
    pub fn value(self, expression: &Expression) -> Value {
        match expression {
            Expression::Field(name) => self.row.get(name),
            Expression::Number(number) => Value::Number(*number),
            Expression::Period(period) => Value::Number(*period as f64),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Now => Value::Number(self.common.now.div_euclid(1000) as f64),
            Expression::Call(..) if self.common.is_spent() => Value::Missing,
            Expression::Call(function, arguments) => {
                let arguments: Vec<Value> = arguments.iter().map(|one| self.value(one)).collect();
                let made = function(&arguments);
                self.common.spend(&made);
                made
            }
            Expression::Bin(of, period) => {
                let time = of.as_ref().map_or_else(|| self.row.get("@timestamp"), |of| self.value(of));
                let bin = |time: f64| Value::Time((time as i64).div_euclid(*period).saturating_mul(*period));
                time.number().map_or(Value::Missing, bin)
            }
            Expression::Aggregate(aggregation, arguments) => {
                let of = |row| Self { row, ..self };
                let value = |row| arguments.first().map_or(Value::Number(1.0), |one| of(row).value(one));
                let time = |row: &Row<'_>| row.get("@timestamp").number().unwrap_or_default() as i64;
                let values: Vec<_> = self.group.iter().map(|row| (time(row), value(row))).collect();
                let percent = arguments.get(1).and_then(|one| self.value(one).number()).unwrap_or_default();
                aggregation.over(&values, percent)
            }
            Expression::Not(inner) => Value::Bool(!self.value(inner).holds()),
            Expression::Negative(inner) => {
                self.value(inner).number().map_or(Value::Missing, |number| Value::Number(-number))
            }
            Expression::Logic(parts, true) => Value::Bool(parts.iter().all(|part| self.value(part).holds())),
            Expression::Logic(parts, false) => Value::Bool(parts.iter().any(|part| self.value(part).holds())),
            Expression::Binary(left, operator, right) => binary(&self.value(left), operator, &self.value(right)),
            Expression::Matches(left, regex) => {
                Value::Bool(self.value(left).text().is_some_and(|text| regex.is_match(&text)))
            }
            Expression::Contains(left, right) => match (self.value(left).text(), self.value(right).text()) {
                (Some(text), Some(part)) => Value::Bool(text.contains(&part)),
                _ => Value::Bool(false),
            },
            Expression::In(left, all) => {
                let value = self.value(left);
                let same = |one: &Expression| value.compare(&self.value(one)) == Some(Ordering::Equal);
                Value::Bool(all.iter().any(same))
            }
        }
    }
}

fn binary(left: &Value, operator: &str, right: &Value) -> Value {
    let compared = |holds: fn(Ordering) -> bool| Value::Bool(left.compare(right).is_some_and(holds));
    let computed = |compute: fn(f64, f64) -> f64| match (left.number(), right.number()) {
        (Some(a), Some(b)) => Some(compute(a, b)).filter(|c| c.is_finite()).map_or(Value::Missing, Value::Number),
        _ => Value::Missing,
    };
    match operator {
        "=" => compared(Ordering::is_eq),
        "!=" => compared(Ordering::is_ne),
        "<" => compared(Ordering::is_lt),
        "<=" => compared(Ordering::is_le),
        ">" => compared(Ordering::is_gt),
        ">=" => compared(Ordering::is_ge),
        "+" => computed(|a, b| a + b),
        "-" => computed(|a, b| a - b),
        "*" => computed(|a, b| a * b),
        "/" => computed(|a, b| a / b),
        "%" => computed(|a, b| a % b),
        _ => computed(f64::powf),
    }
}
