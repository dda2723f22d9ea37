//! `Scan`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html>

use std::ops::{Bound, RangeBounds};

use dynamodb_expressions::{Condition, ExpressionKind, Item, Placeholders, Projection};
use serde::Deserialize;

use super::capacity::Kind;
use super::errors::validation;
use super::page::{After, PageOutput, Reading};
use super::parameters::{Json, Parameters, attributes_to_get, check_operator, condition, filter, projection};
use super::place::{Place, Stretch, segment};
use super::read::{self, Selection, fetches, invalid_start, start_key};
use super::shown::Shown;
use super::{Tables, schema, target};
use crate::Result;
use crate::cloud::{Cx, Service};

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op("Scan", |at, i: &Scan| target::index(at, &i.table_name, i.index_name.as_deref()), scan)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scan {
    table_name: String,
    index_name: Option<String>,
    select: Option<String>,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<usize>,
    #[serde(default)]
    consistent_read: bool,
    scan_filter: Option<Json>,
    conditional_operator: Option<String>,
    exclusive_start_key: Option<Json>,
    segment: Option<u32>,
    total_segments: Option<u32>,
    return_consumed_capacity: Option<String>,
    projection_expression: Option<String>,
    filter_expression: Option<String>,
    expression_attribute_names: Option<Json>,
    expression_attribute_values: Option<Json>,
}

/// What a scan asks for, before its table is known.
struct Request {
    filter: Option<Condition>,
    wanted: Option<Projection>,
    start: Option<Item>,
    /// The segment, and how many there are.
    segment: Option<(u32, u32)>,
}

impl Scan {
    fn selection(&self) -> Selection<'_> {
        let attributes = match (&self.projection_expression, &self.attributes_to_get) {
            (Some(_), _) => Some("ProjectionExpression"),
            (None, Some(_)) => Some("AttributesToGet"),
            (None, None) => None,
        };
        Selection { select: self.select.as_deref(), index: self.index_name.as_deref(), attributes }
    }

    fn read(&self) -> Result<Request> {
        let (names, values) = (self.expression_attribute_names.as_ref(), self.expression_attribute_values.as_ref());
        let parameters = Parameters {
            expressions: &[
                ("ProjectionExpression", self.projection_expression.is_some()),
                ("FilterExpression", self.filter_expression.is_some()),
            ],
            legacy: &[
                ("AttributesToGet", self.attributes_to_get.is_some()),
                ("ScanFilter", self.scan_filter.is_some()),
                ("ConditionalOperator", self.conditional_operator.is_some()),
            ],
            names: names.is_some(),
            values: values.is_some(),
        };
        parameters.check()?;
        let legacy_wanted = attributes_to_get(self.attributes_to_get.as_deref())?;
        let legacy_filter = filter(self.scan_filter.as_ref(), self.conditional_operator.as_deref())?;
        let start = start_key(self.exclusive_start_key.as_ref())?;
        let segment = self.segment()?;
        let mut placeholders = Placeholders::new(names, values)?;
        let expression = condition(ExpressionKind::Filter, self.filter_expression.as_deref(), &mut placeholders)?;
        let wanted = projection(self.projection_expression.as_deref(), &mut placeholders)?;
        placeholders.finish()?;
        check_operator(self.scan_filter.as_ref(), self.conditional_operator.as_deref())?;
        if let Some(fault) = self.selection().fault() {
            return Err(validation(fault));
        }
        Ok(Request { filter: expression.or(legacy_filter), wanted: wanted.or(legacy_wanted), start, segment })
    }

    fn segment(&self) -> Result<Option<(u32, u32)>> {
        match (self.segment, self.total_segments) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(validation(
                "The TotalSegments parameter is required but was not present in the request when Segment parameter is \
                 present",
            )),
            (None, Some(_)) => Err(validation(
                "The Segment parameter is required but was not present in the request when parameter TotalSegments is \
                 present",
            )),
            (Some(segment), Some(total)) if segment >= total => Err(validation(format!(
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {segment} is \
                 not less than TotalSegments: {total}"
            ))),
            (Some(segment), Some(total)) => Ok(Some((segment, total))),
        }
    }
}

fn scan(cx: &mut Cx<Tables>, input: Scan) -> Result<PageOutput> {
    let request = input.read()?;
    let table = cx.state.table(&input.table_name)?;
    let index = read::index(table, input.index_name.as_deref(), input.consistent_read)?;
    if let Some(start) = &request.start {
        let key = read::key(table, index);
        if start.len() != read::key_length(table, index) {
            return Err(match index {
                Some(_) => invalid_start(),
                None => validation(format!("The provided starting key is invalid: {}", schema::mismatch().message())),
            });
        }
        if index.is_some() {
            if key.names().any(|name| !start.contains_key(name)) {
                return Err(invalid_start());
            }
            key.attributes().try_for_each(|attribute| key.key_piece(attribute, start).map(drop))?;
        }
    }
    let fetch = fetches(index, input.select.as_deref(), request.wanted.as_ref(), request.filter.as_ref())?;
    let after = request.start.as_ref().map(|start| read::after(table, index, start)).transpose()?;
    let stretch = match request.segment {
        None => (Bound::Unbounded, Bound::Unbounded),
        Some((number, total)) => segment(number, total),
    };
    if let (Some(after), Some((number, total))) = (&after, request.segment) {
        check_segment(after, &stretch, number, total)?;
    }
    for nested in [
        request.wanted.as_ref().map(Projection::nested_attributes),
        request.filter.as_ref().map(Condition::nested_attributes),
    ] {
        nested.map_or(Ok(()), |nested| table.check_scalar_keys(nested))?;
    }
    let reading = Reading {
        table,
        index,
        stretch,
        after,
        reverse: false,
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

/// The place after which to go on must be in the segment.
fn check_segment(after: &After, stretch: &Stretch, number: u32, total: u32) -> Result<()> {
    let place = match after {
        After::Place(place) => place,
        After::IndexPlace(place) => &place.place,
    };
    if RangeBounds::<Place>::contains(stretch, place) {
        return Ok(());
    }
    Err(validation(format!(
        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct \
         Segment. TotalSegments: {total} Segment: {number}"
    )))
}
