//! Renders a template.

use std::ops::ControlFlow;

use indexmap::IndexMap;

use crate::ast::{Expression, Node, Operator, Reference, Step};
use crate::{Error, LOOP_LIMIT, OUTPUT_LIMIT, STEP_LIMIT, Value, Variables, arithmetic, methods};

/// Why the rest of a block is not rendered.
enum Leave {
    Loop,
    Template,
}

struct Renderer<'a> {
    variables: &'a mut Variables,
    steps: usize,
}

/// Renders nodes with these variables.
pub(crate) fn render(nodes: &[Node], variables: &mut Variables) -> Result<String, Error> {
    let mut out = String::new();
    let _ = Renderer { variables, steps: 0 }.block(nodes, &mut out)?;
    Ok(out)
}

impl Renderer<'_> {
    fn block(&mut self, nodes: &[Node], out: &mut String) -> Result<ControlFlow<Leave>, Error> {
        for node in nodes {
            self.step()?;
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Reference(reference) => self.print(reference, out)?,
                Node::Set { target, value } => self.set(target, value)?,
                Node::If { branches, otherwise } => {
                    let mut chosen = otherwise;
                    for (test, body) in branches {
                        if self.evaluate(test)?.is_true() {
                            chosen = body;
                            break;
                        }
                    }
                    if let ControlFlow::Break(leave) = self.block(chosen, out)? {
                        return Ok(ControlFlow::Break(leave));
                    }
                }
                Node::Foreach { variable, list, body } => {
                    if let ControlFlow::Break(leave) = self.foreach(variable, list, body, out)? {
                        return Ok(ControlFlow::Break(leave));
                    }
                }
                Node::Break => return Ok(ControlFlow::Break(Leave::Loop)),
                Node::Stop => return Ok(ControlFlow::Break(Leave::Template)),
            }
            if out.len() > OUTPUT_LIMIT {
                return Err(Error::Limit("10 MiB of output"));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn step(&mut self) -> Result<(), Error> {
        self.steps += 1;
        if self.steps > STEP_LIMIT { Err(Error::Limit("steps of one rendering")) } else { Ok(()) }
    }

    fn print(&mut self, reference: &Reference, out: &mut String) -> Result<(), Error> {
        let value = self.value(reference)?;
        let backslashes = reference.backslashes;
        if matches!(value, Value::Null) {
            out.extend(std::iter::repeat_n('\\', backslashes));
            // API Gateway prints nothing for a null; Velocity's way is left for names that stand for nothing at all.
            if !reference.quiet && (backslashes > 0 || !self.variables.contains_key(&reference.name)) {
                out.push_str(&reference.source);
            }
            return Ok(());
        }
        out.extend(std::iter::repeat_n('\\', backslashes / 2));
        if backslashes % 2 == 1 {
            out.push_str(&reference.source);
        } else {
            out.push_str(&value.text());
        }
        Ok(())
    }

    /// Velocity leaves a variable as it is when there is no value for it; one that there was not is null then.
    fn set(&mut self, target: &Reference, value: &Expression) -> Result<(), Error> {
        let value = self.evaluate(value)?;
        if matches!(value, Value::Null) {
            if target.steps.is_empty() {
                self.variables.entry(target.name.clone()).or_insert(Value::Null);
            }
            return Ok(());
        }
        let Some((last, before)) = target.steps.split_last() else {
            self.variables.insert(target.name.clone(), value);
            return Ok(());
        };
        let holder = self.follow(&target.name, before)?;
        let key = match last {
            Step::Property(name) => Value::from(&**name),
            Step::Index(index) => self.evaluate(index)?,
            Step::Method(name, _) => return Err(Error::Method(format!("what {name}() gives cannot be set"))),
        };
        match (&holder, &key) {
            (Value::Map(entries), key) => {
                entries.borrow_mut().insert(key.text(), value);
            }
            (Value::List(elements), Value::Integer(index)) => {
                let mut elements = elements.borrow_mut();
                let place = usize::try_from(*index).ok().and_then(|index| elements.get_mut(index));
                *place.ok_or_else(|| Error::Method(format!("the list has no element {index}")))? = value;
            }
            _ => {
                return Err(Error::Method(format!("{} cannot be set: {} has no places", target.source, holder.kind())));
            }
        }
        Ok(())
    }

    fn foreach(
        &mut self,
        variable: &str,
        list: &Expression,
        body: &[Node],
        out: &mut String,
    ) -> Result<ControlFlow<Leave>, Error> {
        let elements = match self.evaluate(list)? {
            Value::Null => return Ok(ControlFlow::Continue(())),
            Value::List(elements) => elements.borrow().clone(),
            Value::Map(entries) => entries.borrow().values().cloned().collect(),
            other => return Err(Error::Method(format!("#foreach cannot go through {}", other.kind()))),
        };
        if elements.len() > LOOP_LIMIT {
            return Err(Error::Limit("1,000 rounds of a #foreach"));
        }
        let outer = ["foreach", "velocityCount", variable].map(|name| (name, self.variables.get(name).cloned()));
        let mut left = ControlFlow::Continue(());
        let count = elements.len();
        for (index, element) in elements.into_iter().enumerate() {
            self.step()?;
            self.variables.insert(variable.to_owned(), element);
            self.variables.insert("velocityCount".to_owned(), Value::Integer(index as i64 + 1));
            self.variables.insert("foreach".to_owned(), round(index, count));
            match self.block(body, out)? {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(Leave::Loop) => break,
                ControlFlow::Break(Leave::Template) => {
                    left = ControlFlow::Break(Leave::Template);
                    break;
                }
            }
        }
        for (name, value) in outer {
            match value {
                Some(value) => self.variables.insert(name.to_owned(), value),
                None => self.variables.remove(name),
            };
        }
        Ok(left)
    }

    fn value(&mut self, reference: &Reference) -> Result<Value, Error> {
        self.follow(&reference.name, &reference.steps)
    }

    fn follow(&mut self, name: &str, steps: &[Step]) -> Result<Value, Error> {
        let mut value = self.variables.get(name).cloned().unwrap_or(Value::Null);
        for step in steps {
            self.step()?;
            if matches!(value, Value::Null) {
                return Ok(Value::Null);
            }
            value = match step {
                Step::Property(name) => methods::property(&value, name),
                Step::Index(index) => methods::element(&value, &self.evaluate(index)?),
                Step::Method(name, arguments) => {
                    let arguments: Vec<_> =
                        arguments.iter().map(|argument| self.evaluate(argument)).collect::<Result<_, _>>()?;
                    methods::call(&value, name, &arguments)?
                }
            };
        }
        Ok(value)
    }

    fn evaluate(&mut self, expression: &Expression) -> Result<Value, Error> {
        self.step()?;
        Ok(match expression {
            Expression::Null => Value::Null,
            Expression::Boolean(value) => Value::Boolean(*value),
            Expression::Integer(number) => Value::Integer(*number),
            Expression::Float(number) => Value::Float(*number),
            Expression::Text(text) => Value::from(&**text),
            Expression::Interpolated(nodes) => {
                let mut text = String::new();
                let _ = self.block(nodes, &mut text)?;
                Value::from(text)
            }
            Expression::Reference(reference) => self.value(reference)?,
            Expression::List(elements) => {
                Value::list(elements.iter().map(|element| self.evaluate(element)).collect::<Result<_, _>>()?)
            }
            Expression::Range(first, last) => self.range(first, last)?,
            Expression::Map(entries) => {
                let mut map = IndexMap::new();
                for (key, value) in entries {
                    map.insert(self.evaluate(key)?.text(), self.evaluate(value)?);
                }
                Value::map(map)
            }
            Expression::Not(inner) => Value::Boolean(!self.evaluate(inner)?.is_true()),
            Expression::Negative(inner) => {
                arithmetic::binary(Operator::Subtract, &Value::Integer(0), &self.evaluate(inner)?)
            }
            Expression::Binary(Operator::Or, left, right) => {
                Value::Boolean(self.evaluate(left)?.is_true() || self.evaluate(right)?.is_true())
            }
            Expression::Binary(Operator::And, left, right) => {
                Value::Boolean(self.evaluate(left)?.is_true() && self.evaluate(right)?.is_true())
            }
            Expression::Binary(operator, left, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                let value = arithmetic::binary(*operator, &left, &right);
                // A text that is doubled in a loop must not outgrow what may be printed.
                if let Value::Text(text) = &value
                    && text.len() > OUTPUT_LIMIT
                {
                    return Err(Error::Limit("10 MiB of text"));
                }
                value
            }
        })
    }

    /// `[1..5]`, or downwards.
    fn range(&mut self, first: &Expression, last: &Expression) -> Result<Value, Error> {
        let (Value::Integer(first), Value::Integer(last)) = (self.evaluate(first)?, self.evaluate(last)?) else {
            return Ok(Value::Null);
        };
        if first.abs_diff(last) >= LOOP_LIMIT as u64 {
            return Err(Error::Limit("1,000 elements of a range"));
        }
        let numbers: Vec<_> = if first <= last {
            (first..=last).map(Value::Integer).collect()
        } else {
            (last..=first).rev().map(Value::Integer).collect()
        };
        self.steps += numbers.len();
        Ok(Value::list(numbers))
    }
}

/// `$foreach` within a round.
fn round(index: usize, count: usize) -> Value {
    let entries = [
        ("index", Value::Integer(index as i64)),
        ("count", Value::Integer(index as i64 + 1)),
        ("hasNext", Value::Boolean(index + 1 < count)),
        ("first", Value::Boolean(index == 0)),
        ("last", Value::Boolean(index + 1 == count)),
    ];
    Value::map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
