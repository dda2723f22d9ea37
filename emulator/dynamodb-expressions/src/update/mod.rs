//! Updates: what `UpdateExpression` and `AttributeUpdates` make of an item.

mod apply;
mod legacy;
mod parse;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::path::{Heads, Path, PathTree};
use crate::{AttributeValue, Error, Item, Placeholders, Result};

/// What is to be made of an item.
///
/// Model: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>
#[derive(Debug, Clone)]
pub struct Update {
    actions: Vec<Action>,
    /// The paths of the actions.
    tree: PathTree,
    heads: Heads,
    /// True for `AttributeUpdates`, which word their refusals otherwise.
    legacy: bool,
}

/// One action on one path.
#[derive(Debug, Clone)]
struct Action {
    path: Path,
    kind: ActionKind,
}

#[derive(Debug, Clone)]
enum ActionKind {
    Set(Expression),
    Remove,
    /// A number to add, or a set (by the legacy parameter also a list) whose elements to add.
    Add(AttributeValue),
    /// A set whose elements to remove.
    Delete(AttributeValue),
}

/// What SET may assign.
#[derive(Debug, Clone)]
enum Expression {
    Value(AttributeValue),
    Path(Path),
    IfNotExists(Path, Box<Expression>),
    ListAppend(Box<[Expression; 2]>),
    Plus(Box<[Expression; 2]>),
    Minus(Box<[Expression; 2]>),
}

impl Expression {
    /// The type of its value, if that is known without the item.
    fn known_type(&self) -> Option<&'static str> {
        match self {
            Self::Value(value) => Some(value.type_name()),
            Self::Path(_) => None,
            Self::IfNotExists(_, otherwise) => otherwise.known_type(),
            Self::ListAppend(_) => Some("L"),
            Self::Plus(_) | Self::Minus(_) => Some("N"),
        }
    }

    /// Takes note of the attributes into which it reads by `.` or `[]`. Its depth is limited by the parser.
    fn note_nested(&self, nested: &mut BTreeSet<Arc<str>>) {
        let mut note = |path: &Path| {
            if !path.steps.is_empty() {
                nested.insert(path.head.clone());
            }
        };
        match self {
            Self::Value(_) => {}
            Self::Path(path) => note(path),
            Self::IfNotExists(path, otherwise) => {
                note(path);
                otherwise.note_nested(nested);
            }
            Self::ListAppend(both) | Self::Plus(both) | Self::Minus(both) => {
                both.iter().for_each(|operand| operand.note_nested(nested));
            }
        }
    }
}

impl Update {
    /// Reads an `UpdateExpression`. Values are taken from the placeholders now.
    pub fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Self> {
        parse::parse(text, placeholders).map_err(|error| error.within("Invalid UpdateExpression: ", ""))
    }

    /// Reads the legacy `AttributeUpdates`.
    pub fn from_attribute_updates(updates: &Map<String, Value>) -> Result<Self> {
        let actions = legacy::actions(updates)?;
        let tree = PathTree::new(actions.iter().map(|action| action.path.clone()))?;
        Ok(Self::new(actions, tree, true))
    }

    fn new(actions: Vec<Action>, tree: PathTree, legacy: bool) -> Self {
        let mut heads = Heads::default();
        actions.iter().for_each(|action| heads.note(&action.path));
        for action in &actions {
            if let ActionKind::Set(expression) = &action.kind {
                expression.note_nested(&mut heads.nested);
            }
        }
        Self { actions, tree, heads, legacy }
    }

    /// The item as the update leaves it. All operands are those of the item as it was.
    ///
    /// Errors: a path that leads nowhere, an operand that does not exist or has the wrong type, a number or document
    /// beyond the limits. The item's size is the table's matter.
    pub fn apply(&self, item: &Item) -> Result<Item> {
        apply::apply(self, item, true)
    }

    /// The item that the update makes where there was none; it begins as its key alone. Unlike from an item that
    /// exists, nothing can be removed from it by a path that leads nowhere, and nobody is told.
    pub fn create(&self, key: &Item) -> Result<Item> {
        apply::apply(self, key, false)
    }

    /// The parts of the item that the update names: `UPDATED_OLD` of the item before, `UPDATED_NEW` of the one after.
    pub fn touched(&self, item: &Item) -> Item {
        self.tree.project(item)
    }

    /// The error when the update names one of these key attributes.
    pub fn check_keys<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> Result<()> {
        match keys.into_iter().find(|key| self.heads.all.contains(*key)) {
            Some(key) => {
                Err(Error::parameter(format_args!("Cannot update attribute {key}. This attribute is part of the key")))
            }
            None => Ok(()),
        }
    }

    /// The type that the update will give to this top-level attribute, if that is known without the item: an
    /// attribute that is an index's key may have one type only.
    pub fn known_type(&self, attribute: &str) -> Option<&'static str> {
        let whole = |action: &&Action| &*action.path.head == attribute && action.path.steps.is_empty();
        match &self.actions.iter().find(whole)?.kind {
            ActionKind::Set(expression) => expression.known_type(),
            ActionKind::Add(value) | ActionKind::Delete(value) => Some(value.type_name()),
            ActionKind::Remove => None,
        }
    }

    /// The top-level attributes that it changes.
    pub fn attributes(&self) -> &BTreeSet<Arc<str>> {
        &self.heads.all
    }

    /// The top-level attributes into which it writes or reads by `.` or `[]`: key attributes may not be among them.
    pub fn nested_attributes(&self) -> &BTreeSet<Arc<str>> {
        &self.heads.nested
    }
}
