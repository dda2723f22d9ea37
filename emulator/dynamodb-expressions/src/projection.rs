//! Projections: what `ProjectionExpression` and `AttributesToGet` leave of an item.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::{Item, Placeholders, Result};

/// The parts of items that a request wants.
#[derive(Debug, Clone)]
pub struct Projection {}

impl Projection {
    /// Reads a `ProjectionExpression`.
    pub fn parse(_text: &str, _placeholders: &mut Placeholders) -> Result<Self> {
        todo!()
    }

    /// Reads the legacy `AttributesToGet`. A name that stands twice is an error.
    pub fn from_attributes_to_get<S: AsRef<str>>(_names: &[S]) -> Result<Self> {
        todo!()
    }

    /// What of the item is wanted. Elements of one list keep their order and close up.
    pub fn apply(&self, _item: &Item) -> Item {
        todo!()
    }

    /// The top-level attributes that it reads: an index must hold them all.
    pub fn attributes(&self) -> &BTreeSet<Arc<str>> {
        todo!()
    }

    /// The top-level attributes into which it reads by `.` or `[]`: key attributes may not be among them.
    pub fn nested_attributes(&self) -> &BTreeSet<Arc<str>> {
        todo!()
    }
}
