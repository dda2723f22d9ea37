//! Rules of composite alarms: the states of other alarms, joined by AND, OR and NOT.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html>

use std::collections::BTreeSet;

use super::alarm::State;
use crate::cloudwatch::validation;
use crate::{Error, Result};

/// How deeply a rule may be nested.
const MAX_DEPTH: usize = 100;
/// A rule refers to at most so many alarms.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html>
const MAX_CHILDREN: usize = 100;

/// A rule that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rule {
    Constant(bool),
    /// The alarm of this name or ARN is in this state.
    Is(State, String),
    Not(Box<Rule>),
    /// Whether all have to hold, or one of them.
    Joined(bool, Vec<Rule>),
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// `ValidationError` for what is none; `NotImplemented` for `AT_LEAST`.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() || text.trim() != text {
            return Err(validation("AlarmRule must not contain leading or trailing whitespace or be null"));
        }
        let mut parser = Parser { rest: text };
        let rule = parser.any(0)?;
        if !parser.rest.is_empty() {
            return Err(parser.unexpected());
        }
        if rule.children().len() > MAX_CHILDREN {
            return Err(validation(format!("AlarmRule must not refer to more than {MAX_CHILDREN} alarms")));
        }
        Ok(rule)
    }

    /// The names of the alarms that it refers to.
    pub fn children(&self) -> BTreeSet<&str> {
        match self {
            Self::Constant(_) => BTreeSet::new(),
            Self::Is(_, alarm) => BTreeSet::from([name_of(alarm)]),
            Self::Not(rule) => rule.children(),
            Self::Joined(_, rules) => rules.iter().flat_map(Self::children).collect(),
        }
    }

    /// Whether it holds, by the state that each alarm is in.
    pub fn holds(&self, state: &dyn Fn(&str) -> Option<State>) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::Is(wanted, alarm) => state(name_of(alarm)) == Some(*wanted),
            Self::Not(rule) => !rule.holds(state),
            Self::Joined(true, rules) => rules.iter().all(|rule| rule.holds(state)),
            Self::Joined(false, rules) => rules.iter().any(|rule| rule.holds(state)),
        }
    }
}

/// The name of an alarm that may be given by its ARN.
fn name_of(alarm: &str) -> &str {
    let arn = alarm.starts_with("arn:").then(|| alarm.splitn(7, ':').nth(6)).flatten();
    arn.unwrap_or(alarm)
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    /// One of several.
    fn any(&mut self, depth: usize) -> Result<Rule> {
        self.joined(depth, "OR", false, Self::all)
    }

    fn all(&mut self, depth: usize) -> Result<Rule> {
        self.joined(depth, "AND", true, Self::single)
    }

    fn joined(
        &mut self,
        depth: usize,
        operator: &str,
        all: bool,
        part: fn(&mut Self, usize) -> Result<Rule>,
    ) -> Result<Rule> {
        let first = part(self, depth)?;
        if !self.takes_word(operator) {
            return Ok(first);
        }
        let mut rules = vec![first, part(self, depth)?];
        while self.takes_word(operator) {
            rules.push(part(self, depth)?);
        }
        Ok(Rule::Joined(all, rules))
    }

    fn single(&mut self, depth: usize) -> Result<Rule> {
        if depth > MAX_DEPTH {
            return Err(validation(format!("AlarmRule must not be nested more than {MAX_DEPTH} deep")));
        }
        if self.takes_word("NOT") {
            return Ok(Rule::Not(Box::new(self.single(depth + 1)?)));
        }
        if self.takes("(") {
            let rule = self.any(depth + 1)?;
            return if self.takes(")") { Ok(rule) } else { Err(self.unexpected()) };
        }
        if self.takes_word("TRUE") {
            return Ok(Rule::Constant(true));
        }
        if self.takes_word("FALSE") {
            return Ok(Rule::Constant(false));
        }
        if self.takes_word("AT_LEAST") {
            return Err(Error::not_implemented("AT_LEAST in the rule of a composite alarm"));
        }
        for state in [State::Alarm, State::Ok, State::InsufficientData] {
            if self.takes_word(state.name()) {
                return Ok(Rule::Is(state, self.argument()?));
            }
        }
        Err(self.unexpected())
    }

    /// The name or ARN in brackets, in quotes or without.
    fn argument(&mut self) -> Result<String> {
        if !self.takes("(") {
            return Err(self.unexpected());
        }
        let quote = self.rest.chars().next().filter(|first| matches!(first, '"' | '\''));
        let (alarm, rest) = match quote {
            Some(quote) => self.rest[1..].split_once(quote).ok_or_else(|| self.unexpected())?,
            None => {
                let end = self.rest.find(')').ok_or_else(|| self.unexpected())?;
                (self.rest[..end].trim_end(), &self.rest[end..])
            }
        };
        if alarm.is_empty() {
            return Err(self.unexpected());
        }
        let alarm = alarm.to_owned();
        self.rest = rest.trim_start();
        if self.takes(")") { Ok(alarm) } else { Err(self.unexpected()) }
    }

    fn takes(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest.trim_start();
        true
    }

    /// The same for a word, which ends where it ends.
    fn takes_word(&mut self, word: &str) -> bool {
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        self.rest.strip_prefix(word).is_some_and(ends) && self.takes(word)
    }

    fn unexpected(&self) -> Error {
        let place: String = self.rest.chars().take(20).collect();
        let place = if place.is_empty() { "its end".to_owned() } else { format!("\"{place}\"") };
        validation(format!("AlarmRule is not a valid rule expression, at {place}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn holds(text: &str) -> bool {
        let state = |name: &str| match name {
            "a" | "with space" => Some(State::Alarm),
            "b" => Some(State::Ok),
            "c" => Some(State::InsufficientData),
            _ => None,
        };
        Rule::parse(text).unwrap().holds(&state)
    }

    #[test]
    fn what_holds() {
        for text in [
            "TRUE",
            "ALARM(a)",
            "ALARM( a ) AND OK(b)",
            "ALARM(\"with space\")",
            "ALARM('arn:aws:cloudwatch:us-east-1:123456789012:alarm:a')",
            "NOT ALARM(b)",
            "ALARM(b) AND ALARM(b) OR ALARM(a)",
            "INSUFFICIENT_DATA(c) AND NOT (ALARM(b) OR OK(a))",
        ] {
            assert!(holds(text), "{text}");
        }
        for text in ["FALSE", "ALARM(b)", "ALARM(b) AND (ALARM(b) OR ALARM(a))", "NOT NOT ALARM(b)", "OK(a) OR OK(c)"] {
            assert!(!holds(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_rule() {
        let deep = format!("{}TRUE{}", "(".repeat(200), ")".repeat(200));
        for text in
            ["", " TRUE", "ALARM", "ALARM()", "ALARM(a", "ALARM(\"a)", "ALARM(a) OK(b)", "ALARMS(a)", "(TRUE", &deep]
        {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
        assert_eq!(Rule::parse("AT_LEAST(1, ALARM, (a, b))").unwrap_err().status(), 501);
    }

    #[test]
    fn the_alarms_of_a_rule() {
        let rule = Rule::parse("ALARM(b) AND NOT (OK(a) OR ALARM(b))").unwrap();
        assert_eq!(rule.children().into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }
}
