//! Operators on values, as Velocity's arithmetic has them: what cannot be computed is null.

use std::cmp::Ordering;

use crate::Value;
use crate::ast::Operator;

/// `left operator right` for all but `&&` and `||`, which do not always look at both.
pub(crate) fn binary(operator: Operator, left: &Value, right: &Value) -> Value {
    match operator {
        Operator::Equal => Value::Boolean(same(left, right)),
        Operator::Different => Value::Boolean(!same(left, right)),
        Operator::Less => compared(left, right, Ordering::is_lt),
        Operator::LessOrEqual => compared(left, right, Ordering::is_le),
        Operator::Greater => compared(left, right, Ordering::is_gt),
        Operator::GreaterOrEqual => compared(left, right, Ordering::is_ge),
        Operator::Add if is_text(left) || is_text(right) => match (left, right) {
            (Value::Null, _) | (_, Value::Null) => Value::Null,
            (left, right) => Value::from(left.text() + &right.text()),
        },
        operator => computed(operator, left, right),
    }
}

/// API Gateway takes what is not there for an empty text, as answers of AWS that public test suites recorded have it; to Velocity
/// itself it is like null alone.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Text(text)) | (Value::Text(text), Value::Null) => text.is_empty(),
        (left, right) => left == right,
    }
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::Text(_))
}

fn compared(left: &Value, right: &Value, holds: fn(Ordering) -> bool) -> Value {
    let order = match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => Some(left.cmp(right)),
        (left, right) => float(left).zip(float(right)).and_then(|(left, right)| left.partial_cmp(&right)),
    };
    // Velocity takes a comparison of what are not both numbers for false.
    Value::Boolean(order.is_some_and(holds))
}

fn computed(operator: Operator, left: &Value, right: &Value) -> Value {
    if let (Value::Integer(left), Value::Integer(right)) = (left, right) {
        let whole = match operator {
            Operator::Add => left.checked_add(*right),
            Operator::Subtract => left.checked_sub(*right),
            Operator::Multiply => left.checked_mul(*right),
            Operator::Divide => left.checked_div(*right),
            Operator::Remainder => left.checked_rem(*right),
            _ => None,
        };
        return whole.map_or(Value::Null, Value::Integer);
    }
    let Some((left, right)) = float(left).zip(float(right)) else { return Value::Null };
    match operator {
        Operator::Add => Value::Float(left + right),
        Operator::Subtract => Value::Float(left - right),
        Operator::Multiply => Value::Float(left * right),
        Operator::Divide if right != 0.0 => Value::Float(left / right),
        Operator::Remainder if right != 0.0 => Value::Float(left % right),
        _ => Value::Null,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}
