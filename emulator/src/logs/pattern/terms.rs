//! Patterns for plain text: terms that must be there, terms that must not, or some of which must.

use regex::Regex;
use winnow::Result as Parsed;
use winnow::ascii::{multispace0, multispace1};
use winnow::combinator::{alt, eof, opt, peek, separated};
use winnow::prelude::*;
use winnow::token::take_while;

use super::super::names::invalid;
use super::malformed;
use super::parse::{quoted, regex};
use crate::Result;

/// A pattern of terms. Without signs all must be in the event; a `?` makes a term one of several of which one must be.
#[derive(Debug, Default)]
pub(super) struct Terms {
    include: Vec<Term>,
    exclude: Vec<Term>,
    optional: Vec<Term>,
}

#[derive(Debug)]
enum Term {
    Text(String),
    Regex(Regex),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Include,
    Exclude,
    Optional,
}

impl Terms {
    pub fn parse(text: &str) -> Result<Self> {
        let parsed: Vec<(Sign, Token<'_>)> = separated(1.., signed, multispace1).parse(text).map_err(|error| {
            let rest = text.get(error.offset()..).unwrap_or_default();
            // AWS takes a quotation mark that is not closed as part of the term.
            match rest.starts_with('"') && !rest[1..].contains('"') {
                true => bad_characters(rest),
                false => malformed(error),
            }
        })?;
        let mut terms = Self::default();
        for (sign, token) in parsed {
            let term = token.into_term()?;
            match sign {
                Sign::Include => terms.include.push(term),
                Sign::Exclude => terms.exclude.push(term),
                Sign::Optional => terms.optional.push(term),
            }
        }
        Ok(terms)
    }

    /// Terms with a question mark have no effect beside others: AWS's page says so, and so it is.
    pub fn matches(&self, message: &str) -> bool {
        let optional = !self.include.is_empty() || !self.exclude.is_empty() || any(&self.optional, message);
        optional && self.include.iter().all(|term| term.is_in(message)) && !any(&self.exclude, message)
    }
}

fn any(terms: &[Term], message: &str) -> bool {
    terms.iter().any(|term| term.is_in(message))
}

impl Term {
    fn is_in(&self, message: &str) -> bool {
        match self {
            Self::Text(text) => message.contains(text.as_str()),
            Self::Regex(regex) => regex.is_match(message),
        }
    }
}

/// A term as it is written.
enum Token<'a> {
    Quoted(String),
    Regex(Regex),
    Bare(&'a str),
}

impl Token<'_> {
    /// Without quotes a term has letters, digits and underscores only.
    fn into_term(self) -> Result<Term> {
        match self {
            // `" "` is how to say "everything": AWS's page has it as an example.
            Self::Quoted(text) if text.trim().is_empty() => Ok(Term::Text(String::new())),
            Self::Quoted(text) => Ok(Term::Text(text)),
            Self::Regex(regex) => Ok(Term::Regex(regex)),
            Self::Bare(text) => {
                let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let bad = text.trim_start_matches(good);
                if bad.is_empty() {
                    return Ok(Term::Text(text.to_owned()));
                }
                Err(bad_characters(bad.split(good).next().unwrap_or(bad)))
            }
        }
    }
}

fn bad_characters(term: &str) -> crate::Error {
    invalid(format!("Invalid character(s) in term '{term}'"))
}

fn signed<'a>(input: &mut &'a str) -> Parsed<(Sign, Token<'a>)> {
    let sign = opt(alt((('-', multispace0).value(Sign::Exclude), '?'.value(Sign::Optional)))).parse_next(input)?;
    let bare = take_while(1.., |c: char| !c.is_whitespace() && c != '"').map(Token::Bare);
    let token = alt((quoted.map(Token::Quoted), regex.map(Token::Regex), bare)).parse_next(input)?;
    if !matches!(token, Token::Bare(_)) {
        peek(alt((multispace1.void(), eof.void()))).parse_next(input)?;
    }
    Ok((sign.unwrap_or(Sign::Include), token))
}
