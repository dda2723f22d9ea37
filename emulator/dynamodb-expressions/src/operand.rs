//! Operands as they are written, in conditions and updates: paths, placeholders for values, and calls.

use crate::lexer::{Kind, Tokens};
use crate::path::RawPath;
use crate::{Error, Result};

/// The most operators and functions of one expression.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters>
const MAX_OPERATORS: usize = 300;
/// How deep parentheses and calls may nest. Deeper ones are redundant, or hold more operators than are allowed.
const MAX_DEPTH: usize = MAX_OPERATORS;

/// One operand.
#[derive(Debug, Clone)]
pub(crate) enum RawOperand<'a> {
    /// A document path.
    Path(RawPath<'a>),
    /// `:value`
    Value(&'a str),
    /// `function(…)`
    Call(RawCall<'a>),
}

/// A call of a function, known or not.
#[derive(Debug, Clone)]
pub(crate) struct RawCall<'a> {
    /// The function's name.
    pub(crate) name: &'a str,
    /// Its operands, at least one.
    pub(crate) operands: Vec<RawOperand<'a>>,
}

/// What the parsers of conditions and updates share.
pub(crate) struct Parser<'a> {
    /// What is to be read.
    pub(crate) tokens: Tokens<'a>,
    /// True if a path in parentheses may go on: `(a.b).c`. Only conditions know that.
    pub(crate) grouped_paths: bool,
    /// True if parentheses within parentheses were found; the syntax of the rest is the first matter.
    pub(crate) redundant: bool,
    depth: usize,
}

/// Something that was read, and whether parentheses stood around all of it.
pub(crate) struct Grouped<T> {
    pub(crate) inner: T,
    pub(crate) grouped: bool,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, grouped_paths: bool) -> Result<Self> {
        Ok(Self { tokens: Tokens::new(text)?, grouped_paths, redundant: false, depth: 0 })
    }

    /// Nothing may follow, and no parentheses may be redundant.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.tokens.kind() != Kind::End {
            return Err(self.tokens.unexpected());
        }
        if self.redundant { Err(redundant_parentheses()) } else { Ok(()) }
    }

    /// Reads what stands in parentheses; the opening one is the next token.
    pub(crate) fn group<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<Grouped<T>>) -> Result<Grouped<T>> {
        self.tokens.expect("(")?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(redundant_parentheses());
        }
        let found = inner(self)?;
        self.depth -= 1;
        self.tokens.expect(")")?;
        self.redundant |= found.grouped;
        Ok(Grouped { inner: found.inner, grouped: true })
    }

    /// Reads an operand.
    pub(crate) fn operand(&mut self) -> Result<RawOperand<'a>> {
        Ok(self.grouped_operand()?.inner)
    }

    /// Reads an operand and tells whether parentheses stood around it.
    pub(crate) fn grouped_operand(&mut self) -> Result<Grouped<RawOperand<'a>>> {
        if self.tokens.is("(") {
            let found = self.group(Self::grouped_operand)?;
            return self.continued(found);
        }
        let inner = self.plain_operand()?;
        Ok(Grouped { inner, grouped: false })
    }

    /// Reads an operand that has no parentheses around it.
    pub(crate) fn plain_operand(&mut self) -> Result<RawOperand<'a>> {
        match self.tokens.kind() {
            Kind::Value => Ok(RawOperand::Value(self.tokens.next())),
            Kind::Word if self.tokens.second_is("(") => self.call().map(RawOperand::Call),
            _ => Ok(RawOperand::Path(RawPath::parse(&mut self.tokens)?)),
        }
    }

    /// A path in parentheses may go on.
    pub(crate) fn continued(&mut self, found: Grouped<RawOperand<'a>>) -> Result<Grouped<RawOperand<'a>>> {
        match found.inner {
            RawOperand::Path(mut path) if self.grouped_paths && (self.tokens.is(".") || self.tokens.is("[")) => {
                path.parse_steps(&mut self.tokens)?;
                Ok(Grouped { inner: RawOperand::Path(path), grouped: false })
            }
            inner => Ok(Grouped { inner, grouped: found.grouped }),
        }
    }

    fn call(&mut self) -> Result<RawCall<'a>> {
        let name = self.tokens.next();
        let operands = self.group(|parser| Ok(Grouped { inner: parser.operands()?, grouped: false }))?;
        Ok(RawCall { name, operands: operands.inner })
    }

    /// Reads operands with commas between them.
    pub(crate) fn operands(&mut self) -> Result<Vec<RawOperand<'a>>> {
        let mut operands = vec![self.operand()?];
        while self.tokens.accept(",") {
            operands.push(self.operand()?);
        }
        Ok(operands)
    }
}

/// Counts the operators and functions of an expression.
#[derive(Debug, Default)]
pub(crate) struct Operators(usize);

impl Operators {
    /// Counts one, or the error if it is one too many.
    pub(crate) fn count(&mut self) -> Result<()> {
        self.0 += 1;
        if self.0 <= MAX_OPERATORS {
            return Ok(());
        }
        Err(Error::validation(format!("The expression contains too many operators; operator count: {}", self.0)))
    }
}

fn redundant_parentheses() -> Error {
    Error::validation("The expression has redundant parentheses;")
}

/// The refusal of a function that nobody knows.
pub(crate) fn unknown_function(name: &str) -> Error {
    Error::validation(format!("Invalid function name; function: {name}"))
}

/// The refusal of a function where it stands.
pub(crate) fn misused_function(name: &str) -> Error {
    Error::validation(format!("The function is not allowed to be used this way in an expression; function: {name}"))
}

/// The refusal of a number of operands.
pub(crate) fn wrong_count(function: &str, operands: usize) -> Error {
    Error::validation(format!(
        "Incorrect number of operands for operator or function; operator or function: {function}, number of operands: \
         {operands}"
    ))
}

/// The refusal of an operand's type.
pub(crate) fn wrong_type(function: &str, data_type: &str) -> Error {
    Error::validation(format!(
        "Incorrect operand type for operator or function; operator or function: {function}, operand type: {data_type}"
    ))
}

/// The refusal of an operand that is no path.
pub(crate) fn not_a_path(function: &str) -> Error {
    Error::validation(format!("Operator or function requires a document path; operator or function: {function}"))
}
