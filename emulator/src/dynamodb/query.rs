//! `Query`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>

use std::ops::Bound;

use dynamodb_expressions::{
    Condition, ExpressionKind, Item, KeyCondition, KeyConditions, KeyValue, Placeholders, Projection,
};
use serde::Deserialize;

use super::errors::validation;
use super::page::{After, PageOutput, Reading};
use super::parameters::{Json, Parameters, attributes_to_get, check_operator, condition, filter, projection};
use super::place::{Piece, Place, Range, Stretch};
use super::read::{self, Selection, fetches, invalid_start, start_key};
use super::schema::{KeyAttribute, KeySchema};
use super::table::Table;
use super::{Tables, target};
use crate::Result;
use crate::cloud::{Cx, Service};

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op("Query", |at, i: &Query| target::index(at, &i.table_name, i.index_name.as_deref()), query)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    table_name: String,
    index_name: Option<String>,
    select: Option<String>,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<usize>,
    #[serde(default)]
    consistent_read: bool,
    key_conditions: Option<Json>,
    query_filter: Option<Json>,
    conditional_operator: Option<String>,
    scan_index_forward: Option<bool>,
    exclusive_start_key: Option<Json>,
    return_consumed_capacity: Option<String>,
    projection_expression: Option<String>,
    filter_expression: Option<String>,
    key_condition_expression: Option<String>,
    expression_attribute_names: Option<Json>,
    expression_attribute_values: Option<Json>,
}

/// What a query asks for, before its table is known.
struct Request {
    conditions: KeyConditions,
    filter: Option<Condition>,
    /// The parameter that holds the filter, as errors call it.
    filter_name: &'static str,
    wanted: Option<Projection>,
    start: Option<Item>,
}

impl Query {
    fn check(&self) -> Result<()> {
        let parameters = Parameters {
            expressions: &[
                ("ProjectionExpression", self.projection_expression.is_some()),
                ("FilterExpression", self.filter_expression.is_some()),
                ("KeyConditionExpression", self.key_condition_expression.is_some()),
            ],
            legacy: &[
                ("AttributesToGet", self.attributes_to_get.is_some()),
                ("QueryFilter", self.query_filter.is_some()),
                ("ConditionalOperator", self.conditional_operator.is_some()),
                // Legacy key conditions may stand beside other expressions.
                ("KeyConditions", self.key_conditions.is_some() && self.key_condition_expression.is_some()),
            ],
            names: self.expression_attribute_names.is_some(),
            values: self.expression_attribute_values.is_some(),
        };
        parameters.check()
    }

    fn selection(&self) -> Selection<'_> {
        Selection {
            select: self.select.as_deref(),
            index: self.index_name.as_deref(),
            attributes: read::attributes(self.projection_expression.as_deref(), self.attributes_to_get.as_deref()),
        }
    }

    fn read(&self) -> Result<Request> {
        self.check()?;
        let legacy_filter = filter(self.query_filter.as_ref(), self.conditional_operator.as_deref())?;
        let legacy_wanted = attributes_to_get(self.attributes_to_get.as_deref())?;
        let start = start_key(self.exclusive_start_key.as_ref())?;
        if self.key_conditions.is_none() && self.key_condition_expression.is_none() {
            return Err(validation(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
            ));
        }
        let (names, values) = (self.expression_attribute_names.as_ref(), self.expression_attribute_values.as_ref());
        let mut placeholders = Placeholders::new(names, values)?;
        let text = self.key_condition_expression.as_deref();
        let keys = text.map(|text| KeyConditions::parse(text, &mut placeholders)).transpose()?;
        let expression = condition(ExpressionKind::Filter, self.filter_expression.as_deref(), &mut placeholders)?;
        let wanted = projection(self.projection_expression.as_deref(), &mut placeholders)?;
        placeholders.finish()?;
        let empty = Json::new();
        let conditions = match keys {
            Some(keys) => keys,
            None => KeyConditions::from_legacy(self.key_conditions.as_ref().unwrap_or(&empty))?,
        };
        conditions.check(self.index_name.is_some())?;
        check_operator(self.query_filter.as_ref(), self.conditional_operator.as_deref())?;
        if let Some(fault) = self.selection().fault() {
            return Err(validation(format!("1 validation error detected: {fault}")));
        }
        Ok(Request {
            conditions,
            filter_name: if expression.is_some() { "Filter Expression" } else { "QueryFilter" },
            filter: expression.or(legacy_filter),
            wanted: wanted.or(legacy_wanted),
            start,
        })
    }
}

fn query(cx: &mut Cx<Tables>, input: Query) -> Result<PageOutput> {
    let request = input.read()?;
    let table = cx.state.table(&input.table_name)?;
    let index = read::index(table, input.index_name.as_deref(), input.consistent_read)?;
    let key = read::key(table, index);
    let (hash, range): (Vec<_>, Vec<_>) = (
        key.hash_attributes().map(KeyAttribute::element).collect(),
        key.range_attributes().map(KeyAttribute::element).collect(),
    );
    let condition = request.conditions.for_schema(&hash, &range);
    let condition = match &request.start {
        Some(start) => check_start(start, key, read::key_length(table, index), condition)?,
        None => condition?,
    };
    let after = request.start.as_ref().map(|start| read::after(table, index, start)).transpose()?;
    if let Some(after) = &after {
        check_boundaries(after, &condition)?;
    }
    check_paths(table, key, &request)?;
    let fetch = fetches(index, input.select.as_deref(), request.wanted.as_ref(), request.filter.as_ref())?;
    if let Some(filter) = &request.filter {
        table.check_scalar_keys(filter.nested_attributes())?;
    }
    let reading = Reading {
        table,
        index,
        stretch: stretch(&condition, key),
        after,
        reverse: input.scan_index_forward == Some(false),
        limit: input.limit,
        filter: request.filter.as_ref(),
        wanted: request.wanted.as_ref(),
        count_only: input.selection().counts_only(),
        fetch,
        consistent: input.consistent_read,
    };
    Ok(reading.answer(input.return_consumed_capacity.as_deref()))
}

/// The stretch of the table or index with this key that fulfils a condition.
pub(super) fn stretch(condition: &KeyCondition, key: &KeySchema) -> Stretch {
    let partition = Place::new(condition.hash.clone().into(), Range::None);
    // Before or after all places whose sort key begins with the prefix and this value.
    let edge = |value: Option<KeyValue>, after: bool| {
        partition.with_range(match value {
            value if !key.more_range.is_empty() => {
                let values = condition.prefix.iter().cloned().chain(value).map(Piece::Value);
                Range::Several(values.chain(after.then_some(Piece::End)).collect())
            }
            Some(value) => Range::Value(value),
            None if after => Range::End,
            None => Range::None,
        })
    };
    let (start, end) = match &condition.sort {
        Some(sort) => sort.bounds(),
        None => (Bound::Unbounded, Bound::Unbounded),
    };
    let start = match start {
        Bound::Included(value) => Bound::Included(edge(Some(value), false)),
        Bound::Excluded(value) => Bound::Excluded(edge(Some(value), true)),
        Bound::Unbounded => Bound::Included(edge(None, false)),
    };
    let end = match end {
        Bound::Included(value) => Bound::Included(edge(Some(value), true)),
        Bound::Excluded(value) => Bound::Excluded(edge(Some(value), false)),
        Bound::Unbounded => Bound::Included(edge(None, true)),
    };
    (start, end)
}

/// Whether a place's sort key fulfils a condition.
fn fits(range: &Range, condition: &KeyCondition) -> bool {
    let sort_holds = |value: &KeyValue| condition.sort.as_ref().is_none_or(|sort| sort.holds(value));
    match range {
        Range::None | Range::End => true,
        Range::Value(value) => sort_holds(value),
        Range::Several(pieces) => {
            let mut values = pieces.iter().filter_map(|piece| match piece {
                Piece::Value(value) => Some(value),
                Piece::End => None,
            });
            condition.prefix.iter().all(|wanted| values.next() == Some(wanted)) && values.next().is_none_or(sort_holds)
        }
    }
}

/// Checks a starting key, and the condition between the parts of it, as the service does.
fn check_start(
    start: &Item,
    key: &KeySchema,
    length: usize,
    condition: dynamodb_expressions::Result<KeyCondition>,
) -> Result<KeyCondition> {
    let piece = |attribute: &KeyAttribute| {
        if !start.contains_key(&attribute.name) {
            return Err(invalid_start());
        }
        key.key_piece(attribute, start).map(drop)
    };
    if start.len() != length {
        return Err(invalid_start());
    }
    key.hash_attributes().try_for_each(piece)?;
    let condition = condition?;
    key.range_attributes().try_for_each(piece)?;
    Ok(condition)
}

/// The place after which to go on must be one that the query could have answered.
fn check_boundaries(after: &After, condition: &KeyCondition) -> Result<()> {
    let place = after.place();
    let same_partition = place.hash.values() == condition.hash;
    match &condition.sort {
        _ if !fits(&place.range, condition) => {
            Err(validation("The provided starting key does not match the range key predicate"))
        }
        Some(_) if !same_partition => Err(validation("The query can return at most one row and cannot be restarted")),
        None if !same_partition => {
            Err(validation("The provided starting key is outside query boundaries based on provided conditions"))
        }
        _ => Ok(()),
    }
}

fn check_paths(table: &Table, key: &KeySchema, request: &Request) -> Result<()> {
    if let Some(wanted) = &request.wanted {
        table.check_scalar_keys(wanted.nested_attributes())?;
    }
    let Some(filter) = &request.filter else { return Ok(()) };
    match key.names().find(|name| filter.attributes().contains(*name)) {
        Some(name) => Err(validation(format!(
            "{} can only contain non-primary key attributes: Primary key attribute: {name}",
            request.filter_name
        ))),
        None => Ok(()),
    }
}
