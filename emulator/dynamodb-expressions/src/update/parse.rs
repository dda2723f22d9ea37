//! The syntax of update expressions, and what is wrong with one whatever the item.

use super::{Action, ActionKind, Expression, Update};
use crate::lexer::Kind;
use crate::operand::{
    Grouped, Operators, Parser, RawCall, RawOperand, misused_function, not_a_path, unknown_function, wrong_count,
    wrong_type,
};
use crate::path::{Path, PathTree, RawPath};
use crate::{AttributeValue, Error, Placeholders, Result};

/// The four sections, by their keywords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Set,
    Remove,
    Add,
    Delete,
}

impl Section {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Set, "SET"), (Self::Remove, "REMOVE"), (Self::Add, "ADD"), (Self::Delete, "DELETE")];
}

/// An action as it is written.
enum RawAction<'a> {
    Set(RawPath<'a>, RawExpression<'a>),
    Remove(RawPath<'a>),
    Add(RawPath<'a>, &'a str),
    Delete(RawPath<'a>, &'a str),
}

/// What SET assigns, as it is written.
enum RawExpression<'a> {
    Operand(RawOperand<'a>),
    /// The symbol, `+` or `-`, and its operands.
    Arithmetic(&'a str, Box<[RawOperand<'a>; 2]>),
}

/// Reads an expression.
pub(super) fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Update> {
    let mut parser = Parser::new(text, false)?;
    let mut sections = vec![parser.section()?];
    while parser.tokens.kind() != Kind::End {
        sections.push(parser.section()?);
    }
    parser.finish()?;
    check_sections(&sections)?;
    let raw: Vec<RawAction<'_>> = sections.into_iter().flat_map(|(_, actions)| actions).collect();
    resolve(&raw, placeholders)
}

impl<'a> Parser<'a> {
    fn section(&mut self) -> Result<(Section, Vec<RawAction<'a>>)> {
        let section =
            Section::ALL.iter().find(|(_, keyword)| self.tokens.is_keyword(keyword)).map(|(section, _)| *section);
        let Some(section) = section else { return Err(self.tokens.unexpected()) };
        self.tokens.next();
        let mut actions = vec![self.action(section)?];
        while self.tokens.accept(",") {
            actions.push(self.action(section)?);
        }
        Ok((section, actions))
    }

    fn action(&mut self, section: Section) -> Result<RawAction<'a>> {
        let path = self.path()?;
        Ok(match section {
            Section::Set => {
                self.tokens.expect("=")?;
                RawAction::Set(path, self.assigned()?.inner)
            }
            Section::Remove => RawAction::Remove(path),
            Section::Add => RawAction::Add(path, self.value()?),
            Section::Delete => RawAction::Delete(path, self.value()?),
        })
    }

    fn path(&mut self) -> Result<RawPath<'a>> {
        if self.is_section() { Err(self.tokens.unexpected()) } else { RawPath::parse(&mut self.tokens) }
    }

    fn value(&mut self) -> Result<&'a str> {
        if self.tokens.kind() == Kind::Value { Ok(self.tokens.next()) } else { Err(self.tokens.unexpected()) }
    }

    fn is_section(&self) -> bool {
        Section::ALL.iter().any(|(_, keyword)| self.tokens.is_keyword(keyword))
    }

    /// An operand, or the sum or difference of two; parentheses may stand around each and around all.
    fn assigned(&mut self) -> Result<Grouped<RawExpression<'a>>> {
        let left = if self.tokens.is("(") {
            let found = self.group(Self::assigned)?;
            match found.inner {
                RawExpression::Operand(operand) => Grouped { inner: operand, grouped: found.grouped },
                arithmetic => return Ok(Grouped { inner: arithmetic, grouped: true }),
            }
        } else {
            Grouped { inner: self.assigned_operand()?, grouped: false }
        };
        for symbol in ["+", "-"] {
            if self.tokens.accept(symbol) {
                let operands = Box::new([left.inner, self.assigned_operand()?]);
                return Ok(Grouped { inner: RawExpression::Arithmetic(symbol, operands), grouped: false });
            }
        }
        Ok(Grouped { inner: RawExpression::Operand(left.inner), grouped: left.grouped })
    }

    fn assigned_operand(&mut self) -> Result<RawOperand<'a>> {
        if self.is_section() { Err(self.tokens.unexpected()) } else { self.operand() }
    }
}

/// What is wrong whatever the placeholders stand for.
fn check_sections(sections: &[(Section, Vec<RawAction<'_>>)]) -> Result<()> {
    let mut operators = Operators::default();
    for (number, (section, actions)) in sections.iter().enumerate() {
        for action in actions {
            match action {
                RawAction::Set(path, RawExpression::Operand(operand)) => {
                    path.check()?;
                    check_operand(operand, 0, &mut operators)?;
                }
                RawAction::Set(path, RawExpression::Arithmetic(_, operands)) => {
                    path.check()?;
                    operators.count()?;
                    operands.iter().try_for_each(|operand| check_operand(operand, 1, &mut operators))?;
                }
                RawAction::Remove(path) | RawAction::Add(path, _) | RawAction::Delete(path, _) => path.check()?,
            }
        }
        if sections[..number].iter().any(|(earlier, _)| earlier == section) {
            let keyword = Section::ALL.iter().find(|(known, _)| known == section).map_or("", |(_, keyword)| keyword);
            return Err(Error::validation(format!(
                "The \"{keyword}\" section can only be used once in an update expression;"
            )));
        }
    }
    Ok(())
}

/// Within a function or beside an operator, only `if_not_exists` may be called.
fn check_operand(operand: &RawOperand<'_>, depth: usize, operators: &mut Operators) -> Result<()> {
    match operand {
        RawOperand::Path(path) => path.check(),
        RawOperand::Value(_) => Ok(()),
        RawOperand::Call(call) => {
            operators.count()?;
            match call.name {
                "if_not_exists" => {}
                "list_append" if depth == 0 => {}
                "list_append" => return Err(misused_function(call.name)),
                "attribute_exists"
                | "attribute_not_exists"
                | "attribute_type"
                | "begins_with"
                | "contains"
                | "size" => {
                    return Err(Error::validation(format!(
                        "The function is not allowed in an update expression; function: {}",
                        call.name
                    )));
                }
                unknown => return Err(unknown_function(unknown)),
            }
            call.operands.iter().try_for_each(|operand| check_operand(operand, depth + 1, operators))
        }
    }
}

/// What is wrong with an expression, by kind. Of several faults DynamoDB answers the first kind.
#[derive(Default)]
struct Faults {
    name: Option<Error>,
    value: Option<Error>,
    operand: Option<Error>,
    function: Option<Error>,
}

struct Resolver<'p> {
    placeholders: &'p mut Placeholders,
    faults: Faults,
}

fn resolve(raw: &[RawAction<'_>], placeholders: &mut Placeholders) -> Result<Update> {
    let mut resolver = Resolver { placeholders, faults: Faults::default() };
    let actions: Option<Vec<Action>> =
        raw.iter().map(|action| resolver.action(action)).collect::<Vec<_>>().into_iter().collect();
    let paths: Option<Vec<Path>> = actions.as_ref().map(|actions| actions.iter().map(|one| one.path.clone()).collect());
    let paths = match paths {
        Some(paths) => paths,
        // Overlaps come before wrong operands, which leave no action: look at the paths alone.
        None => raw.iter().filter_map(|action| action.path().resolve(resolver.placeholders).ok()).collect(),
    };
    let Faults { name, value, operand, function } = resolver.faults;
    if let Some(fault) = name.or(value) {
        return Err(fault);
    }
    let tree = PathTree::new(paths)?;
    match (operand.or(function), actions) {
        (Some(fault), _) => Err(fault),
        (None, Some(actions)) => Ok(Update::new(actions, tree, false)),
        // Every action that is missing left a fault.
        (None, None) => Err(Error::validation("Syntax error;")),
    }
}

impl<'a> RawAction<'a> {
    fn path(&self) -> &RawPath<'a> {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Add(path, _) | Self::Delete(path, _) => path,
        }
    }
}

impl Resolver<'_> {
    fn action(&mut self, action: &RawAction<'_>) -> Option<Action> {
        let path = self.path(action.path());
        let kind = match action {
            RawAction::Set(_, expression) => self.expression(expression).map(ActionKind::Set),
            RawAction::Remove(_) => Some(ActionKind::Remove),
            RawAction::Add(_, key) => self.element("ADD", key).map(ActionKind::Add),
            RawAction::Delete(_, key) => self.element("DELETE", key).map(ActionKind::Delete),
        };
        Some(Action { path: path?, kind: kind? })
    }

    fn path(&mut self, path: &RawPath<'_>) -> Option<Path> {
        path.resolve(self.placeholders).map_err(|error| self.faults.name.get_or_insert(error).clone()).ok()
    }

    fn value(&mut self, key: &str) -> Option<AttributeValue> {
        self.placeholders.value(key).map_err(|error| self.faults.value.get_or_insert(error).clone()).ok()
    }

    /// The operand of ADD or DELETE: a set, and for ADD also a number.
    fn element(&mut self, keyword: &str, key: &str) -> Option<AttributeValue> {
        let value = self.value(key)?;
        let name = match &value {
            AttributeValue::SS(_) | AttributeValue::NS(_) | AttributeValue::BS(_) => return Some(value),
            AttributeValue::N(_) if keyword == "ADD" => return Some(value),
            AttributeValue::S(_) => "STRING",
            AttributeValue::N(_) => "NUMBER",
            AttributeValue::B(_) => "BINARY",
            AttributeValue::Bool(_) => "BOOLEAN",
            AttributeValue::Null => "NULL",
            AttributeValue::M(_) => "MAP",
            AttributeValue::L(_) => "LIST",
        };
        self.faults.operand.get_or_insert_with(|| {
            Error::validation(format!(
                "Incorrect operand type for operator or function; operator: {keyword}, operand type: {name}"
            ))
        });
        None
    }

    fn expression(&mut self, expression: &RawExpression<'_>) -> Option<Expression> {
        match expression {
            RawExpression::Operand(operand) => self.operand(operand),
            RawExpression::Arithmetic(symbol, operands) => {
                let operands = self.typed(symbol, &operands[..], "N")?;
                Some(if *symbol == "+" { Expression::Plus(operands) } else { Expression::Minus(operands) })
            }
        }
    }

    fn operand(&mut self, operand: &RawOperand<'_>) -> Option<Expression> {
        match operand {
            RawOperand::Path(path) => self.path(path).map(Expression::Path),
            RawOperand::Value(key) => self.value(key).map(Expression::Value),
            RawOperand::Call(call) => self.call(call),
        }
    }

    fn call(&mut self, call: &RawCall<'_>) -> Option<Expression> {
        if call.operands.len() != 2 {
            call.operands.iter().for_each(|operand| {
                self.operand(operand);
            });
            self.faults.function.get_or_insert_with(|| wrong_count(call.name, call.operands.len()));
            return None;
        }
        if call.name == "list_append" {
            return self.typed(call.name, &call.operands, "L").map(Expression::ListAppend);
        }
        let mut operands = call.operands.iter().map(|operand| self.operand(operand)).collect::<Vec<_>>().into_iter();
        let (first, second) = (operands.next().flatten(), operands.next().flatten());
        match first? {
            Expression::Path(path) => Some(Expression::IfNotExists(path, Box::new(second?))),
            _ => {
                self.faults.function.get_or_insert_with(|| not_a_path(call.name));
                None
            }
        }
    }

    /// Two operands whose values, as far as the request has them, are of this type.
    fn typed(&mut self, function: &str, operands: &[RawOperand<'_>], data_type: &str) -> Option<Box<[Expression; 2]>> {
        let operands: Vec<_> = operands.iter().map(|operand| self.operand(operand)).collect();
        for operand in operands.iter().flatten() {
            if let Expression::Value(value) = operand
                && value.type_name() != data_type
            {
                self.faults.function.get_or_insert_with(|| wrong_type(function, value.type_name()));
                return None;
            }
        }
        let operands: Option<Vec<Expression>> = operands.into_iter().collect();
        operands?.try_into().ok().map(Box::new)
    }
}
