//! Evaluates an expectation over a run. Pure: it reads the view and changes nothing.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::mismatch::shown;
use super::{Calls, Check, Expectation, Invocations, MessageState, Mismatch, Order, RunView, Subject, jmes};
use crate::scenario::report::Record;
use crate::scenario::script::template::Template;

impl Expectation {
    /// Whether it holds now.
    ///
    /// # Errors
    /// What was wanted and what there was; a subject that does not exist is a mismatch as well.
    pub fn evaluate(&self, run: &dyn RunView) -> Result<(), Mismatch> {
        let wrong = |expected: String, actual: String| Mismatch::new(self.subject_text(), expected, actual);
        if let (Check::Accepted(wanted), Subject::Path(sink)) = (&self.check, &self.subject) {
            let requests = run.sink(sink).ok_or_else(|| wrong(self.wanted(), format!("there is no sink `{sink}`")))?;
            let accepted =
                requests.iter().filter(|request| request.status.is_some_and(|status| status / 100 == 2)).count();
            return if accepted as u64 == *wanted {
                Ok(())
            } else {
                Err(wrong(self.wanted(), format!("{accepted} of {} accepted", requests.len())))
            };
        }
        let actual = self.subject.value(run).map_err(|why| wrong(self.wanted(), why))?;
        let holds = self.holds(&actual, run).map_err(|why| wrong(self.wanted(), why))?;
        if holds { Ok(()) } else { Err(self.mismatch(&actual, run)) }
    }

    fn subject_text(&self) -> String {
        self.text.get(..self.span.end - self.span.start).unwrap_or(&self.text).to_owned()
    }

    /// The check in words.
    fn wanted(&self) -> String {
        let text = self.text.get(self.span.end - self.span.start..).unwrap_or_default().trim();
        if text.is_empty() { "true".to_owned() } else { text.to_owned() }
    }

    fn holds(&self, actual: &Value, run: &dyn RunView) -> Result<bool, String> {
        Ok(match &self.check {
            Check::Holds => *actual == Value::Bool(true),
            Check::Count(wanted) => match actual {
                Value::Array(items) => items.len() as u64 == *wanted,
                other => return Err(format!("not a list that could be counted: {}", shown(other))),
            },
            Check::Accepted(_) => return Err("`accepted` is for a sink".to_owned()),
            Check::Equals(wanted) => same(actual, &filled(wanted, run)?),
            Check::Differs(wanted) => !same(actual, &filled(wanted, run)?),
            Check::Contains(wanted) => contains(actual, &filled(wanted, run)?)?,
            Check::Matches(pattern) => match actual {
                Value::String(text) => Regex::new(pattern).map_err(|why| why.to_string())?.is_match(text),
                other => return Err(format!("not a text: {}", shown(other))),
            },
            Check::Compares(order, wanted) => compares(*order, actual, &filled(wanted, run)?)?,
        })
    }

    fn mismatch(&self, actual: &Value, run: &dyn RunView) -> Mismatch {
        let subject = self.subject_text();
        match (&self.check, actual) {
            (Check::Equals(wanted), _) => {
                let wanted = filled(wanted, run).unwrap_or_else(|_| wanted.clone());
                Mismatch::new(subject, shown(&wanted), shown(actual))
            }
            (Check::Count(wanted), Value::Array(items)) => {
                let first: Vec<String> = items.iter().take(COUNTED_SHOWN).map(Value::to_string).collect();
                let more = items.len().saturating_sub(COUNTED_SHOWN);
                let rest = if more > 0 { format!("\n… and {more} more") } else { String::new() };
                Mismatch::new(
                    subject,
                    format!("count {wanted}"),
                    format!("count {}\n{}{rest}", items.len(), first.join("\n")),
                )
            }
            _ => Mismatch::new(subject, self.wanted(), shown(actual)),
        }
    }
}

/// Elements of a list that are shown where their number is wrong.
const COUNTED_SHOWN: usize = 10;

impl Subject {
    fn value(&self, run: &dyn RunView) -> Result<Value, String> {
        match self {
            Self::Path(path) => jmes::search(path, &document(path, run)?),
            Self::Calls(calls) => Ok(calls.select(run)),
            Self::Invocations(invocations) => invocations.select(run),
            Self::Queue { name, state } => queue(run, name, *state),
            Self::Logs { group } => {
                run.logs(group).map(Value::from).ok_or_else(|| format!("there is no log group `{group}`"))
            }
        }
    }
}

/// The messages of a queue as a list of their states. Those in the dead-letter queue are another queue's, unless they are
/// asked for.
fn queue(run: &dyn RunView, name: &str, wanted: Option<MessageState>) -> Result<Value, String> {
    let held = run.queue(name).ok_or_else(|| format!("there is no queue `{name}`"))?;
    let dead = match (wanted, held.dead) {
        (Some(MessageState::Dead), None) => return Err(format!("the queue `{name}` has no dead-letter queue")),
        (Some(MessageState::Dead), Some(dead)) => dead,
        _ => 0,
    };
    let states = [
        (MessageState::Visible, held.visible),
        (MessageState::InFlight, held.in_flight),
        (MessageState::Delayed, held.delayed),
        (MessageState::Dead, dead),
    ];
    let meant = states.into_iter().filter(|(state, _)| wanted.is_none_or(|wanted| wanted == *state));
    Ok(meant.flat_map(|(state, count)| std::iter::repeat_n(Value::from(state.name()), count)).collect())
}

/// What JMESPath sees: only the names that the expression asks for, since a run may hold much.
fn document(path: &str, run: &dyn RunView) -> Result<Value, String> {
    let mut document = Map::new();
    for root in jmes::roots(path)? {
        let value = if root == "stack" {
            let outputs: Map<String, Value> =
                run.stack_outputs().into_iter().map(|(key, value)| (key, value.into())).collect();
            json!({ "outputs": outputs })
        } else if let Some(requests) = run.sink(&root) {
            requests.into_iter().map(|request| request.body).collect()
        } else {
            run.variable(&root)
                .map(Value::String)
                .ok_or_else(|| format!("nothing is known as `{root}` at this step"))?
        };
        document.insert(root, value);
    }
    Ok(Value::Object(document))
}

impl Calls {
    fn select(&self, run: &dyn RunView) -> Value {
        let from = if self.since_mark { run.marked() } else { 0 };
        let meant = |record: &&Record| {
            self.calls.covers(&record.service, &record.operation)
                && self.by.as_ref().is_none_or(|by| record.function().is_some_and(|function| function == by))
                && self.answered.as_ref().is_none_or(|answer| {
                    record.status.is_some_and(|status| status.to_string() == *answer)
                        || record.code.as_ref() == Some(answer)
                })
        };
        run.records().iter().skip(from).filter(meant).map(Record::summary).map(Value::String).collect()
    }
}

impl Invocations {
    fn select(&self, run: &dyn RunView) -> Result<Value, String> {
        let all = run.invocations(&self.function).ok_or_else(|| format!("there is no function `{}`", self.function))?;
        let from = if self.since_mark { run.marked() } else { 0 };
        let meant = all.into_iter().filter(|invocation| {
            (!self.since_mark || invocation.records_before >= from)
                && self.failed.is_none_or(|failed| invocation.failed == Some(failed))
        });
        Ok(meant.map(|invocation| Value::String(invocation.summary())).collect())
    }
}

/// The wanted value with the names in its texts filled in.
fn filled(value: &Value, run: &dyn RunView) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => {
            let template = Template::parse(text, 0).map_err(|problem| problem.message)?;
            Value::String(template.render(&|name| run.name(name)).map_err(|problem| problem.message)?)
        }
        Value::Array(items) => items.iter().map(|item| filled(item, run)).collect::<Result<_, _>>()?,
        Value::Object(members) => {
            let filled = members.iter().map(|(key, member)| Ok((key.clone(), filled(member, run)?)));
            Value::Object(filled.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

/// Equality as JSON means it: `1` and `1.0` are the same number, and members have no order.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => order(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i128(), b.as_i128()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn compares(wanted: Order, a: &Value, b: &Value) -> Result<bool, String> {
    let order =
        order(a, b).ok_or_else(|| format!("neither two numbers nor two texts: {} and {}", shown(a), shown(b)))?;
    Ok(match wanted {
        Order::Less => order.is_lt(),
        Order::LessOrEqual => order.is_le(),
        Order::Greater => order.is_gt(),
        Order::GreaterOrEqual => order.is_ge(),
    })
}

fn contains(actual: &Value, wanted: &Value) -> Result<bool, String> {
    match (actual, wanted) {
        (Value::String(text), Value::String(part)) => Ok(text.contains(part.as_str())),
        (Value::Array(items), wanted) => Ok(items.iter().any(|item| {
            let inside =
                matches!((item, wanted), (Value::String(text), Value::String(part)) if text.contains(part.as_str()));
            inside || same(item, wanted)
        })),
        (other, _) => Err(format!("neither a list nor a text that could hold a text: {}", shown(other))),
    }
}
