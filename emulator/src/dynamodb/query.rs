//! `Query`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>

use std::ops::Bound;

use dynamodb_expressions::{Condition, ExpressionKind, Item, KeyCondition, KeyConditions, Placeholders, Projection};
use serde::Deserialize;

use super::capacity::Kind;
use super::errors::validation;
use super::page::{After, PageOutput, Reading};
use super::parameters::{Json, Parameters, attributes_to_get, check_operator, condition, filter, projection};
use super::place::{Place, Range, Stretch};
use super::read::{self, Selection, fetches, invalid_start, start_key};
use super::schema::{KeyAttribute, KeySchema};
use super::shown::Shown;
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
        let attributes = match (&self.projection_expression, &self.attributes_to_get) {
            (Some(_), _) => Some("ProjectionExpression"),
            (None, Some(_)) => Some("AttributesToGet"),
            (None, None) => None,
        };
        Selection { select: self.select.as_deref(), index: self.index_name.as_deref(), attributes }
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
        conditions.check()?;
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
    let condition = request.conditions.for_schema(key.hash.element(), key.range.as_ref().map(|range| range.element()));
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
        stretch: stretch(&condition),
        after,
        reverse: input.scan_index_forward == Some(false),
        limit: input.limit,
        filter: request.filter.as_ref(),
        wanted: request.wanted.as_ref(),
        count_only: input.selection().counts_only(),
        fetch,
        consistent: input.consistent_read,
    };
    let page = reading.page();
    let asked = input.return_consumed_capacity.as_deref();
    Ok(PageOutput {
        items: (!reading.count_only).then_some(page.items),
        count: page.count,
        scanned_count: page.scanned,
        last_evaluated_key: page.last_key.map(Shown::Made),
        consumed_capacity: page.consumed.shown(asked, &table.definition.name, Kind::Plain),
    })
}

/// The stretch of the table or index that fulfils a key condition.
pub(super) fn stretch(condition: &KeyCondition) -> Stretch {
    let partition = Place::new(condition.hash.clone(), None);
    let at = |value| partition.with_range(Range::Value(value));
    let (start, end) = match &condition.sort {
        Some(sort) => sort.bounds(),
        None => (Bound::Unbounded, Bound::Unbounded),
    };
    let start = match start {
        Bound::Included(value) => Bound::Included(at(value)),
        Bound::Excluded(value) => Bound::Excluded(at(value)),
        Bound::Unbounded => Bound::Included(partition.clone()),
    };
    let end = match end {
        Bound::Included(value) => Bound::Included(at(value)),
        Bound::Excluded(value) => Bound::Excluded(at(value)),
        Bound::Unbounded => Bound::Included(partition.with_range(Range::End)),
    };
    (start, end)
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
    piece(&key.hash)?;
    let condition = condition?;
    key.range.as_ref().map_or(Ok(()), piece)?;
    Ok(condition)
}

/// The place after which to go on must be one that the query could have answered.
fn check_boundaries(after: &After, condition: &KeyCondition) -> Result<()> {
    let place = match after {
        After::Place(place) => place,
        After::IndexPlace(place) => &place.place,
    };
    let same_partition = place.hash == condition.hash;
    match (&condition.sort, place.range_value()) {
        (Some(sort), Some(range)) if !sort.holds(range) => {
            Err(validation("The provided starting key does not match the range key predicate"))
        }
        (Some(_), _) if !same_partition => {
            Err(validation("The query can return at most one row and cannot be restarted"))
        }
        (None, _) if !same_partition => {
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
