//! From the text after `expect` to a subject and a check.

use regex::Regex;
use serde_json::Value;

use super::{Check, Expectation, Order, Subject};
use crate::scenario::script::diagnostic::{Problem, Span};
use crate::scenario::script::lexer::Words;
use crate::scenario::script::suggest::closest;
use crate::scenario::script::template::{Scope, Template};

/// The words between a subject and what it is compared with.
const OPERATORS: [&str; 10] = ["count", "accepted", "==", "!=", "contains", "matches", "<=", ">=", "<", ">"];

impl Expectation {
    /// Reads what stands after `expect`, at byte `offset` of the script.
    ///
    /// # Errors
    /// What is not a subject, an operator or a JSON value, at its place.
    pub fn parse(text: &str, offset: usize) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::new(Span::new(offset, offset), "`expect` needs something to look at"));
        }
        let (left, operator) = match operator(text) {
            Some((at, operator)) => (text[..at].trim_end(), Some((at, operator))),
            None => (text, None),
        };
        if left.is_empty() {
            return Err(Problem::new(Span::of(text, offset), "there is nothing before the comparison"));
        }
        let subject = Subject::parse(left, offset)
            .map_err(|problem| misspelt_operator(text, offset, operator).unwrap_or(problem))?;
        let check = match operator {
            Some((at, operator)) => {
                let right = &text[at + operator.len()..];
                let start = at + operator.len() + (right.len() - right.trim_start().len());
                check(operator, right.trim(), offset + start)?
            }
            None if matches!(subject, Subject::Path(_)) => Check::Holds,
            None => {
                let end = Span::new(offset + text.len(), offset + text.len());
                return Err(Problem::new(end, "what is expected of it is missing here").help("for instance `count 1`"));
            }
        };
        if matches!(check, Check::Accepted(_)) && !matches!(&subject, Subject::Path(path) if super::jmes::is_name(path))
        {
            return Err(Problem::new(Span::of(left, offset), "`accepted` is for a sink's name alone"));
        }
        Ok(Self { subject, check, text: text.to_owned(), span: Span::of(left, offset) })
    }

    /// Refuses names that are not known where it stands.
    pub(crate) fn check_scope(&self, scope: &Scope) -> Result<(), Problem> {
        self.subject.check_scope(scope, self.span)?;
        let value = match &self.check {
            Check::Equals(value) | Check::Differs(value) | Check::Contains(value) | Check::Compares(_, value) => value,
            _ => return Ok(()),
        };
        let whole = Span::of(&self.text, self.span.start);
        texts(value).into_iter().try_for_each(|text| {
            let template = Template::parse(text, whole.start).map_err(|problem| Problem { span: whole, ..problem })?;
            scope.check(&template.at(whole))
        })
    }
}

/// A path that does not parse because the word after it was meant as an operator.
fn misspelt_operator(text: &str, offset: usize, found: Option<(usize, &str)>) -> Option<Problem> {
    let word = Words::new(text, offset).nth(1).filter(|_| found.is_none())?;
    let near = closest(word.text, OPERATORS)?;
    Some(
        Problem::new(word.span, format!("`{}` is not a comparison", word.text)).help(format!("did you mean `{near}`?")),
    )
}

/// The first operator outside quotes and brackets, between blanks.
fn operator(text: &str) -> Option<(usize, &'static str)> {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut previous = 'x';
    for (at, letter) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if letter == '\\' => escaped = true,
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None => match letter {
                '"' | '\'' | '`' => quote = Some(letter),
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ if depth == 0 && previous.is_whitespace() => {
                    let ends =
                        |operator: &&str| text[at + operator.len()..].chars().next().is_none_or(char::is_whitespace);
                    let found =
                        OPERATORS.into_iter().find(|operator| text[at..].starts_with(operator) && ends(operator));
                    if let Some(operator) = found {
                        return Some((at, operator));
                    }
                }
                _ => {}
            },
        }
        previous = letter;
    }
    None
}

fn check(operator: &str, right: &str, offset: usize) -> Result<Check, Problem> {
    let span = Span::of(right, offset);
    if right.is_empty() {
        return Err(Problem::new(span, format!("what follows `{operator}` is missing here")));
    }
    let number = || right.parse().map_err(|_| Problem::new(span, format!("`{right}` is not a number of things")));
    let json = || {
        serde_json::from_str::<Value>(right).map_err(|why| {
            Problem::new(span, format!("the right side is not JSON: {why}"))
                .help("text stands in double quotes; a longer comparison in JMESPath stands in parentheses")
        })
    };
    Ok(match operator {
        "count" => Check::Count(number()?),
        "accepted" => Check::Accepted(number()?),
        "==" => Check::Equals(json()?),
        "!=" => Check::Differs(json()?),
        "contains" => Check::Contains(json()?),
        "<" => Check::Compares(Order::Less, json()?),
        "<=" => Check::Compares(Order::LessOrEqual, json()?),
        ">" => Check::Compares(Order::Greater, json()?),
        ">=" => Check::Compares(Order::GreaterOrEqual, json()?),
        _ => Check::Matches(regular_expression(right, span)?),
    })
}

fn regular_expression(right: &str, span: Span) -> Result<String, Problem> {
    let inside = right.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|inside| !inside.is_empty());
    let inside = inside.ok_or_else(|| Problem::new(span, "a regular expression stands between `/` and `/`"))?;
    let pattern = inside.replace("\\/", "/");
    match Regex::new(&pattern) {
        Ok(_) => Ok(pattern),
        Err(regex::Error::Syntax(why)) => {
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(Problem::new(span, format!("this is not a regular expression: {why}")))
        }
        Err(why) => Err(Problem::new(span, format!("this regular expression is refused: {why}"))),
    }
}

/// All texts in a value. The depth is bounded: serde_json reads no deeper than 128 levels.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
