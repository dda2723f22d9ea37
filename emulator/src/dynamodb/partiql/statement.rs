//! A PartiQL statement as data, and its grammar.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html>

use std::collections::BTreeSet;
use std::sync::Arc;

use dynamodb_expressions::{AttributeValue, Item, Number};

use super::lexer::{Token, malformed, tokens};
use crate::Result;
use crate::dynamodb::errors::validation;

/// Parentheses, lists and maps are nested at most so deep.
const MAX_DEPTH: usize = 32;

/// A statement.
#[derive(Debug)]
pub(super) struct Statement {
    pub table: String,
    pub index: Option<String>,
    pub verb: Verb,
    pub filter: Option<Condition>,
    /// What of the item a change answers, as `ReturnValues` names it.
    pub returning: Option<&'static str>,
}

#[derive(Debug)]
pub(super) enum Verb {
    /// The wanted paths, none for all; the attribute to order by, and whether downwards.
    Select {
        wanted: Vec<Path>,
        order: Option<(Path, bool)>,
    },
    Insert(Item),
    Update(Vec<Change>),
    Delete,
}

/// A path into an item.
pub(super) type Path = Vec<Step>;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Name(String),
    Place(String),
}

/// A change of one path.
#[derive(Debug)]
pub(super) enum Change {
    Set(Path, Operand, Option<(&'static str, Operand)>),
    Remove(Path),
    /// Elements to add to a set, or to take from it.
    Elements(&'static str, Path, AttributeValue),
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Path(Path),
    Value(AttributeValue),
    /// `size`, `list_append` and the like.
    Call(String, Vec<Operand>),
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare(&'static str, Operand, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Missing(Path),
    Null(Path),
    Call(String, Vec<Operand>),
}

/// Reads a statement, its parameters in their places.
pub(super) fn parse(text: &str, parameters: &[AttributeValue]) -> Result<Statement> {
    let mut parser = Parser { tokens: tokens(text)?, place: 0, parameters, used: 0, depth: 0 };
    let statement = parser.statement()?;
    if parser.peek() != &Token::End {
        return Err(malformed("Unexpected words after the statement"));
    }
    if parser.used != parameters.len() {
        return Err(validation("Number of parameters in request and statement don't match."));
    }
    Ok(statement)
}

struct Parser<'a> {
    tokens: Vec<Token>,
    place: usize,
    parameters: &'a [AttributeValue],
    used: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.place).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.place += 1;
        token
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        if self.accept(word) { Ok(()) } else { Err(malformed(&format!("Expected {word}"))) }
    }

    fn accept_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        self.place += usize::from(found);
        found
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<()> {
        if self.accept_symbol(symbol) { Ok(()) } else { Err(malformed(&format!("Expected '{symbol}'"))) }
    }

    /// Reads what may hold more of its own kind.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(malformed("The statement is nested too deeply"));
        }
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn list<T>(&mut self, close: &str, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut found = Vec::new();
        if self.accept_symbol(close) {
            return Ok(found);
        }
        loop {
            found.push(read(self)?);
            if self.accept_symbol(close) {
                return Ok(found);
            }
            self.expect_symbol(",")?;
        }
    }

    fn name(&mut self) -> Result<String> {
        match self.next() {
            Token::Word(name) | Token::Quoted(name) => Ok(name),
            _ => Err(malformed("Expected a name")),
        }
    }

    fn statement(&mut self) -> Result<Statement> {
        if self.accept("SELECT") {
            return self.select();
        }
        if self.accept("INSERT") {
            self.expect("INTO")?;
            let (table, index) = self.table()?;
            self.expect("VALUE")?;
            let AttributeValue::M(item) = self.value()? else { return Err(malformed("Expected a map")) };
            let verb = Verb::Insert(Item::clone(&item));
            return Ok(Statement { table, index, verb, filter: None, returning: None });
        }
        let verb = if self.accept("UPDATE") { None } else { Some(Verb::Delete) };
        if verb.is_some() {
            self.expect("DELETE")?;
            self.expect("FROM")?;
        }
        let (table, index) = self.table()?;
        let verb = match verb {
            Some(verb) => verb,
            None => Verb::Update(self.changes()?),
        };
        self.expect("WHERE")?;
        let filter = Some(self.condition()?);
        let returning = self.returning()?;
        Ok(Statement { table, index, verb, filter, returning })
    }

    fn select(&mut self) -> Result<Statement> {
        let mut wanted = Vec::new();
        if !self.accept_symbol("*") {
            wanted.push(self.path()?);
            while self.accept_symbol(",") {
                wanted.push(self.path()?);
            }
        }
        self.expect("FROM")?;
        let (table, index) = self.table()?;
        let filter = if self.accept("WHERE") { Some(self.condition()?) } else { None };
        let mut order = None;
        if self.accept("ORDER") {
            self.expect("BY")?;
            let path = self.path()?;
            let down = self.accept("DESC");
            if !down {
                self.accept("ASC");
            }
            order = Some((path, down));
        }
        Ok(Statement { table, index, verb: Verb::Select { wanted, order }, filter, returning: None })
    }

    /// A table, perhaps with an index.
    fn table(&mut self) -> Result<(String, Option<String>)> {
        let table = self.name()?;
        let index = if self.accept_symbol(".") { Some(self.name()?) } else { None };
        Ok((table, index))
    }

    fn changes(&mut self) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        loop {
            if self.accept("SET") {
                changes.push(self.assignment()?);
                while self.accept_symbol(",") {
                    changes.push(self.assignment()?);
                }
            } else if self.accept("REMOVE") {
                changes.push(Change::Remove(self.path()?));
                while self.accept_symbol(",") {
                    changes.push(Change::Remove(self.path()?));
                }
            } else if changes.is_empty() {
                return Err(malformed("Expected SET or REMOVE"));
            } else {
                return Ok(changes);
            }
        }
    }

    fn assignment(&mut self) -> Result<Change> {
        let path = self.path()?;
        self.expect_symbol("=")?;
        let operand = self.operand()?;
        if let Operand::Call(name, arguments) = &operand {
            let section = match name.to_ascii_lowercase().as_str() {
                "set_add" => Some("ADD"),
                "set_delete" => Some("DELETE"),
                _ => None,
            };
            if let (Some(section), [Operand::Path(of), Operand::Value(elements)]) = (section, arguments.as_slice()) {
                if *of != path {
                    return Err(malformed("A set can only be changed in its own place"));
                }
                return Ok(Change::Elements(section, path, elements.clone()));
            }
        }
        let sign = ["+", "-"].into_iter().find(|sign| self.accept_symbol(sign));
        let other = sign.map(|sign| Ok::<_, crate::Error>((sign, self.operand()?))).transpose()?;
        Ok(Change::Set(path, operand, other))
    }

    fn returning(&mut self) -> Result<Option<&'static str>> {
        if !self.accept("RETURNING") {
            return Ok(None);
        }
        let all = self.accept("ALL");
        if !all {
            self.expect("MODIFIED")?;
        }
        let old = self.accept("OLD");
        if !old {
            self.expect("NEW")?;
        }
        self.expect_symbol("*")?;
        Ok(Some(match (all, old) {
            (true, true) => "ALL_OLD",
            (true, false) => "ALL_NEW",
            (false, true) => "UPDATED_OLD",
            (false, false) => "UPDATED_NEW",
        }))
    }

    fn path(&mut self) -> Result<Path> {
        let mut path = vec![Step::Name(self.name()?)];
        loop {
            if self.accept_symbol(".") {
                path.push(Step::Name(self.name()?));
            } else if self.accept_symbol("[") {
                let Token::Number(place) = self.next() else { return Err(malformed("Expected a number")) };
                self.expect_symbol("]")?;
                path.push(Step::Place(place));
            } else {
                return Ok(path);
            }
        }
    }

    fn condition(&mut self) -> Result<Condition> {
        self.nested(|parser| {
            let mut any = vec![parser.conjunction()?];
            while parser.accept("OR") {
                any.push(parser.conjunction()?);
            }
            Ok(if any.len() == 1 { any.remove(0) } else { Condition::Any(any) })
        })
    }

    fn conjunction(&mut self) -> Result<Condition> {
        let mut all = vec![self.negation()?];
        while self.accept("AND") {
            all.push(self.negation()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
    }

    fn negation(&mut self) -> Result<Condition> {
        if self.accept("NOT") {
            return self.nested(|parser| Ok(Condition::Not(Box::new(parser.negation()?))));
        }
        if self.accept_symbol("(") {
            let inner = self.condition()?;
            self.expect_symbol(")")?;
            return Ok(inner);
        }
        self.test()
    }

    fn test(&mut self) -> Result<Condition> {
        let left = self.operand()?;
        let symbol = ["<=", ">=", "<>", "!=", "=", "<", ">"].into_iter().find(|symbol| self.accept_symbol(symbol));
        if let Some(symbol) = symbol {
            return Ok(Condition::Compare(if symbol == "!=" { "<>" } else { symbol }, left, self.operand()?));
        }
        if self.accept("BETWEEN") {
            let low = self.operand()?;
            self.expect("AND")?;
            return Ok(Condition::Between(left, low, self.operand()?));
        }
        let not = self.is_word("NOT") && self.accept("NOT");
        let test = if self.accept("IN") {
            let close = if self.accept_symbol("[") { "]" } else { ")" };
            if close == ")" {
                self.expect_symbol("(")?;
            }
            Condition::In(left, self.list(close, Self::operand)?)
        } else if self.accept("IS") {
            return self.is(left);
        } else if let (Operand::Call(name, arguments), false) = (left, not) {
            return Ok(Condition::Call(name.to_ascii_lowercase(), arguments));
        } else {
            return Err(malformed("Expected a comparison"));
        };
        Ok(if not { Condition::Not(Box::new(test)) } else { test })
    }

    fn is(&mut self, left: Operand) -> Result<Condition> {
        let not = self.accept("NOT");
        let Operand::Path(path) = left else { return Err(malformed("Expected a path before IS")) };
        let test = if self.accept("NULL") {
            Condition::Null(path)
        } else {
            self.expect("MISSING")?;
            Condition::Missing(path)
        };
        Ok(if not { Condition::Not(Box::new(test)) } else { test })
    }

    fn operand(&mut self) -> Result<Operand> {
        let is_call = matches!(self.tokens.get(self.place + 1), Some(Token::Symbol("(")));
        match self.peek() {
            Token::Word(word) if is_call => {
                let name = word.clone();
                self.place += 2;
                self.nested(|parser| Ok(Operand::Call(name, parser.list(")", Self::operand)?)))
            }
            Token::Word(word) if !["true", "false", "null"].iter().any(|known| word.eq_ignore_ascii_case(known)) => {
                Ok(Operand::Path(self.path()?))
            }
            Token::Quoted(_) => Ok(Operand::Path(self.path()?)),
            _ => Ok(Operand::Value(self.value()?)),
        }
    }

    fn value(&mut self) -> Result<AttributeValue> {
        self.nested(|parser| match parser.next() {
            Token::Text(text) => Ok(AttributeValue::S(text.into())),
            Token::Number(number) => Ok(AttributeValue::N(Number::parse(&number)?)),
            Token::Symbol("-") => match parser.next() {
                Token::Number(number) => Ok(AttributeValue::N(Number::parse(&format!("-{number}"))?)),
                _ => Err(malformed("Expected a number")),
            },
            Token::Symbol("?") => {
                parser.used += 1;
                let missing = || validation("Number of parameters in request and statement don't match.");
                parser.parameters.get(parser.used - 1).cloned().ok_or_else(missing)
            }
            Token::Symbol("[") => Ok(AttributeValue::L(Arc::new(parser.list("]", Self::value)?))),
            Token::Symbol("{") => {
                let entries = parser.list("}", |parser| {
                    let name = match parser.next() {
                        Token::Text(name) | Token::Quoted(name) | Token::Word(name) => name,
                        _ => return Err(malformed("Expected a name")),
                    };
                    parser.expect_symbol(":")?;
                    Ok((Arc::from(name), parser.value()?))
                })?;
                Ok(AttributeValue::M(Arc::new(entries.into_iter().collect())))
            }
            Token::Symbol("<<") => set(parser.list(">>", Self::value)?),
            Token::Word(word) if word.eq_ignore_ascii_case("true") => Ok(AttributeValue::Bool(true)),
            Token::Word(word) if word.eq_ignore_ascii_case("false") => Ok(AttributeValue::Bool(false)),
            Token::Word(word) if word.eq_ignore_ascii_case("null") => Ok(AttributeValue::Null),
            _ => Err(malformed("Expected a value")),
        })
    }
}

/// A set of elements of one type.
fn set(elements: Vec<AttributeValue>) -> Result<AttributeValue> {
    let count = elements.len();
    let texts: BTreeSet<Arc<str>> = elements
        .iter()
        .filter_map(|element| if let AttributeValue::S(text) = element { Some(text.clone()) } else { None })
        .collect();
    let numbers: BTreeSet<Number> = elements
        .iter()
        .filter_map(|element| if let AttributeValue::N(number) = element { Some(*number) } else { None })
        .collect();
    match (count, texts.len(), numbers.len()) {
        (0, _, _) => Err(malformed("A set may not be empty")),
        (count, texts_count, _) if texts_count == count => Ok(AttributeValue::SS(Arc::new(texts))),
        (count, _, numbers_count) if numbers_count == count => Ok(AttributeValue::NS(Arc::new(numbers))),
        _ => Err(malformed("The elements of a set must be different texts, or different numbers")),
    }
}
