//! Projections: what `ProjectionExpression` and `AttributesToGet` leave of an item.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::lexer::{Kind, Tokens};
use crate::path::{Heads, Path, PathTree, RawPath};
use crate::{Error, Item, Placeholders, Result};

/// The parts of items that a request wants.
#[derive(Debug, Clone)]
pub struct Projection {
    tree: PathTree,
    heads: Heads,
}

impl Projection {
    /// Reads a `ProjectionExpression`.
    ///
    /// Model: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html>
    pub fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Self> {
        parse(text, placeholders).map_err(|error| error.within("Invalid ProjectionExpression: ", ""))
    }

    /// Reads the legacy `AttributesToGet`. A name that stands twice is an error.
    pub fn from_attributes_to_get<S: AsRef<str>>(names: &[S]) -> Result<Self> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().map(AsRef::as_ref).find(|name: &&str| !seen.insert(*name)) {
            return Err(Error::parameter(format_args!("Duplicate value in attribute name: {twice}")));
        }
        Self::new(names.iter().map(|name| Path::attribute(name.as_ref())).collect())
    }

    fn new(paths: Vec<Path>) -> Result<Self> {
        let mut heads = Heads::default();
        paths.iter().for_each(|path| heads.note(path));
        Ok(Self { tree: PathTree::new(paths)?, heads })
    }

    /// What of the item is wanted. Elements of one list keep their order and close up.
    pub fn apply(&self, item: &Item) -> Item {
        self.tree.project(item)
    }

    /// The top-level attributes that it reads: an index must hold them all.
    pub fn attributes(&self) -> &BTreeSet<Arc<str>> {
        &self.heads.all
    }

    /// The top-level attributes into which it reads by `.` or `[]`: key attributes may not be among them.
    pub fn nested_attributes(&self) -> &BTreeSet<Arc<str>> {
        &self.heads.nested
    }
}

fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Projection> {
    let mut tokens = Tokens::new(text)?;
    let mut paths = vec![RawPath::parse(&mut tokens)?];
    while tokens.accept(",") {
        paths.push(RawPath::parse(&mut tokens)?);
    }
    if tokens.kind() != Kind::End {
        return Err(tokens.unexpected());
    }
    paths.iter().try_for_each(RawPath::check)?;
    Projection::new(paths.iter().map(|path| path.resolve(placeholders)).collect::<Result<_>>()?)
}
