//! The pieces that the grammars share: expressions, operators, operands, quoted strings, regular expressions.

use regex::{Regex, RegexBuilder};
use winnow::Result;
use winnow::ascii::multispace0;
use winnow::combinator::{alt, delimited, empty, fail, opt, preceded, repeat, separated};
use winnow::prelude::*;
use winnow::token::{any, none_of, take_while};

use super::compare::{Comparison, Glob, Number, Operand, Operator};

/// How deep parentheses may nest. AWS names no limit; a pattern has at most 1,024 characters.
const MAX_DEPTH: usize = 32;
/// What a compiled regular expression may take, in bytes: a few repetitions of repetitions could take gigabytes.
const REGEX_SIZE: usize = 1 << 20;

/// Conditions that are combined with `&&`, which binds more tightly, `||` and parentheses.
#[derive(Debug)]
pub(super) enum Expression<C> {
    Any(Vec<Self>),
    All(Vec<Self>),
    One(C),
}

impl<C> Expression<C> {
    /// Whether it is true, given what each condition is.
    pub fn holds(&self, condition: &impl Fn(&C) -> bool) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(condition)),
            Self::All(parts) => parts.iter().all(|part| part.holds(condition)),
            Self::One(one) => condition(one),
        }
    }

    /// All its conditions, from left to right.
    pub fn conditions(&self) -> Vec<&C> {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().flat_map(Self::conditions).collect(),
            Self::One(one) => vec![one],
        }
    }
}

/// An expression over a grammar's conditions.
pub(super) fn expression<C>(input: &mut &str, condition: fn(&mut &str) -> Result<C>) -> Result<Expression<C>> {
    disjunction(input, condition, MAX_DEPTH)
}

fn disjunction<C>(input: &mut &str, condition: fn(&mut &str) -> Result<C>, depth: usize) -> Result<Expression<C>> {
    let part = |input: &mut &str| conjunction(input, condition, depth);
    let mut parts: Vec<_> = separated(1.., part, spaced("||")).parse_next(input)?;
    Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
}

fn conjunction<C>(input: &mut &str, condition: fn(&mut &str) -> Result<C>, depth: usize) -> Result<Expression<C>> {
    let part = |input: &mut &str| primary(input, condition, depth);
    let mut parts: Vec<_> = separated(1.., part, spaced("&&")).parse_next(input)?;
    Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
}

fn primary<C>(input: &mut &str, condition: fn(&mut &str) -> Result<C>, depth: usize) -> Result<Expression<C>> {
    if opt(spaced("(")).parse_next(input)?.is_none() {
        return condition.map(Expression::One).parse_next(input);
    }
    if depth == 0 {
        return fail.parse_next(input);
    }
    let inner = disjunction(input, condition, depth - 1)?;
    spaced(")").parse_next(input)?;
    Ok(inner)
}

/// A word of the grammar with blanks around it.
pub(super) fn spaced<'a>(word: &'static str) -> impl Parser<&'a str, &'a str, winnow::error::ContextError> {
    delimited(multispace0, word, multispace0)
}

/// An operator and what it compares with. Order is for numbers only.
pub(super) fn comparison(input: &mut &str) -> Result<Comparison> {
    let operator = delimited(multispace0, operator, multispace0).parse_next(input)?;
    let operand = operand.parse_next(input)?;
    if operator.is_order() && !matches!(operand, Operand::Number { .. }) {
        return fail.parse_next(input);
    }
    Ok(Comparison { operator, operand })
}

fn operator(input: &mut &str) -> Result<Operator> {
    alt((
        "!=".value(Operator::Unequal),
        ">=".value(Operator::GreaterOrEqual),
        "<=".value(Operator::LessOrEqual),
        "=".value(Operator::Equal),
        ">".value(Operator::Greater),
        "<".value(Operator::Less),
    ))
    .parse_next(input)
}

fn operand(input: &mut &str) -> Result<Operand> {
    alt((
        quoted.map(|text| Operand::Text(Glob::new(&text))),
        regex.map(Operand::Regex),
        bare.verify_map(|text: &str| match Number::parse(text) {
            Some(value) => Some(Operand::Number { value, text: text.to_owned() }),
            // Keywords of the language are no strings.
            None if ["null", "not", "is", "exists"].iter().any(|word| text.eq_ignore_ascii_case(word)) => None,
            None => Some(Operand::Text(Glob::new(text))),
        }),
    ))
    .parse_next(input)
}

/// A string without quotes: letters, digits, and what numbers, addresses and wildcards need.
fn bare<'a>(input: &mut &'a str) -> Result<&'a str> {
    take_while(1.., |c: char| c.is_ascii_alphanumeric() || "_.*+-".contains(c)).parse_next(input)
}

/// A string in double quotes; `\"` and `\\` stand for the character itself.
pub(super) fn quoted(input: &mut &str) -> Result<String> {
    let escaped = preceded('\\', alt(('"', '\\', empty.value('\\'))));
    delimited('"', repeat(0.., alt((escaped, none_of('"')))), '"').parse_next(input)
}

/// A regular expression between per cent signs.
pub(super) fn regex(input: &mut &str) -> Result<Regex> {
    delimited('%', take_while(1.., |c| c != '%'), '%').verify_map(compile_regex).parse_next(input)
}

fn compile_regex(text: &str) -> Option<Regex> {
    let mut rest = text;
    repeat::<_, _, (), winnow::error::ContextError, _>(1.., regex_piece).parse_next(&mut rest).ok()?;
    if !rest.is_empty() {
        return None;
    }
    RegexBuilder::new(text).size_limit(REGEX_SIZE).dfa_size_limit(REGEX_SIZE).build().ok()
}

/// What AWS allows in a regular expression: no parentheses, no exclamation mark, no other characters than ASCII, and
/// few escapes. A blank is not in the list of the page and is in its examples.
fn regex_piece(input: &mut &str) -> Result<()> {
    let plain = any.verify(|c: &char| c.is_ascii_alphanumeric() || " :_#=@/;,-^$?[]{}|*+.".contains(*c)).void();
    let class = any.verify(|c: &char| "dDsSwW".contains(*c)).void();
    let code = ('x', take_while(2, |c: char| c.is_ascii_hexdigit())).void();
    let literal = any.verify(|c: &char| c.is_ascii_punctuation()).void();
    alt((preceded('\\', alt((class, code, literal))), plain)).parse_next(input)
}
