//! The Velocity template language as API Gateway's mapping templates use it.
//!
//! Text, references (`$x`, `$!{x.y}`, `$list[0]`, `$text.substring(1)`), `#set`, `#if`, `#foreach`, `#break`, `#stop`, comments and
//! `#[[unparsed text]]#`. Everything else of Velocity (`#macro`, `#define`, `#parse`, `#include`, `#evaluate`) is refused by name.
//! What a template may name (`$input`, `$util`, `$context`) comes from outside as [`Object`]s.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>
//! and <https://velocity.apache.org/engine/1.7/user-guide.html>.

mod arithmetic;
mod ast;
mod expression;
mod lexer;
mod methods;
mod parser;
mod render;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;

pub use value::{List, Object, Value};

/// The largest output, in bytes: what API Gateway lets through as a payload.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
pub const OUTPUT_LIMIT: usize = 10 * 1024 * 1024;
/// How often one `#foreach` may go round: Velocity's `directive.foreach.maxloops` at API Gateway.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
pub const LOOP_LIMIT: usize = 1000;
/// How deep directives, expressions and values may nest.
pub const DEPTH_LIMIT: usize = 32;
/// How many steps (references, directives, loops) one rendering may take; ours, so that no template runs for long.
pub const STEP_LIMIT: usize = 250_000;

/// Why a template cannot be read or rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no template.
    #[error("line {line}, column {column}: {what}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// What is wrong.
        what: String,
    },
    /// A directive that this implementation does not have.
    #[error("line {line}: the directive #{directive} is not supported")]
    Unsupported {
        /// Its name.
        directive: String,
        /// Counted from 1.
        line: usize,
    },
    /// A method that its value does not have, or was called with arguments it does not take.
    #[error("{0}")]
    Method(String),
    /// The template asked for more than it may.
    #[error("the template is over the limit of {0}")]
    Limit(&'static str),
}

/// The variables that a template sees and sets, by their names without `$`.
pub type Variables = BTreeMap<String, Value>;

/// A template that was read.
#[derive(Clone, Debug)]
pub struct Template {
    nodes: Vec<ast::Node>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`Error::Syntax`] with the place, [`Error::Unsupported`], or [`Error::Limit`] for one that nests too deeply.
    pub fn parse(text: &str) -> Result<Self, Error> {
        parser::template(text).map(|nodes| Self { nodes })
    }

    /// Renders it. What it sets is in the variables afterwards.
    ///
    /// # Errors
    /// [`Error::Method`] from a value, or [`Error::Limit`].
    pub fn render(&self, variables: &mut Variables) -> Result<String, Error> {
        render::render(&self.nodes, variables)
    }
}
