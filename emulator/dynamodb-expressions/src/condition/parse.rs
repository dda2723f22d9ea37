//! The syntax of conditions.

use super::evaluate::{Comparator, Function};
use crate::Result;
use crate::operand::{Grouped, Operators, Parser, RawCall, RawOperand, misused_function, unknown_function};

/// A condition as it is written.
#[derive(Debug, Clone)]
pub(super) enum Tree<'a> {
    /// Conditions with OR between them.
    Or(Vec<Tree<'a>>),
    /// Conditions with AND between them.
    And(Vec<Tree<'a>>),
    /// NOT
    Not(Box<Tree<'a>>),
    /// Two operands compared.
    Compare(Comparator, Box<[RawOperand<'a>; 2]>),
    /// BETWEEN … AND …
    Between(Box<[RawOperand<'a>; 3]>),
    /// IN (…); the first operand is what is looked for.
    In(Vec<RawOperand<'a>>),
    /// A function of which the condition consists.
    Call(RawCall<'a>),
}

/// What parentheses may hold: only what follows tells which.
enum Either<'a> {
    Condition(Box<Tree<'a>>),
    Operand(RawOperand<'a>),
}

type Found<'a> = Grouped<Either<'a>>;

/// Reads a condition, and refuses what is wrong whatever the placeholders stand for: functions that do not exist or
/// may not stand where they do, reserved words, too many operators.
pub(super) fn parse(text: &str) -> Result<Tree<'_>> {
    let mut parser = Parser::new(text, true)?;
    let found = parser.or()?;
    let tree = parser.condition(found)?;
    parser.finish()?;
    check(&tree, &mut Operators::default())?;
    Ok(tree)
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Found<'a>> {
        self.chain("OR", Self::and, Tree::Or)
    }

    fn and(&mut self) -> Result<Found<'a>> {
        self.chain("AND", Self::not, Tree::And)
    }

    fn chain(
        &mut self,
        keyword: &str,
        part: fn(&mut Self) -> Result<Found<'a>>,
        whole: fn(Vec<Tree<'a>>) -> Tree<'a>,
    ) -> Result<Found<'a>> {
        let first = part(self)?;
        if !self.tokens.is_keyword(keyword) {
            return Ok(first);
        }
        let mut parts = vec![self.condition(first)?];
        while self.tokens.accept_keyword(keyword) {
            let next = part(self)?;
            parts.push(self.condition(next)?);
        }
        Ok(Grouped { inner: Either::Condition(Box::new(whole(parts))), grouped: false })
    }

    fn not(&mut self) -> Result<Found<'a>> {
        let mut negations = 0_usize;
        while self.tokens.accept_keyword("NOT") {
            negations += 1;
        }
        let found = self.primary()?;
        if negations == 0 {
            return Ok(found);
        }
        let mut tree = self.condition(found)?;
        for _ in 0..negations {
            tree = Tree::Not(Box::new(tree));
        }
        Ok(Grouped { inner: Either::Condition(Box::new(tree)), grouped: false })
    }

    fn primary(&mut self) -> Result<Found<'a>> {
        if self.is_word_of_grammar() {
            return Err(self.tokens.unexpected());
        }
        let left = if self.tokens.is("(") {
            let Grouped { inner, grouped } = self.group(Self::or)?;
            match inner {
                Either::Condition(_) => return Ok(Grouped { inner, grouped }),
                Either::Operand(operand) => self.continued(Grouped { inner: operand, grouped })?,
            }
        } else {
            Grouped { inner: self.plain_operand()?, grouped: false }
        };
        self.comparison(left)
    }

    /// What follows an operand: a comparison, or nothing if it is all that the parentheses hold.
    fn comparison(&mut self, left: Grouped<RawOperand<'a>>) -> Result<Found<'a>> {
        let tree = if let Some(comparator) = Comparator::from_symbol(self.tokens.text()) {
            self.tokens.next();
            Tree::Compare(comparator, Box::new([left.inner, self.condition_operand()?]))
        } else if self.tokens.accept_keyword("BETWEEN") {
            let lower = self.condition_operand()?;
            if !self.tokens.accept_keyword("AND") {
                return Err(self.tokens.unexpected());
            }
            Tree::Between(Box::new([left.inner, lower, self.condition_operand()?]))
        } else if self.tokens.accept_keyword("IN") {
            let mut operands = vec![left.inner];
            operands.extend(self.group(|parser| Ok(Grouped { inner: parser.operands()?, grouped: false }))?.inner);
            Tree::In(operands)
        } else {
            return Ok(Grouped { inner: Either::Operand(left.inner), grouped: left.grouped });
        };
        Ok(Grouped { inner: Either::Condition(Box::new(tree)), grouped: false })
    }

    fn condition_operand(&mut self) -> Result<RawOperand<'a>> {
        if self.is_word_of_grammar() { Err(self.tokens.unexpected()) } else { self.operand() }
    }

    /// True if the next token belongs to the grammar and so can be no attribute.
    fn is_word_of_grammar(&self) -> bool {
        ["AND", "OR", "NOT", "IN", "BETWEEN"].iter().any(|word| self.tokens.is_keyword(word))
    }

    /// What was found must be a condition here.
    fn condition(&self, found: Found<'a>) -> Result<Tree<'a>> {
        match found.inner {
            Either::Condition(tree) => Ok(*tree),
            Either::Operand(RawOperand::Call(call)) => Ok(Tree::Call(call)),
            Either::Operand(_) => Err(self.tokens.unexpected()),
        }
    }
}

fn check(tree: &Tree<'_>, operators: &mut Operators) -> Result<()> {
    match tree {
        Tree::Or(parts) | Tree::And(parts) => {
            for (number, part) in parts.iter().enumerate() {
                if number > 0 {
                    operators.count()?;
                }
                check(part, operators)?;
            }
            Ok(())
        }
        Tree::Not(part) => {
            operators.count()?;
            check(part, operators)
        }
        Tree::Compare(_, operands) => check_operands(&operands[..], operators),
        Tree::Between(operands) => check_operands(&operands[..], operators),
        Tree::In(operands) => check_operands(operands, operators),
        Tree::Call(call) => {
            match call.name {
                "size" => return Err(misused_function(call.name)),
                name => known_function(name)?,
            }
            check_operands(&call.operands, operators)
        }
    }
}

/// The operands of one operator or function: of functions, they may only be sizes.
fn check_operands(operands: &[RawOperand<'_>], operators: &mut Operators) -> Result<()> {
    operators.count()?;
    operands.iter().try_for_each(|operand| match operand {
        RawOperand::Path(path) => path.check(),
        RawOperand::Value(_) => Ok(()),
        RawOperand::Call(call) if call.name == "size" => check_operands(&call.operands, operators),
        RawOperand::Call(call) => {
            known_function(call.name)?;
            Err(misused_function(call.name))
        }
    })
}

fn known_function(name: &str) -> Result<()> {
    match name {
        "if_not_exists" | "list_append" => Err(crate::Error::validation(format!(
            "The function is not allowed in a condition expression; function: {name}"
        ))),
        "size" => Ok(()),
        name => Function::from_name(name).map(|_| ()).ok_or_else(|| unknown_function(name)),
    }
}
