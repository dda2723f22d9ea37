//! A query's commands and expressions, from its words.

use regex::{Regex, RegexBuilder};

use super::aggregate::Aggregation;
use super::functions::{self, Function};
use super::lex::{Token, Word, malformed, words};
use crate::Result;

/// How deep expressions may nest: the limit is ours.
const MAX_DEPTH: usize = 32;
/// What a compiled regular expression may take, in bytes.
const REGEX_SIZE: usize = 1 << 20;
/// `limit` takes at most this many.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Limit.html>
const MAX_LIMIT: usize = 10_000;

/// A step of a query.
#[derive(Debug)]
pub(super) enum Command {
    Fields(Vec<Named>),
    Display(Vec<Named>),
    Filter(Expression),
    Parse {
        field: String,
        how: Extraction,
        names: Vec<String>,
    },
    Stats {
        aggregations: Vec<Named>,
        by: Vec<Named>,
    },
    /// Whether each goes down.
    Sort(Vec<(Expression, bool)>),
    Limit(usize),
    Dedup(Vec<String>),
}

/// How `parse` takes a text apart.
#[derive(Debug)]
pub(super) enum Extraction {
    /// By what stands between asterisks.
    Glob(Regex),
    /// By named groups.
    Groups(Regex),
}

/// An expression and what its value is called.
#[derive(Debug)]
pub(super) struct Named {
    pub name: String,
    pub expression: Expression,
}

/// An expression.
#[derive(Debug)]
pub(super) enum Expression {
    Field(String),
    Number(f64),
    Text(String),
    Period(i64),
    Call(Function, Vec<Expression>),
    /// A point in time, rounded down to a period in milliseconds.
    Bin(Option<Box<Expression>>, i64),
    Now,
    Aggregate(Aggregation, Vec<Expression>),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    /// Left, right, and whether all must hold.
    Logic(Vec<Expression>, bool),
    Binary(Box<Expression>, &'static str, Box<Expression>),
    Matches(Box<Expression>, Regex),
    Contains(Box<Expression>, Box<Expression>),
    In(Box<Expression>, Vec<Expression>),
}

/// Reads a query.
pub(super) fn parse(text: &str) -> Result<Vec<Command>> {
    let words = words(text)?;
    let mut parser = Parser { text, words: &words, at: 0 };
    let mut commands = Vec::new();
    loop {
        commands.push(parser.command()?);
        if parser.at == words.len() {
            break;
        }
        parser.expect("|")?;
    }
    if let Some(place) = commands.iter().position(|command| matches!(command, Command::Dedup(_)))
        && commands[place + 1..].iter().any(|command| !matches!(command, Command::Limit(_)))
    {
        return Err(malformed(0, text.len(), "only limit may follow dedup"));
    }
    Ok(commands)
}

struct Parser<'a> {
    text: &'a str,
    words: &'a [Word],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.words.get(self.at).map(|word| &word.token)
    }

    fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    /// What is wrong here.
    fn wrong<T>(&self, what: impl Into<String>) -> Result<T> {
        let (start, end) = match self.words.get(self.at) {
            Some(word) => (word.start, word.end),
            None => (self.text.len(), self.text.len()),
        };
        Err(malformed(start, end, what))
    }

    fn unexpected<T>(&self) -> Result<T> {
        match self.words.get(self.at) {
            Some(word) => self
                .wrong(format!("unexpected symbol found {}", self.text.get(word.start..word.end).unwrap_or_default())),
            None => self.wrong("unexpected end of the query"),
        }
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(found)) if *found == sign)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<()> {
        if self.take_sign(sign) { Ok(()) } else { self.unexpected() }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Name(found)) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn command(&mut self) -> Result<Command> {
        let Some(Token::Name(name)) = self.peek() else { return self.unexpected() };
        let name = name.to_ascii_lowercase();
        self.at += 1;
        match name.as_str() {
            "fields" => Ok(Command::Fields(self.named_list()?)),
            "display" => Ok(Command::Display(self.named_list()?)),
            "filter" => Ok(Command::Filter(self.expression(0)?)),
            "parse" => self.extraction(),
            "stats" => self.stats(),
            "sort" => self.sort(),
            "dedup" => Ok(Command::Dedup(self.names()?)),
            "limit" => match self.peek() {
                Some(Token::Number(number)) if (1.0..=MAX_LIMIT as f64).contains(number) && number.fract() == 0.0 => {
                    self.at += 1;
                    Ok(Command::Limit(*number as usize))
                }
                _ => self.wrong(format!("limit takes a number from 1 to {MAX_LIMIT}")),
            },
            _ => {
                self.at -= 1;
                self.wrong(format!("Garoa does not implement the command {name} of Logs Insights"))
            }
        }
    }

    fn name(&mut self) -> Result<String> {
        match self.peek() {
            Some(Token::Name(name) | Token::Field(name)) => {
                self.at += 1;
                Ok(name.clone())
            }
            _ => self.unexpected(),
        }
    }

    fn names(&mut self) -> Result<Vec<String>> {
        let mut names = vec![self.name()?];
        while self.take_sign(",") {
            names.push(self.name()?);
        }
        Ok(names)
    }

    fn named_list(&mut self) -> Result<Vec<Named>> {
        let mut list = vec![self.named()?];
        while self.take_sign(",") {
            list.push(self.named()?);
        }
        Ok(list)
    }

    /// An expression, called by its own text or as it says.
    fn named(&mut self) -> Result<Named> {
        let first = self.at;
        let expression = self.expression(0)?;
        let name = if self.take_word("as") {
            self.name()?
        } else if let Expression::Field(name) = &expression {
            name.clone()
        } else {
            let place = |at: usize| self.words.get(at);
            let (start, end) =
                (place(first).map_or(0, |word| word.start), place(self.at - 1).map_or(0, |word| word.end));
            self.text.get(start..end).unwrap_or_default().to_owned()
        };
        Ok(Named { name, expression })
    }

    fn stats(&mut self) -> Result<Command> {
        let aggregations = self.named_list()?;
        let by = if self.take_word("by") { self.named_list()? } else { Vec::new() };
        if let Some(bad) = aggregations.iter().find(|one| !one.expression.has_aggregate()) {
            return self.wrong(format!("{} is no aggregation", bad.name));
        }
        Ok(Command::Stats { aggregations, by })
    }

    fn sort(&mut self) -> Result<Command> {
        let mut keys = Vec::new();
        loop {
            let key = self.expression(0)?;
            let down = self.take_word("desc");
            if !down {
                self.take_word("asc");
            }
            keys.push((key, down));
            if !self.take_sign(",") {
                return Ok(Command::Sort(keys));
            }
        }
    }

    fn extraction(&mut self) -> Result<Command> {
        let field = match self.peek() {
            Some(Token::Name(_) | Token::Field(_)) => self.name()?,
            _ => "@message".to_owned(),
        };
        match self.next() {
            Some(Token::Regex(text)) => {
                let regex = self.regex(text)?;
                let names: Vec<String> = regex.capture_names().flatten().map(str::to_owned).collect();
                if names.is_empty() {
                    return self.wrong("the regular expression of parse needs named groups");
                }
                Ok(Command::Parse { field, how: Extraction::Groups(regex), names })
            }
            Some(Token::Text(glob)) => {
                if !self.take_word("as") {
                    return self.unexpected();
                }
                let names = self.names()?;
                let parts: Vec<String> = glob.split('*').map(regex::escape).collect();
                if parts.len() != names.len() + 1 {
                    return self.wrong("parse needs a name for each asterisk");
                }
                // An asterisk at the end takes all the rest, the others as little as they can.
                let greedy = glob.ends_with('*');
                let last = parts.len() - 1;
                let mut text = String::from("(?s)");
                for (place, part) in parts.iter().enumerate() {
                    text.push_str(part);
                    if place < last {
                        text.push_str(if greedy && place + 1 == last { "(.*)" } else { "(.*?)" });
                    }
                }
                let regex = self.regex(&text)?;
                Ok(Command::Parse { field, how: Extraction::Glob(regex), names })
            }
            _ => {
                self.at -= 1;
                self.unexpected()
            }
        }
    }

    fn regex(&self, text: &str) -> Result<Regex> {
        let built = RegexBuilder::new(text).size_limit(REGEX_SIZE).dfa_size_limit(REGEX_SIZE).build();
        built.or_else(|_| self.wrong(format!("the regular expression {text} cannot be used")))
    }

    fn expression(&mut self, depth: usize) -> Result<Expression> {
        if depth > MAX_DEPTH {
            return self.wrong("the expression nests too deeply");
        }
        let mut any = vec![self.conjunction(depth)?];
        while self.take_word("or") || self.take_sign("||") {
            any.push(self.conjunction(depth)?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Expression::Logic(any, false) })
    }

    fn conjunction(&mut self, depth: usize) -> Result<Expression> {
        let mut all = vec![self.negation(depth)?];
        while self.take_word("and") || self.take_sign("&&") {
            all.push(self.negation(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::Logic(all, true) })
    }

    fn negation(&mut self, depth: usize) -> Result<Expression> {
        if depth > MAX_DEPTH {
            return self.wrong("the expression nests too deeply");
        }
        if self.take_word("not") {
            return Ok(Expression::Not(Box::new(self.negation(depth + 1)?)));
        }
        self.comparison(depth)
    }

    fn comparison(&mut self, depth: usize) -> Result<Expression> {
        let left = self.sum(depth)?;
        for sign in ["=", "!=", "<=", ">=", "<", ">"] {
            if self.take_sign(sign) {
                return Ok(Expression::Binary(Box::new(left), sign, Box::new(self.sum(depth)?)));
            }
        }
        let negated = self.take_word("not");
        let made = if self.take_word("like") || self.take_sign("=~") {
            match self.peek() {
                Some(Token::Regex(text)) => {
                    let regex = self.regex(text)?;
                    self.at += 1;
                    Expression::Matches(Box::new(left), regex)
                }
                _ => Expression::Contains(Box::new(left), Box::new(self.sum(depth)?)),
            }
        } else if self.take_word("in") {
            self.expect("[")?;
            let mut all = vec![self.sum(depth)?];
            while self.take_sign(",") {
                all.push(self.sum(depth)?);
            }
            self.expect("]")?;
            Expression::In(Box::new(left), all)
        } else if negated {
            return self.unexpected();
        } else {
            return Ok(left);
        };
        Ok(if negated { Expression::Not(Box::new(made)) } else { made })
    }

    fn sum(&mut self, depth: usize) -> Result<Expression> {
        self.operators(depth, &["+", "-"], |parser, depth| {
            parser.operators(depth, &["*", "/", "%"], |parser, depth| parser.operators(depth, &["^"], Self::unary))
        })
    }

    fn operators(
        &mut self,
        depth: usize,
        signs: &[&'static str],
        operand: fn(&mut Self, usize) -> Result<Expression>,
    ) -> Result<Expression> {
        let mut left = operand(self, depth)?;
        let mut chain = 0;
        while let Some(sign) = signs.iter().find(|sign| self.is_sign(sign)) {
            chain += 1;
            if chain > MAX_DEPTH {
                return self.wrong("the expression nests too deeply");
            }
            self.at += 1;
            left = Expression::Binary(Box::new(left), sign, Box::new(operand(self, depth)?));
        }
        Ok(left)
    }

    fn unary(&mut self, depth: usize) -> Result<Expression> {
        if depth > MAX_DEPTH {
            return self.wrong("the expression nests too deeply");
        }
        if self.take_sign("-") {
            return Ok(Expression::Negative(Box::new(self.unary(depth + 1)?)));
        }
        match self.peek() {
            Some(Token::Sign("(")) => {
                self.at += 1;
                let inner = self.expression(depth + 1)?;
                self.expect(")")?;
                Ok(inner)
            }
            Some(Token::Number(number)) => self.took(Expression::Number(*number)),
            Some(Token::Text(text)) => self.took(Expression::Text(text.clone())),
            Some(Token::Period(period)) => self.took(Expression::Period(*period)),
            Some(Token::Field(name)) => self.took(Expression::Field(name.clone())),
            Some(Token::Name(name)) => {
                self.at += 1;
                if self.take_sign("(") { self.call(name, depth) } else { Ok(Expression::Field(name.clone())) }
            }
            _ => self.unexpected(),
        }
    }

    fn took(&mut self, expression: Expression) -> Result<Expression> {
        self.at += 1;
        Ok(expression)
    }

    fn call(&mut self, name: &str, depth: usize) -> Result<Expression> {
        if name.eq_ignore_ascii_case("count") && self.take_sign("*") {
            self.expect(")")?;
            return Ok(Expression::Aggregate(Aggregation::Count, Vec::new()));
        }
        let mut arguments = Vec::new();
        if !self.take_sign(")") {
            loop {
                arguments.push(self.expression(depth + 1)?);
                if self.take_sign(")") {
                    break;
                }
                self.expect(",")?;
            }
        }
        if name.eq_ignore_ascii_case("bin") {
            let period = arguments.pop();
            let Some(Expression::Period(period)) = period.filter(|_| arguments.len() <= 1) else {
                return self.wrong("bin takes a period such as 5m");
            };
            return Ok(Expression::Bin(arguments.pop().map(Box::new), period.max(1)));
        }
        if name.eq_ignore_ascii_case("now") && arguments.is_empty() {
            return Ok(Expression::Now);
        }
        if let Some(aggregation) = Aggregation::find(name) {
            if arguments.len() != aggregation.arguments()
                && !(arguments.is_empty() && aggregation == Aggregation::Count)
            {
                return self.wrong(format!("{name} takes {} arguments", aggregation.arguments()));
            }
            if arguments.iter().any(Expression::has_aggregate) {
                return self.wrong(format!("{name} cannot hold another aggregation"));
            }
            return Ok(Expression::Aggregate(aggregation, arguments));
        }
        match functions::find(name) {
            Some(known) if (known.least..=known.most).contains(&arguments.len()) => {
                Ok(Expression::Call(known.run, arguments))
            }
            Some(known) => self.wrong(format!("{name} takes {} arguments", known.least)),
            None => self.wrong(format!("Garoa does not implement the function {name} of Logs Insights")),
        }
    }
}

impl Expression {
    /// Whether an aggregation is in it.
    pub fn has_aggregate(&self) -> bool {
        match self {
            Self::Aggregate(..) => true,
            Self::Field(_) | Self::Number(_) | Self::Text(_) | Self::Period(_) | Self::Now => false,
            Self::Bin(inner, _) => inner.as_ref().is_some_and(|inner| inner.has_aggregate()),
            Self::Call(_, all) | Self::Logic(all, _) => all.iter().any(Self::has_aggregate),
            Self::Not(inner) | Self::Negative(inner) | Self::Matches(inner, _) => inner.has_aggregate(),
            Self::Binary(left, _, right) | Self::Contains(left, right) => left.has_aggregate() || right.has_aggregate(),
            Self::In(left, all) => left.has_aggregate() || all.iter().any(Self::has_aggregate),
        }
    }
}
