//! `PutItem`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html>

use std::sync::Arc;

use dynamodb_expressions::item_from_json;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::capacity::{Consumed, ConsumedCapacity, Kind, collection_metrics};
use super::errors::{EMPTY_SET, UNUSED, detected, validation};
use super::parameters::{Json, WriteCondition};
use super::shown::Shown;
use super::table::Stored;
use super::write::{MAX_ITEM_SIZE, Writer, Written, check, commit};
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

impl WriteOutput {
    /// The answer to a write, with what it returns of the item.
    pub fn new(
        attributes: Option<Shown>,
        written: &Written,
        asked: Option<&str>,
        table: &str,
        metrics: Option<Value>,
    ) -> Self {
        let consumed_capacity = written.consumed.shown(asked, target::table_name(table), Kind::Plain);
        Self { attributes, consumed_capacity, item_collection_metrics: metrics }
    }
}

/// What a put or a delete returns of the item that was there.
pub(super) fn old_item(written: &mut Written, return_values: Option<&str>) -> Option<Shown> {
    written.old.take().filter(|_| return_values == Some("ALL_OLD")).map(Shown::Kept)
}

impl PutItem {
    fn condition(&self) -> WriteCondition<'_> {
        WriteCondition {
            expected: self.expected.as_ref(),
            operator: self.conditional_operator.as_deref(),
            expression: self.condition_expression.as_deref(),
            names: self.expression_attribute_names.as_ref(),
            values: self.expression_attribute_values.as_ref(),
        }
    }
}

fn put(cx: &mut Cx<Tables>, input: PutItem) -> Result<WriteOutput> {
    let put = put_one(cx, &input).map(|(output, _)| output);
    put.map_err(|error| detected(error, &[UNUSED, EMPTY_SET]))
}

/// Does it, and says what it consumed whether the request asks for that or not.
pub(super) fn put_one(cx: &mut Cx<Tables>, input: &PutItem) -> Result<(WriteOutput, Consumed)> {
    input.condition().check()?;
    let new = Arc::new(Stored::new(item_from_json(&input.item)?));
    check_return_values(input.return_values.as_deref())?;
    check_item_size(&new)?;
    let condition = input.condition().read()?;

    let table = cx.state.table(&input.table_name)?;
    if let Some(condition) = &condition {
        table.check_scalar_keys(condition.nested_attributes())?;
    }
    let place = table.definition.key.place_of_item(&new.item)?;
    table.check_index_keys(&new.item)?;
    // Without a condition there is nothing to look at.
    let old = condition.as_ref().and_then(|_| table.items.get(&place));
    check(condition.as_ref(), old.map(|old| &**old), input.return_values_on_condition_check_failure.as_deref())?;

    let metrics = collection_metrics(input.return_item_collection_metrics.as_deref(), table, &new.item);
    let mut written = commit(cx, &input.table_name, &place, Some(&new), Writer::Caller)?;
    let old = old_item(&mut written, input.return_values.as_deref());
    let asked = input.return_consumed_capacity.as_deref();
    Ok((WriteOutput::new(old, &written, asked, &input.table_name, metrics), written.consumed))
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
