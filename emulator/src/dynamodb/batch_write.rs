//! `BatchWriteItem`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use dynamodb_expressions::{Item, item_from_json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Tables;
use super::batch_get::{authorize, indexed, on};
use super::capacity::{Consumed, ConsumedCapacity, Kind, collection_metrics};
use super::errors::validation;
use super::parameters::Json;
use super::place::Place;
use super::put_item::check_item_size;
use super::schema::mismatch;
use super::table::{Stored, Table};
use super::write::{Writer, commit};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A request has at most so many puts and deletes.
const MAX_WRITES: usize = 25;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op("BatchWriteItem", |at, i: &BatchWriteItem| on(at, i.request_items.keys()), write)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchWriteItem {
    request_items: indexed::Map<Vec<WriteRequest>>,
    return_consumed_capacity: Option<String>,
    return_item_collection_metrics: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WriteRequest {
    put_request: Option<PutRequest>,
    delete_request: Option<DeleteRequest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRequest {
    item: Json,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteRequest {
    key: Json,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchOutput {
    /// Nothing is ever left: a step writes all or fails.
    unprocessed_items: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    item_collection_metrics: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Vec<ConsumedCapacity>>,
}

/// A put or delete, before its table is known.
enum Write {
    Put(Arc<Stored>),
    Delete(Item),
}

impl WriteRequest {
    fn read(&self) -> Result<Write> {
        match (&self.put_request, &self.delete_request) {
            (Some(put), None) => {
                let stored = Stored::new(item_from_json(&put.item)?);
                check_item_size(&stored)?;
                Ok(Write::Put(Arc::new(stored)))
            }
            (None, Some(delete)) => Ok(Write::Delete(item_from_json(&delete.key)?)),
            _ => Err(validation(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported \
                 datatypes",
            )),
        }
    }
}

/// A write in its place.
struct Placed {
    place: Place,
    new: Option<Arc<Stored>>,
    key: Item,
}

fn write(cx: &mut Cx<Tables>, input: BatchWriteItem) -> Result<BatchOutput> {
    authorize(cx, "dynamodb:BatchWriteItem", input.request_items.keys())?;
    let mut read = Vec::with_capacity(input.request_items.0.len());
    for (name, writes) in &input.request_items.0 {
        let writes = writes.iter().map(WriteRequest::read).collect::<Result<Vec<Write>>>()?;
        read.push((name, writes));
    }
    if read.iter().map(|(_, writes)| writes.len()).sum::<usize>() > MAX_WRITES {
        return Err(validation("Too many items requested for the BatchWriteItem call"));
    }
    let mut placed: Vec<(&String, Vec<Placed>)> = Vec::with_capacity(read.len());
    for (name, writes) in read {
        placed.push((name, place(cx.state.table(name)?, writes)?));
    }

    let (mut consumed, mut metrics) = (BTreeMap::<Arc<str>, Consumed>::new(), Map::new());
    for (name, writes) in placed {
        for write in writes {
            let table = cx.state.table(name)?;
            let of_table = table.definition.name.clone();
            let metric = collection_metrics(input.return_item_collection_metrics.as_deref(), table, &write.key);
            if let (Some(metric), Value::Array(list)) =
                (metric, metrics.entry(name.clone()).or_insert(Value::Array(Vec::new())))
            {
                list.push(metric);
            }
            let written = commit(cx, name, &write.place, write.new.as_ref(), Writer::Caller)?;
            consumed.entry(of_table).or_default().add(written.consumed);
        }
    }
    metrics.retain(|_, list| list.as_array().is_some_and(|list| !list.is_empty()));
    let asked = input.return_consumed_capacity.as_deref();
    let shown: Vec<ConsumedCapacity> =
        consumed.iter().filter_map(|(name, consumed)| consumed.shown(asked, name, Kind::Plain)).collect();
    Ok(BatchOutput {
        unprocessed_items: Map::new(),
        item_collection_metrics: metrics,
        consumed_capacity: (!shown.is_empty()).then_some(shown),
    })
}

/// Finds the places of a table's writes. An item may be written once.
fn place(table: &Table, writes: Vec<Write>) -> Result<Vec<Placed>> {
    let mut placed: Vec<Placed> = Vec::with_capacity(writes.len());
    for write in writes {
        let next = match write {
            Write::Put(new) => {
                let place = table.definition.key.place_of_item(&new.item).map_err(reword)?;
                table.check_index_keys(&new.item)?;
                Placed { place, key: table.definition.key.key_of(&new.item), new: Some(new) }
            }
            Write::Delete(key) => Placed { place: table.definition.key.place_of_key(&key)?, new: None, key },
        };
        if placed.iter().any(|known| known.place == next.place) {
            return Err(validation("Provided list of item keys contains duplicates"));
        }
        placed.push(next);
    }
    Ok(placed)
}

/// A batch says of a put without a fitting key what it says of a delete.
fn reword(error: Error) -> Error {
    let of_key = ["Missing the key", "Type mismatch for key"].iter().any(|text| error.message().contains(text));
    if of_key { mismatch() } else { error }
}
