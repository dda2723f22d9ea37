//! Filter patterns: what `FilterLogEvents`, `TestMetricFilter`, metric and subscription filters select events with.
//!
//! The language is described at <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>.
//! A pattern is compiled once for a call: `terms.rs` for plain text, `json.rs` for `{ … }`, `space.rs` for `[ … ]`. They
//! share the pieces in `parse.rs` and the comparisons in `compare.rs`. Where the page is silent, our behaviour is what
//! recorded answers of AWS show; the tests hold those cases.

mod compare;
mod json;
mod parse;
mod space;
mod terms;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use super::names::invalid;
use crate::{Error, Result};

/// What AWS says of a pattern that is wrong in no particular way.
pub(super) const INVALID: &str = "Invalid filter pattern";

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern(Kind);

#[derive(Debug)]
enum Kind {
    Everything,
    Terms(terms::Terms),
    Json(json::Json),
    Space(space::Space),
}

impl Pattern {
    /// Compiles a pattern; the empty one matches everything.
    ///
    /// # Errors
    /// `InvalidParameterException`, with AWS's text where that is known.
    pub fn compile(text: &str) -> Result<Self> {
        let text = text.trim();
        let kind = match text.chars().next() {
            None => Kind::Everything,
            Some('{') => Kind::Json(json::Json::parse(between(text, '{', '}')?)?),
            Some('[') => Kind::Space(space::Space::parse(between(text, '[', ']')?)?),
            Some(_) => Kind::Terms(terms::Terms::parse(text)?),
        };
        Ok(Self(kind))
    }

    /// Whether an event with this message is selected.
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Kind::Everything => true,
            Kind::Terms(terms) => terms.matches(message),
            Kind::Json(json) => json.matches(message),
            Kind::Space(space) => space.matches(message),
        }
    }

    /// The fields of a message that is selected, by `$name` or `$number`. Only patterns in brackets have any.
    pub fn extract(&self, message: &str) -> Option<BTreeMap<String, String>> {
        match &self.0 {
            Kind::Space(space) => space.extract(message),
            _ => self.matches(message).then(BTreeMap::new),
        }
    }
}

/// What of a message can be referred to by the filters of metrics.
#[derive(Debug)]
pub(super) enum Parts {
    /// A JSON document.
    Document(Value),
    /// The fields of a line, by `$name`.
    Fields(BTreeMap<String, String>),
}

impl Parts {
    /// The text of a string, number or boolean that `$.selector` or `$name` refers to.
    pub fn text(&self, reference: &str) -> Option<String> {
        match self {
            Self::Document(document) => json::select(reference, document),
            Self::Fields(fields) => fields.get(reference).cloned(),
        }
    }
}

impl Pattern {
    /// What a message that is selected consists of: what a pattern of terms selects has no parts.
    pub(super) fn parts(&self, message: &str) -> Option<Parts> {
        match &self.0 {
            Kind::Json(json) => {
                json.matches(message).then(|| Parts::Document(serde_json::from_str(message).unwrap_or_default()))
            }
            _ => self.extract(message).map(Parts::Fields),
        }
    }

    /// Whether a reference can mean a part of what the pattern selects.
    pub(super) fn can_refer(&self, reference: &str) -> bool {
        match &self.0 {
            Kind::Json(_) => json::is_selector(reference),
            Kind::Space(_) => reference.len() > 1 && reference.starts_with('$') && !reference.starts_with("$."),
            Kind::Everything | Kind::Terms(_) => false,
        }
    }

    /// Whether it is one in brackets, whose fields go with what is forwarded.
    pub(super) fn has_fields(&self) -> bool {
        matches!(self.0, Kind::Space(_))
    }
}

fn between(text: &str, open: char, close: char) -> Result<&str> {
    text.strip_prefix(open)
        .and_then(|rest| rest.strip_suffix(close))
        .ok_or_else(|| invalid(format!("If a filter pattern starts with '{open}' it must end with '{close}'")))
}

/// Any error of a grammar.
fn malformed<E>(_: E) -> Error {
    invalid(INVALID)
}
