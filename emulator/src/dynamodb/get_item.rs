//! `GetItem`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html>

use std::sync::Arc;

use dynamodb_expressions::{Placeholders, Projection, item_from_json};
use serde::{Deserialize, Serialize};

use super::capacity::{Consumed, ConsumedCapacity, Kind};
use super::parameters::{Json, Parameters, attributes_to_get, projection};
use super::shown::Shown;
use super::table::Stored;
use super::{Tables, target};
use crate::Result;
use crate::cloud::{Cx, Service};

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op("GetItem", |at, i: &GetItem| target::item(at, &i.table_name, &i.key), get)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetItem {
    table_name: String,
    key: Json,
    attributes_to_get: Option<Vec<String>>,
    #[serde(default)]
    consistent_read: bool,
    projection_expression: Option<String>,
    expression_attribute_names: Option<Json>,
    return_consumed_capacity: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<ConsumedCapacity>,
}

fn get(cx: &mut Cx<Tables>, input: GetItem) -> Result<GetOutput> {
    let names = input.expression_attribute_names.as_ref();
    let parameters = Parameters {
        expressions: &[("ProjectionExpression", input.projection_expression.is_some())],
        legacy: &[("AttributesToGet", input.attributes_to_get.is_some())],
        names: names.is_some(),
        values: false,
    };
    parameters.check()?;
    let key = item_from_json(&input.key)?;
    let legacy = attributes_to_get(input.attributes_to_get.as_deref())?;
    let mut placeholders = Placeholders::new(names, None)?;
    let expression = projection(input.projection_expression.as_deref(), &mut placeholders)?;
    placeholders.finish()?;
    let wanted = expression.or(legacy);

    let table = cx.state.table(&input.table_name)?;
    let place = table.definition.key.place_of_key(&key)?;
    if let Some(wanted) = &wanted {
        table.check_scalar_keys(wanted.nested_attributes())?;
    }
    let found = table.items.get(&place);
    let consumed = Consumed::read_item(found.map_or(0, |found| found.size), input.consistent_read);
    let asked = input.return_consumed_capacity.as_deref();
    Ok(GetOutput {
        item: found.map(|found| show(found, wanted.as_ref())),
        consumed_capacity: consumed.shown(asked, target::table_name(&input.table_name), Kind::Plain),
    })
}

/// An item as a request wants it.
pub(super) fn show(found: &Arc<Stored>, wanted: Option<&Projection>) -> Shown {
    match wanted {
        None => Shown::Kept(Arc::clone(found)),
        Some(wanted) => Shown::Made(wanted.apply(&found.item)),
    }
}
