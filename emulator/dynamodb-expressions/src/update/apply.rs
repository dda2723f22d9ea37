//! Carries out an update on an item.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Action, ActionKind, Expression, Update};
use crate::json::{NESTING_LEVELS, too_deep};
use crate::path::{Path, Step};
use crate::{AttributeValue, Error, Item, Number, Result};

const INVALID_PATH: &str = "The document path provided in the update expression is invalid for update";
const NO_ATTRIBUTE: &str = "The provided expression refers to an attribute that does not exist in the item";
const WRONG_TYPE: &str = "An operand in the update expression has an incorrect data type";
const LEGACY_WRONG_TYPE: &str = "Type mismatch for attribute to update";

/// The item as the update leaves it. Every index means the list as it was: first everything is written, in the order
/// of the paths so that what lies beyond the end of a list is appended in the order of its indexes; then everything is
/// removed, from the end of each list.
pub(super) fn apply(update: &Update, item: &Item, exists: bool) -> Result<Item> {
    let mut actions: Vec<&Action> = update.actions.iter().collect();
    actions.sort_by(|one, other| one.path.cmp(&other.path));
    let mut result = item.clone();
    let mut removed = Vec::new();
    for action in actions {
        let leads_somewhere = has_parent(&result, &action.path);
        if !leads_somewhere && (exists || !matches!(action.kind, ActionKind::Remove)) {
            return Err(Error::validation(INVALID_PATH));
        }
        let Some(value) = outcome(action, item, update.legacy)? else {
            // What lies beyond the end of a list is not there, whatever was appended meanwhile.
            removed.extend(action.path.get(item).map(|_| &action.path));
            continue;
        };
        if action.path.steps.len() + value.levels() > NESTING_LEVELS {
            return Err(too_deep());
        }
        match parent(&mut result, &action.path) {
            Some(Parent::Map(map, name)) => drop(map.insert(name, value)),
            Some(Parent::List(list, index)) => match list.get_mut(index) {
                Some(element) => *element = value,
                None => list.push(value),
            },
            None => return Err(Error::validation(INVALID_PATH)),
        }
    }
    for path in removed.into_iter().rev() {
        match parent(&mut result, path) {
            Some(Parent::Map(map, name)) => drop(map.remove(&name)),
            Some(Parent::List(list, index)) if index < list.len() => drop(list.remove(index)),
            _ => {}
        }
    }
    Ok(result)
}

/// True if a path's last step leads from a document of the right kind.
fn has_parent(item: &Item, path: &Path) -> bool {
    let Some((last, steps)) = path.steps.split_last() else { return true };
    let head = item.get(&path.head);
    let document = head.and_then(|head| steps.iter().try_fold(head, |value, step| step.of(value)));
    matches!(
        (document, last),
        (Some(AttributeValue::M(_)), Step::Name(_)) | (Some(AttributeValue::L(_)), Step::Index(_))
    )
}

/// What a path's last step leads from.
enum Parent<'a> {
    Map(&'a mut Item, Arc<str>),
    List(&'a mut Vec<AttributeValue>, usize),
}

/// The document that a path's last step leads from, if there is one of the right kind.
fn parent<'a>(item: &'a mut Item, path: &Path) -> Option<Parent<'a>> {
    let Some((last, steps)) = path.steps.split_last() else { return Some(Parent::Map(item, path.head.clone())) };
    let mut value = item.get_mut(&path.head)?;
    for step in steps {
        value = match (step, value) {
            (Step::Name(name), AttributeValue::M(map)) => Arc::make_mut(map).get_mut(name)?,
            (Step::Index(index), AttributeValue::L(list)) => Arc::make_mut(list).get_mut(*index)?,
            _ => return None,
        };
    }
    match (last, value) {
        (Step::Name(name), AttributeValue::M(map)) => Some(Parent::Map(Arc::make_mut(map), name.clone())),
        (Step::Index(index), AttributeValue::L(list)) => Some(Parent::List(Arc::make_mut(list), *index)),
        _ => None,
    }
}

/// The value that an action leaves at its path, or none if it leaves nothing there.
fn outcome(action: &Action, item: &Item, legacy: bool) -> Result<Option<AttributeValue>> {
    let before = action.path.get(item);
    let mismatch = || Error::validation(if legacy { LEGACY_WRONG_TYPE } else { WRONG_TYPE });
    match &action.kind {
        ActionKind::Set(expression) => evaluate(expression, item).map(Some),
        ActionKind::Remove => Ok(None),
        ActionKind::Add(added) => match before {
            None => Ok(Some(added.clone())),
            Some(before) => sum(before, added, mismatch).map(Some),
        },
        ActionKind::Delete(deleted) => match before {
            None => Ok(None),
            Some(before) => difference(before, deleted).ok_or_else(mismatch),
        },
    }
}

fn sum(before: &AttributeValue, added: &AttributeValue, mismatch: impl Fn() -> Error) -> Result<AttributeValue> {
    Ok(match (before, added) {
        (AttributeValue::N(before), AttributeValue::N(added)) => AttributeValue::N(before.plus(*added)?),
        (AttributeValue::SS(before), AttributeValue::SS(added)) => AttributeValue::SS(union(before, added)),
        (AttributeValue::NS(before), AttributeValue::NS(added)) => AttributeValue::NS(union(before, added)),
        (AttributeValue::BS(before), AttributeValue::BS(added)) => AttributeValue::BS(union(before, added)),
        (AttributeValue::L(before), AttributeValue::L(added)) => AttributeValue::L(appended(before, added)),
        _ => return Err(mismatch()),
    })
}

/// What is left of a set, which is nothing rather than an empty set; none if the types differ.
fn difference(before: &AttributeValue, deleted: &AttributeValue) -> Option<Option<AttributeValue>> {
    Some(match (before, deleted) {
        (AttributeValue::SS(before), AttributeValue::SS(deleted)) => without(before, deleted).map(AttributeValue::SS),
        (AttributeValue::NS(before), AttributeValue::NS(deleted)) => without(before, deleted).map(AttributeValue::NS),
        (AttributeValue::BS(before), AttributeValue::BS(deleted)) => without(before, deleted).map(AttributeValue::BS),
        _ => return None,
    })
}

fn union<T: Ord + Clone>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> Arc<BTreeSet<T>> {
    Arc::new(one.union(other).cloned().collect())
}

fn without<T: Ord + Clone>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> Option<Arc<BTreeSet<T>>> {
    let left: BTreeSet<T> = one.difference(other).cloned().collect();
    (!left.is_empty()).then(|| Arc::new(left))
}

fn appended(one: &[AttributeValue], other: &[AttributeValue]) -> Arc<Vec<AttributeValue>> {
    Arc::new([one, other].concat())
}

fn evaluate(expression: &Expression, item: &Item) -> Result<AttributeValue> {
    Ok(match expression {
        Expression::Value(value) => value.clone(),
        Expression::Path(path) => path.get(item).cloned().ok_or_else(|| Error::validation(NO_ATTRIBUTE))?,
        Expression::IfNotExists(path, otherwise) => match path.get(item) {
            Some(value) => value.clone(),
            None => evaluate(otherwise, item)?,
        },
        Expression::ListAppend(operands) => match both(operands, item)? {
            (AttributeValue::L(one), AttributeValue::L(other)) => AttributeValue::L(appended(&one, &other)),
            _ => return Err(Error::validation(WRONG_TYPE)),
        },
        Expression::Plus(operands) => arithmetic(operands, item, Number::plus)?,
        Expression::Minus(operands) => arithmetic(operands, item, Number::minus)?,
    })
}

fn arithmetic(
    operands: &[Expression; 2],
    item: &Item,
    operation: fn(Number, Number) -> Result<Number>,
) -> Result<AttributeValue> {
    match both(operands, item)? {
        (AttributeValue::N(one), AttributeValue::N(other)) => operation(one, other).map(AttributeValue::N),
        _ => Err(Error::validation(WRONG_TYPE)),
    }
}

fn both([one, other]: &[Expression; 2], item: &Item) -> Result<(AttributeValue, AttributeValue)> {
    Ok((evaluate(one, item)?, evaluate(other, item)?))
}
