//! `BatchGetItem`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>

use std::collections::BTreeSet;

use dynamodb_expressions::{Item, Placeholders, Projection, item_from_json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::capacity::{Consumed, ConsumedCapacity, Kind};
use super::errors::validation;
use super::get_item::show;
use super::parameters::{Json, Parameters, attributes_to_get, projection};
use super::place::Place;
use super::shown::Shown;
use super::table::Table;
use super::write::MAX_ITEM_SIZE;
use super::{Tables, target};
use crate::Result;
use crate::cloud::{At, Cx, Service, Target};

/// A request names at most so many keys.
const MAX_KEYS: usize = 100;
/// An answer has at most so many bytes of items; what does not fit is left unprocessed.
const MAX_BYTES: usize = 16 << 20;

/// Of one partition, and a table here is one, a request reads so many bytes, and what one more item has beyond them.
const MAX_TABLE_BYTES: usize = (1 << 20) + MAX_ITEM_SIZE - 3;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op("BatchGetItem", |at, i: &BatchGetItem| on(at, i.request_items.keys()), get)
}

/// A batch acts on the first table that it names; the others are checked in the step itself.
pub(super) fn on<'a>(at: &At<Tables>, mut tables: impl Iterator<Item = &'a String>) -> Target {
    tables.next().map_or_else(Target::any, |name| target::table(at, name))
}

/// Refuses a batch whose caller may not act on each of its tables.
pub(super) fn authorize<'a>(cx: &Cx<Tables>, action: &str, mut tables: impl Iterator<Item = &'a String>) -> Result<()> {
    tables.try_for_each(|name| target::authorize(cx, action, name, None))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGetItem {
    request_items: indexed::Map<KeysAndAttributes>,
    return_consumed_capacity: Option<String>,
}

/// The tables of a batch in the order of the request.
pub(super) mod indexed {
    use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

    /// Names and what they stand for, in the order of the request.
    pub(in crate::dynamodb) struct Map<V>(pub Vec<(String, V)>);

    impl<V> Map<V> {
        pub fn keys(&self) -> impl Iterator<Item = &String> {
            self.0.iter().map(|(name, _)| name)
        }
    }

    impl<'de, V: Deserialize<'de>> Deserialize<'de> for Map<V> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Entries<V>(std::marker::PhantomData<V>);
            impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
                type Value = Map<V>;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a map")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                    let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
                    while let Some(entry) = map.next_entry()? {
                        entries.push(entry);
                    }
                    Ok(Map(entries))
                }
            }
            deserializer.deserialize_map(Entries(std::marker::PhantomData))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeysAndAttributes {
    keys: Vec<Json>,
    attributes_to_get: Option<Vec<String>>,
    #[serde(default)]
    consistent_read: bool,
    projection_expression: Option<String>,
    expression_attribute_names: Option<Json>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchOutput {
    responses: Map<String, Value>,
    unprocessed_keys: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Vec<ConsumedCapacity>>,
}

/// What is asked of one table, before it is known.
struct Request {
    wanted: Option<Projection>,
    keys: Vec<Item>,
}

impl KeysAndAttributes {
    fn read(&self, count: &mut usize) -> Result<Request> {
        let names = self.expression_attribute_names.as_ref();
        let parameters = Parameters {
            expressions: &[("ProjectionExpression", self.projection_expression.is_some())],
            legacy: &[("AttributesToGet", self.attributes_to_get.is_some())],
            names: names.is_some(),
            values: false,
        };
        parameters.check()?;
        let legacy = attributes_to_get(self.attributes_to_get.as_deref())?;
        let mut placeholders = Placeholders::new(names, None)?;
        let expression = projection(self.projection_expression.as_deref(), &mut placeholders)?;
        placeholders.finish()?;
        let mut keys: Vec<Item> = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            let key = item_from_json(key)?;
            // Lists of keys are short: a request has a hundred at most.
            if keys.contains(&key) {
                return Err(validation("Provided list of item keys contains duplicates"));
            }
            keys.push(key);
            *count += 1;
            if *count > MAX_KEYS {
                return Err(validation("Too many items requested for the BatchGetItem call"));
            }
        }
        Ok(Request { wanted: expression.or(legacy), keys })
    }

    /// The request for what was not answered.
    fn rest(&self, keys: &[Json]) -> Value {
        let mut rest = json!({ "Keys": keys });
        let members = [
            ("AttributesToGet", json!(self.attributes_to_get)),
            ("ConsistentRead", if self.consistent_read { json!(true) } else { Value::Null }),
            ("ProjectionExpression", json!(self.projection_expression)),
            ("ExpressionAttributeNames", json!(self.expression_attribute_names)),
        ];
        for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
            rest[name] = value;
        }
        rest
    }
}

fn get(cx: &mut Cx<Tables>, input: BatchGetItem) -> Result<BatchOutput> {
    authorize(cx, "dynamodb:BatchGetItem", input.request_items.keys())?;
    let mut count = 0;
    let requests: Vec<(&String, &KeysAndAttributes, Request)> = input
        .request_items
        .0
        .iter()
        .map(|(name, keys)| Ok((name, keys, keys.read(&mut count)?)))
        .collect::<Result<_>>()?;
    let mut found = Vec::with_capacity(requests.len());
    for (name, asked, request) in &requests {
        let table = cx.state.table(name)?;
        if let Some(wanted) = &request.wanted {
            table.check_scalar_keys(wanted.nested_attributes())?;
        }
        let key = &table.definition.key;
        let places = request.keys.iter().map(|key_of| key.place_of_key(key_of)).collect::<Result<Vec<Place>>>()?;
        if places.iter().collect::<BTreeSet<_>>().len() < places.len() {
            return Err(validation("Provided list of item keys contains duplicates"));
        }
        found.push((*name, *asked, request, table, places));
    }
    let mut output = BatchOutput { responses: Map::new(), unprocessed_keys: Map::new(), consumed_capacity: None };
    let (mut bytes, mut capacities) = (0, Vec::new());
    let shown = input.return_consumed_capacity.as_deref();
    for (name, asked, request, table, places) in found {
        let read = read_table(table, request.wanted.as_ref(), &places, asked, &mut bytes);
        output.responses.insert(name.clone(), serde_json::to_value(read.items).map_err(crate::Error::internal)?);
        if read.done < places.len() {
            let rest = asked.rest(asked.keys.get(read.done..).unwrap_or_default());
            output.unprocessed_keys.insert(name.clone(), rest);
        }
        capacities.extend(read.consumed.shown(shown, &table.definition.name, Kind::Plain));
    }
    output.consumed_capacity = (!capacities.is_empty()).then_some(capacities);
    Ok(output)
}

struct Read {
    items: Vec<Shown>,
    done: usize,
    consumed: Consumed,
}

fn read_table(
    table: &Table,
    wanted: Option<&Projection>,
    places: &[Place],
    asked: &KeysAndAttributes,
    bytes: &mut usize,
) -> Read {
    let mut read = Read { items: Vec::new(), done: 0, consumed: Consumed::default() };
    let mut of_table = 0;
    for place in places {
        let found = table.items.get(place);
        let size = found.map_or(0, |found| found.size);
        if *bytes + size > MAX_BYTES || of_table + size > MAX_TABLE_BYTES {
            break;
        }
        *bytes += size;
        of_table += size;
        read.done += 1;
        read.consumed.add(Consumed::read_item(size, asked.consistent_read));
        read.items.extend(found.map(|found| show(found, wanted)));
    }
    // What is left unprocessed costs as much as what is not there.
    for _ in read.done..places.len() {
        read.consumed.add(Consumed::read_item(0, asked.consistent_read));
    }
    read
}
