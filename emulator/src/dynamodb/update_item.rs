//! `UpdateItem`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html>

use std::sync::Arc;

use dynamodb_expressions::{Condition, ExpressionKind, Item, Placeholders, Update, item_from_json};
use serde::Deserialize;

use super::capacity::{Consumed, collection_metrics};
use super::errors::{EMPTY_SET, UNUSED, detected, parameter, validation};
use super::parameters::{Json, Parameters, WriteCondition, condition};
use super::put_item::WriteOutput;
use super::shown::Shown;
use super::table::{Stored, Table};
use super::write::{MAX_ITEM_SIZE, Writer, Written, check, commit};
use super::{Tables, target};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// The refusals that begin with `1 validation error detected:`.
const NEWER: [&str; 6] = [
    UNUSED,
    EMPTY_SET,
    "ExpressionAttributeValues must not be empty",
    "Invalid UpdateExpression: The expression can not be empty;",
    "Invalid UpdateExpression: The \"",
    "Invalid UpdateExpression: Two document paths overlap",
];

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op("UpdateItem", |at, i: &UpdateItem| target::item(at, &i.table_name, &i.key), update)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateItem {
    table_name: String,
    key: Json,
    attribute_updates: Option<Json>,
    update_expression: Option<String>,
    expected: Option<Json>,
    conditional_operator: Option<String>,
    condition_expression: Option<String>,
    expression_attribute_names: Option<Json>,
    expression_attribute_values: Option<Json>,
    return_values: Option<String>,
    return_values_on_condition_check_failure: Option<String>,
    return_consumed_capacity: Option<String>,
    return_item_collection_metrics: Option<String>,
}

/// What a request asks for, before its table is known.
struct Request {
    key: Item,
    update: Option<Update>,
    condition: Option<Condition>,
}

fn read(input: &UpdateItem) -> Result<Request> {
    let (names, values) = (input.expression_attribute_names.as_ref(), input.expression_attribute_values.as_ref());
    let parameters = Parameters {
        expressions: &[
            ("UpdateExpression", input.update_expression.is_some()),
            ("ConditionExpression", input.condition_expression.is_some()),
        ],
        legacy: &[("AttributeUpdates", input.attribute_updates.is_some()), ("Expected", input.expected.is_some())],
        names: names.is_some(),
        values: values.is_some(),
    };
    parameters.check()?;
    let key = item_from_json(&input.key)?;
    let legacy_update = input.attribute_updates.as_ref().map(Update::from_attribute_updates).transpose()?;
    let expected = WriteCondition {
        expected: input.expected.as_ref(),
        operator: input.conditional_operator.as_deref(),
        expression: None,
        names: None,
        values: None,
    };
    let legacy = expected.read_expected()?;
    let mut placeholders = Placeholders::new(names, values)?;
    let update = input.update_expression.as_deref().map(|text| Update::parse(text, &mut placeholders)).transpose()?;
    let expression = condition(ExpressionKind::Condition, input.condition_expression.as_deref(), &mut placeholders)?;
    placeholders.finish()?;
    Ok(Request { key, update: update.or(legacy_update), condition: expression.or(legacy) })
}

fn update(cx: &mut Cx<Tables>, input: UpdateItem) -> Result<WriteOutput> {
    let updated = update_one(cx, &input).map(|(output, _)| output);
    updated.map_err(|error| detected(of_empty_set(error), &NEWER))
}

/// Of an empty set it is not said which of the expressions' values it is, as a test of moto shows that was run at AWS.
fn of_empty_set(error: Error) -> Error {
    let text = error.message().strip_prefix("ExpressionAttributeValues contains invalid value: ");
    match text.and_then(|text| text.split_once(" for key ")) {
        Some((text, _)) if text.ends_with(EMPTY_SET) => validation(text),
        _ => error,
    }
}

/// Does it, and says what it consumed whether the request asks for that or not.
pub(super) fn update_one(cx: &mut Cx<Tables>, input: &UpdateItem) -> Result<(WriteOutput, Consumed)> {
    let request = read(input)?;
    let table = cx.state.table(&input.table_name)?;
    let place = table.definition.key.place_of_key(&request.key)?;
    if let Some(update) = &request.update {
        check_update(table, update)?;
    }
    if let Some(condition) = &request.condition {
        table.check_scalar_keys(condition.nested_attributes())?;
    }
    let old = table.items.get(&place).cloned();
    let failure = input.return_values_on_condition_check_failure.as_deref();
    check(request.condition.as_ref(), old.as_deref(), failure)?;
    let new = updated(table, request.update.as_ref(), old.as_ref(), &request.key)?;

    let metrics = collection_metrics(input.return_item_collection_metrics.as_deref(), table, &request.key);
    let written = match &new {
        Some(new) => commit(cx, &input.table_name, &place, Some(new), Writer::Caller)?,
        // There is nothing to take attributes from, and nothing is written.
        None => Written { old: None, consumed: Consumed::write(None, None, &[]) },
    };
    let attributes = returned(input.return_values.as_deref(), request.update.as_ref(), old, new);
    let asked = input.return_consumed_capacity.as_deref();
    Ok((WriteOutput::new(attributes, &written, asked, &input.table_name, metrics), written.consumed))
}

/// Checks that an update leaves the key alone, gives the keys of indexes their types, and does not look into either.
pub(super) fn check_update(table: &Table, update: &Update) -> Result<()> {
    update.check_keys(table.definition.key.names().map(|name| &**name))?;
    for index in &table.indexes {
        for attribute in index.key.attributes().filter(|attribute| !table.definition.key.has(&attribute.name)) {
            let (name, expected) = (&attribute.name, attribute.kind.as_str());
            if let Some(actual) = update.known_type(name).filter(|actual| *actual != expected) {
                return Err(parameter(format_args!(
                    "Type mismatch for Index Key {name} Expected: {expected} Actual: {actual} IndexName: {}",
                    index.name
                )));
            }
        }
    }
    table.check_scalar_keys(update.nested_attributes())
}

/// The item as the update leaves it; `None` if there was none and the update makes none.
pub(super) fn updated(
    table: &Table,
    update: Option<&Update>,
    old: Option<&Arc<Stored>>,
    key: &Item,
) -> Result<Option<Arc<Stored>>> {
    let item = match (update, old) {
        (None, Some(old)) => old.item.clone(),
        (None, None) => key.clone(),
        (Some(update), Some(old)) => update.apply(&old.item)?,
        (Some(update), None) => {
            let item = update.create(key)?;
            if item == *key && !update.attributes().is_empty() {
                return Ok(None);
            }
            item
        }
    };
    table.check_index_keys(&item).map_err(reword)?;
    let new = Stored::new(item);
    if new.size > MAX_ITEM_SIZE {
        return Err(validation("Item size to update has exceeded the maximum allowed size"));
    }
    Ok(Some(Arc::new(new)))
}

/// What `ReturnValues` asks for. Nothing is shown where there is nothing.
fn returned(
    asked: Option<&str>,
    update: Option<&Update>,
    old: Option<Arc<Stored>>,
    new: Option<Arc<Stored>>,
) -> Option<Shown> {
    let touched = |stored: Option<Arc<Stored>>| {
        let item = update?.touched(&stored?.item);
        (!item.is_empty()).then_some(Shown::Made(item))
    };
    match asked {
        Some("ALL_OLD") => old.map(Shown::Kept),
        Some("ALL_NEW") => new.map(Shown::Kept),
        Some("UPDATED_OLD") => touched(old),
        Some("UPDATED_NEW") => touched(new),
        _ => None,
    }
}

/// An update says of keys of indexes what a put says of them in other words.
fn reword(error: Error) -> Error {
    let message = error.message();
    if message.contains("Type mismatch") {
        return validation("The update expression attempted to update the secondary index key to unsupported type");
    }
    let kind = ["string", "binary"].into_iter().find(|kind| message.contains(&format!("an empty {kind} value")));
    match kind {
        None => error,
        Some(kind) => validation(format!(
            "One or more parameter values are not valid. The update expression attempted to update a secondary index key to \
             a value that is not supported. The AttributeValue for a key attribute cannot contain an empty {kind} value."
        )),
    }
}
