//! The `Conditions` section, evaluated once before anything is created.

use std::collections::BTreeMap;

use serde_json::Value;

use super::resolve::{Lookup, Resolver};
use super::{MAX_DEPTH, Template, format_error, scalar_text, template_error};
use crate::Result;

/// The least and the greatest number of conditions of `Fn::And` and `Fn::Or` (user guide, condition functions).
pub(super) const OPERANDS: std::ops::RangeInclusive<usize> = 2..=10;

/// Whether each condition of the template holds. `lookup` answers for parameters, pseudo parameters and mappings; its
/// [`Lookup::condition`] is not asked.
///
/// # Errors
/// `ValidationError` for malformed, unknown and circular conditions.
pub fn evaluate(template: &Template, lookup: &dyn Lookup) -> Result<BTreeMap<String, bool>> {
    let mut work = Evaluation { template, resolver: Resolver::new(lookup), known: BTreeMap::new(), open: Vec::new() };
    for name in template.conditions.keys() {
        work.named(name)?;
    }
    Ok(work.known)
}

struct Evaluation<'a> {
    template: &'a Template,
    resolver: Resolver<'a>,
    known: BTreeMap<String, bool>,
    /// Conditions whose evaluation waits for the present one.
    open: Vec<String>,
}

impl Evaluation<'_> {
    fn named(&mut self, name: &str) -> Result<bool> {
        if let Some(known) = self.known.get(name) {
            return Ok(*known);
        }
        let template = self.template;
        let Some(condition) = template.conditions.get(name) else {
            let text = format!("Unresolved condition dependency {name} in the Conditions block of the template");
            return Err(format_error(text));
        };
        if self.open.iter().any(|open| open == name) || self.open.len() >= MAX_DEPTH {
            return Err(format_error(format!("Circular dependency in the Conditions block of the template: {name}")));
        }
        self.open.push(name.to_owned());
        let holds = self.holds(condition, 0)?;
        self.open.pop();
        self.known.insert(name.to_owned(), holds);
        Ok(holds)
    }

    fn holds(&mut self, condition: &Value, depth: usize) -> Result<bool> {
        let member = condition.as_object().filter(|members| members.len() == 1).and_then(|m| m.iter().next());
        let Some((function, argument)) = member.filter(|_| depth <= MAX_DEPTH) else { return Err(malformed()) };
        let operands = argument.as_array().map_or(&[] as &[Value], Vec::as_slice);
        match (function.as_str(), operands) {
            ("Condition", _) => self.named(argument.as_str().ok_or_else(malformed)?),
            ("Fn::Equals", [left, right]) => {
                let left = self.resolver.resolve(left)?;
                let right = self.resolver.resolve(right)?;
                // Numbers and booleans compare as their texts: a parameter's value is always text.
                Ok(match (scalar_text(&left), scalar_text(&right)) {
                    (Some(left), Some(right)) => left == right,
                    _ => left == right,
                })
            }
            ("Fn::Not", [operand]) => Ok(!self.holds(operand, depth + 1)?),
            ("Fn::And", _) if OPERANDS.contains(&operands.len()) => {
                let all: Vec<bool> = operands.iter().map(|one| self.holds(one, depth + 1)).collect::<Result<_>>()?;
                Ok(all.into_iter().all(|holds| holds))
            }
            ("Fn::Or", _) if OPERANDS.contains(&operands.len()) => {
                let all: Vec<bool> = operands.iter().map(|one| self.holds(one, depth + 1)).collect::<Result<_>>()?;
                Ok(all.into_iter().any(|holds| holds))
            }
            ("Fn::Equals", _) => Err(template_error("every Fn::Equals object requires a list of 2 string parameters.")),
            ("Fn::Not", _) => Err(template_error("every Fn::Not object requires a list of 1 boolean parameter.")),
            ("Fn::And" | "Fn::Or", _) => Err(template_error(format!(
                "every {function} object requires a list of at least 2 and at most 10 boolean parameters."
            ))),
            _ => Err(malformed()),
        }
    }
}

fn malformed() -> crate::Error {
    format_error("Every Condition member must be a condition function.")
}
