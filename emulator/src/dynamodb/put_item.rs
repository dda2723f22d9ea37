//! `PutItem`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html>

use std::sync::Arc;

use dynamodb_expressions::{ExpressionKind, Placeholders, item_from_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::capacity::{Consumed, ConsumedCapacity, Kind, collection_metrics};
use super::errors::validation;
use super::parameters::{Json, Parameters, condition, expected};
use super::shown::Shown;
use super::table::Stored;
use super::write::{MAX_ITEM_SIZE, Writer, check, commit};
use super::{Tables, target};
use crate::Result;
use crate::cloud::{Cx, Service};

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op("PutItem", |at, i: &PutItem| target::item(at, &i.table_name, &i.item), put)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutItem {
    table_name: String,
    item: Json,
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

/// The answer of an operation that writes one item.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WriteOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumed_capacity: Option<ConsumedCapacity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_collection_metrics: Option<Value>,
}

fn put(cx: &mut Cx<Tables>, input: PutItem) -> Result<WriteOutput> {
    put_one(cx, &input).map(|(output, _)| output)
}

/// Does it, and says what it consumed whether the request asks for that or not.
pub(super) fn put_one(cx: &mut Cx<Tables>, input: &PutItem) -> Result<(WriteOutput, Consumed)> {
    let (names, values) = (input.expression_attribute_names.as_ref(), input.expression_attribute_values.as_ref());
    let parameters = Parameters {
        expressions: &[("ConditionExpression", input.condition_expression.is_some())],
        legacy: &[("Expected", input.expected.is_some())],
        names: names.is_some(),
        values: values.is_some(),
    };
    parameters.check()?;
    let new = Arc::new(Stored::new(item_from_json(&input.item)?));
    check_return_values(input.return_values.as_deref())?;
    check_item_size(&new)?;
    let legacy = expected(input.expected.as_ref(), input.conditional_operator.as_deref())?;
    let mut placeholders = Placeholders::new(names, values)?;
    let expression = condition(ExpressionKind::Condition, input.condition_expression.as_deref(), &mut placeholders)?;
    placeholders.finish()?;
    let condition = expression.or(legacy);

    let table = cx.state.table(&input.table_name)?;
    if let Some(condition) = &condition {
        table.check_scalar_keys(condition.nested_attributes())?;
    }
    let place = table.definition.key.place_of_item(&new.item)?;
    table.check_index_keys(&new.item)?;
    let old = table.items.get(&place);
    check(condition.as_ref(), old.map(|old| &**old), input.return_values_on_condition_check_failure.as_deref())?;

    let metrics = collection_metrics(input.return_item_collection_metrics.as_deref(), table, &new.item);
    let written = commit(cx, &input.table_name, &place, Some(&new), Writer::Caller)?;
    let asked = input.return_consumed_capacity.as_deref();
    let output = WriteOutput {
        attributes: written.old.filter(|_| input.return_values.as_deref() == Some("ALL_OLD")).map(Shown::Kept),
        consumed_capacity: written.consumed.shown(asked, target::table_name(&input.table_name), Kind::Plain),
        item_collection_metrics: metrics,
    };
    Ok((output, written.consumed))
}

/// Puts and deletes can return what was there, and nothing else.
pub(super) fn check_return_values(return_values: Option<&str>) -> Result<()> {
    match return_values {
        None | Some("NONE" | "ALL_OLD") => Ok(()),
        Some(_) => Err(validation("ReturnValues can only be ALL_OLD or NONE")),
    }
}

/// Refuses an item that is too large.
pub(super) fn check_item_size(item: &Stored) -> Result<()> {
    if item.size <= MAX_ITEM_SIZE {
        return Ok(());
    }
    Err(validation("Item size has exceeded the maximum allowed size"))
}
