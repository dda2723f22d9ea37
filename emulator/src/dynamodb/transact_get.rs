//! `TransactGetItems`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html>

use dynamodb_expressions::{Item, Placeholders, Projection, item_from_json};
use serde::{Deserialize, Serialize};

use super::Tables;
use super::batch_get::{authorize, on};
use super::capacity::{ByTable, Consumed, ConsumedCapacity, Kind};
use super::errors::validation;
use super::get_item::show;
use super::parameters::{Json, Parameters, projection};
use super::shown::Shown;
use super::transact_write::{MAX_BYTES, cancelled};
use crate::Result;
use crate::cloud::{Cx, Service};

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op("TransactGetItems", |at, i: &TransactGetItems| on(at, tables(i)).action("dynamodb:GetItem"), get)
}

fn tables(input: &TransactGetItems) -> impl Iterator<Item = &String> {
    input.transact_items.iter().map(|item| &item.get.table_name)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TransactGetItems {
    transact_items: Vec<TransactGet>,
    return_consumed_capacity: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TransactGet {
    get: Get,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    table_name: String,
    key: Json,
    projection_expression: Option<String>,
    expression_attribute_names: Option<Json>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TransactOutput {
    responses: Vec<Response>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Vec<ConsumedCapacity>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Shown>,
}

impl Get {
    fn read(&self) -> Result<(Item, Option<Projection>)> {
        let names = self.expression_attribute_names.as_ref();
        let parameters = Parameters {
            expressions: &[("ProjectionExpression", self.projection_expression.is_some())],
            legacy: &[],
            names: names.is_some(),
            values: false,
        };
        parameters.check()?;
        let key = item_from_json(&self.key)?;
        let mut placeholders = Placeholders::new(names, None)?;
        let wanted = projection(self.projection_expression.as_deref(), &mut placeholders)?;
        placeholders.finish()?;
        Ok((key, wanted))
    }
}

fn get(cx: &mut Cx<Tables>, input: TransactGetItems) -> Result<TransactOutput> {
    authorize(cx, "dynamodb:GetItem", tables(&input))?;
    let requests = input.transact_items.iter().map(|item| item.get.read()).collect::<Result<Vec<_>>>()?;
    let mut places = Vec::with_capacity(requests.len());
    let mut reasons = Vec::with_capacity(requests.len());
    for (TransactGet { get }, (key, wanted)) in input.transact_items.iter().zip(&requests) {
        let table = cx.state.table(&get.table_name)?;
        let checked = table.definition.key.place_of_key(key);
        let checked = checked.and_then(|place| match wanted {
            Some(wanted) => table.check_scalar_keys(wanted.nested_attributes()).map(|()| place),
            None => Ok(place),
        });
        match checked {
            Ok(place) => {
                if places.iter().any(|(name, known)| *name == &table.definition.name && *known == place) {
                    return Err(validation("Transaction request cannot include multiple operations on one item"));
                }
                places.push((&table.definition.name, place));
                reasons.push(None);
            }
            Err(error) => reasons.push(Some(error)),
        }
    }
    if reasons.iter().any(Option::is_some) {
        return Err(cancelled(reasons));
    }
    let (mut responses, mut bytes) = (Vec::with_capacity(places.len()), 0);
    let mut consumed = ByTable::default();
    for ((name, place), (_, wanted)) in places.iter().zip(&requests) {
        let found = cx.state.table(name)?.items.get(place);
        let size = found.map_or(0, |found| found.size);
        bytes += size;
        consumed.add(name, Consumed::read_item(size, true).twice());
        responses.push(Response { item: found.map(|found| show(found, wanted.as_ref())) });
    }
    if bytes > MAX_BYTES {
        return Err(validation("Aggregate size of the items in the transaction exceeded the limit of 4 MB"));
    }
    let consumed_capacity = consumed.shown(input.return_consumed_capacity.as_deref(), Kind::Read);
    Ok(TransactOutput { responses, consumed_capacity })
}
