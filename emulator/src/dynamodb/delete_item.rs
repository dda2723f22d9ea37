//! `DeleteItem`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html>

use dynamodb_expressions::{ExpressionKind, Placeholders, item_from_json};
use serde::Deserialize;

use super::capacity::{Consumed, Kind, collection_metrics};
use super::parameters::{Json, Parameters, condition, expected};
use super::put_item::{WriteOutput, check_return_values};
use super::shown::Shown;
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

fn delete(cx: &mut Cx<Tables>, input: DeleteItem) -> Result<WriteOutput> {
    delete_one(cx, &input).map(|(output, _)| output)
}

/// Does it, and says what it consumed whether the request asks for that or not.
pub(super) fn delete_one(cx: &mut Cx<Tables>, input: &DeleteItem) -> Result<(WriteOutput, Consumed)> {
    let (names, values) = (input.expression_attribute_names.as_ref(), input.expression_attribute_values.as_ref());
    let parameters = Parameters {
        expressions: &[("ConditionExpression", input.condition_expression.is_some())],
        legacy: &[("Expected", input.expected.is_some())],
        names: names.is_some(),
        values: values.is_some(),
    };
    parameters.check()?;
    let key = item_from_json(&input.key)?;
    check_return_values(input.return_values.as_deref())?;
    let legacy = expected(input.expected.as_ref(), input.conditional_operator.as_deref())?;
    let mut placeholders = Placeholders::new(names, values)?;
    let expression = condition(ExpressionKind::Condition, input.condition_expression.as_deref(), &mut placeholders)?;
    placeholders.finish()?;
    let condition = expression.or(legacy);

    let table = cx.state.table(&input.table_name)?;
    if let Some(condition) = &condition {
        table.check_scalar_keys(condition.nested_attributes())?;
    }
    let place = table.definition.key.place_of_key(&key)?;
    let old = table.items.get(&place);
    check(condition.as_ref(), old.map(|old| &**old), input.return_values_on_condition_check_failure.as_deref())?;

    let metrics = collection_metrics(input.return_item_collection_metrics.as_deref(), table, &key);
    let written = commit(cx, &input.table_name, &place, None, Writer::Caller)?;
    let asked = input.return_consumed_capacity.as_deref();
    let output = WriteOutput {
        attributes: written.old.filter(|_| input.return_values.as_deref() == Some("ALL_OLD")).map(Shown::Kept),
        consumed_capacity: written.consumed.shown(asked, target::table_name(&input.table_name), Kind::Plain),
        item_collection_metrics: metrics,
    };
    Ok((output, written.consumed))
}
