//! `DeleteItem`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html>

use dynamodb_expressions::item_from_json;
use serde::Deserialize;

use super::capacity::{Consumed, collection_metrics};
use super::errors::{UNUSED, detected};
use super::parameters::{Json, WriteCondition};
use super::put_item::{WriteOutput, check_return_values, old_item};
use super::write::{Writer, check, commit};
use super::{Tables, target};
use crate::Result;
use crate::cloud::{Cx, Service};

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op("DeleteItem", |at, i: &DeleteItem| target::item(at, &i.table_name, &i.key), delete)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteItem {
    table_name: String,
    key: Json,
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

impl DeleteItem {
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

fn delete(cx: &mut Cx<Tables>, input: DeleteItem) -> Result<WriteOutput> {
    let deleted = delete_one(cx, &input).map(|(output, _)| output);
    deleted.map_err(|error| detected(error, &[UNUSED]))
}

/// Does it, and says what it consumed whether the request asks for that or not.
pub(super) fn delete_one(cx: &mut Cx<Tables>, input: &DeleteItem) -> Result<(WriteOutput, Consumed)> {
    input.condition().check()?;
    let key = item_from_json(&input.key)?;
    check_return_values(input.return_values.as_deref())?;
    let condition = input.condition().read()?;

    let table = cx.state.table(&input.table_name)?;
    if let Some(condition) = &condition {
        table.check_scalar_keys(condition.nested_attributes())?;
    }
    let place = table.definition.key.place_of_key(&key)?;
    let old = table.items.get(&place);
    check(condition.as_ref(), old.map(|old| &**old), input.return_values_on_condition_check_failure.as_deref())?;

    let metrics = collection_metrics(input.return_item_collection_metrics.as_deref(), table, &key);
    let mut written = commit(cx, &input.table_name, &place, None, Writer::Caller)?;
    let old = old_item(&mut written, input.return_values.as_deref());
    let asked = input.return_consumed_capacity.as_deref();
    Ok((WriteOutput::new(old, &written, asked, &input.table_name, metrics), written.consumed))
}
