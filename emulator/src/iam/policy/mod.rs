//! Policy documents: their statements, their original text, and what AWS refuses.

pub mod check;
pub mod condition;
pub mod evaluate;
pub mod parse;
pub mod pattern;

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Result;
use crate::iam::principal::PrincipalElement;
use condition::Condition;

pub use evaluate::{Attached, Decision, PolicyKind, Request, StatementRef, applying, evaluate};

/// A policy document as a service keeps it: the text as it came in, for `Get…Policy` to answer with, and its statements.
///
/// Cheap to clone. Serialised as the original text; the name is the key under which its owner keeps it.
#[derive(Clone, Debug)]
pub struct Policy(Arc<Parsed>);

#[derive(Debug)]
struct Parsed {
    text: String,
    document: Document,
}

/// What a policy is for decides what its document may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// Managed policies of users, groups and roles, and permissions boundaries.
    Identity,
    /// Inline policies of users, groups and roles. Unlike managed ones they may leave out the version: SAM's do.
    Inline,
    /// A role's `AssumeRolePolicyDocument`.
    Trust,
    /// A policy of a bucket, queue, topic, key or function.
    Resource,
    /// The `Policy` parameter of `AssumeRole`.
    Session,
}

/// The members of a policy document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// `Version`; a document without one is of 2008-10-17.
    pub version: Option<Version>,
    /// `Id`.
    pub id: Option<String>,
    /// `Statement`, whether written as one or as a list.
    pub statements: Vec<Statement>,
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// `2008-10-17`, in which `${…}` means nothing.
    V2008,
    /// `2012-10-17`.
    V2012,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// `Sid`; an empty one counts as none.
    pub sid: Option<String>,
    /// Whether the statement denies rather than allows.
    pub deny: bool,
    /// `Principal` or `NotPrincipal`.
    pub principal: Option<Either<PrincipalElement>>,
    /// `Action` or `NotAction`.
    pub action: Option<Either<Vec<String>>>,
    /// `Resource` or `NotResource`.
    pub resource: Option<Either<Vec<String>>>,
    /// `Condition`: all must hold.
    pub conditions: Vec<Condition>,
}

/// An element or its negation: `Action` or `NotAction`, and so on.
#[derive(Clone, Debug, PartialEq)]
pub enum Either<T> {
    /// The element.
    Is(T),
    /// Its `Not…` form.
    Not(T),
}

impl<T> Either<T> {
    /// What the element holds, negated or not.
    pub fn value(&self) -> &T {
        match self {
            Self::Is(value) | Self::Not(value) => value,
        }
    }
}

impl Policy {
    /// Reads a document and refuses what AWS refuses for this purpose: `MalformedPolicyDocument`, status 400.
    pub fn parse(text: &str, purpose: Purpose) -> Result<Self> {
        let document = parse::document(text, purpose)?;
        check::check(&document, purpose)?;
        Ok(Self(Arc::new(Parsed { text: text.to_owned(), document })))
    }

    /// Reads a document's syntax only.
    pub fn read(text: &str) -> Result<Self> {
        let document = parse::document(text, Purpose::Resource)?;
        Ok(Self(Arc::new(Parsed { text: text.to_owned(), document })))
    }

    /// Reads a document that was accepted before, by whichever parser.
    pub fn accepted(text: &str) -> Result<Self> {
        let document = parse::document(text, Purpose::Trust)?;
        Ok(Self(Arc::new(Parsed { text: text.to_owned(), document })))
    }

    /// The document as it came in.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The document's members.
    pub fn document(&self) -> &Document {
        &self.0.document
    }

    /// Whether `${…}` is filled in.
    pub fn has_variables(&self) -> bool {
        self.0.document.version == Some(Version::V2012)
    }
}

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Policy {}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.text)
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::accepted(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
