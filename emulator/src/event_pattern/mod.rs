//! Event patterns: EventBridge's matching language, as rules and the filters of event source mappings use it.
//!
//! `parse.rs` reads a pattern and refuses what AWS refuses; `test.rs` says whether one value passes one test; `dots.rs`
//! takes names with dots apart.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html> and, where that page is silent, the
//! behaviour of Event Ruler, which AWS publishes as the language's implementation.

mod cidr;
mod dots;
mod parse;
mod test;
#[cfg(test)]
mod tests;

use serde_json::Value;

use test::Test;

/// A pattern that was read.
#[derive(Clone, Debug)]
pub struct EventPattern(Object);

/// Why a text is not a pattern, in the words of AWS without the `Event pattern is not valid. Reason: ` before them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPattern(pub String);

/// The fields that an object must have, all of them.
#[derive(Clone, Debug, Default)]
struct Object {
    fields: Vec<(String, Node)>,
    /// Of each `$or`, one alternative must match as well.
    either: Vec<Vec<Object>>,
}

/// What a field must be.
#[derive(Clone, Debug)]
enum Node {
    /// An object, or a list with such an object in it.
    Object(Object),
    /// A value that passes one of these tests, or a list with such a value in it.
    Leaf(Vec<Test>),
}

impl EventPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in AWS's words.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        parse::parse(text).map(Self)
    }

    /// Reads a filter policy of SNS, whose language is a part of this one.
    ///
    /// # Errors
    /// What is wrong with it, in AWS's words.
    pub fn read_filter_policy(policy: &Value) -> Result<Self, InvalidPattern> {
        parse::read(policy, &parse::FILTER_POLICIES).map(Self)
    }

    /// How many combinations of values there are, each list counted as often as it lies deep, and alternatives added up.
    /// <https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html>
    pub fn combinations(&self) -> usize {
        self.0.combinations(1)
    }

    /// Whether an event matches.
    pub fn matches(&self, event: &Value) -> bool {
        if dots::has(event) { self.0.matches(Some(&dots::parted(event, 0))) } else { self.0.matches(Some(event)) }
    }

    /// The patterns at a member of the top level: for callers to whom it matters whether they ask for an object or a value.
    /// `None` if the pattern does not speak of it, else whether it asks for an object.
    pub fn wants_object(&self, member: &str) -> Option<bool> {
        self.0.wants_object(member)
    }
}

impl Object {
    // The depth is bounded by that of the pattern, which serde_json bounds at 128.
    fn matches(&self, event: Option<&Value>) -> bool {
        match event {
            // One element must match as a whole: fields of several elements do not add up.
            Some(Value::Array(items)) if !items.is_empty() => items.iter().any(|item| self.matches(Some(item))),
            _ => {
                let member = |name: &str| event.and_then(|event| event.get(name));
                self.fields.iter().all(|(name, node)| node.matches(member(name)))
                    && self.either.iter().all(|alternatives| alternatives.iter().any(|one| one.matches(event)))
            }
        }
    }

    fn combinations(&self, depth: usize) -> usize {
        let fields = self.fields.iter().map(|(_, node)| match node {
            Node::Object(object) => object.combinations(depth + 1),
            Node::Leaf(tests) => tests.len().saturating_mul(depth),
        });
        let either = self.either.iter().map(|alternatives| {
            let each = alternatives.iter().map(|one| one.combinations(depth));
            each.fold(0_usize, usize::saturating_add)
        });
        fields.chain(either).fold(1, usize::saturating_mul)
    }

    fn wants_object(&self, member: &str) -> Option<bool> {
        let here = self.fields.iter().find(|(name, _)| name == member);
        let nested = || self.either.iter().flatten().find_map(|one| one.wants_object(member));
        here.map(|(_, node)| matches!(node, Node::Object(_))).or_else(nested)
    }
}

impl Node {
    fn matches(&self, value: Option<&Value>) -> bool {
        match self {
            Self::Object(object) => object.matches(value),
            Self::Leaf(tests) => match value {
                Some(value) if has_scalar(value) => any_scalar(value, &|scalar| tests.iter().any(|t| t.passes(scalar))),
                // Only leaves exist: an object, or an empty list, is no value of the field.
                _ => tests.iter().any(Test::passes_absence),
            },
        }
    }
}

fn has_scalar(value: &Value) -> bool {
    any_scalar(value, &|_| true)
}

/// Whether a value, or one in a list, passes. The depth is bounded by serde_json, which reads no deeper than 128 levels.
fn any_scalar(value: &Value, passes: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().any(|item| any_scalar(item, passes)),
        scalar => passes(scalar),
    }
}
