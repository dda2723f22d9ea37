//! A statement is done: a selection as a query or scan, a change as the operation that changes one item.

use std::ops::Bound;

use dynamodb_expressions::{Condition as Filter, ExpressionKind, Item, Placeholders, Projection, item_from_json};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::lexer::malformed;
use super::statement::{Change, Condition, Path, Statement, Verb};
use super::translate::{Keyed, Writer, check_order, keyed, whole_key};
use crate::cloud::Cx;
use crate::dynamodb::capacity::Consumed;
use crate::dynamodb::errors::validation;
use crate::dynamodb::page::Reading;
use crate::dynamodb::put_item::WriteOutput;
use crate::dynamodb::query::stretch;
use crate::dynamodb::read::{self, fetches};
use crate::dynamodb::shown::{self, Shown};
use crate::dynamodb::{Tables, delete_item, put_item, update_item};
use crate::token;
use crate::{Error, Result};

/// What a request says besides its statement.
pub(super) struct Limits<'a> {
    pub limit: Option<usize>,
    pub next_token: Option<&'a str>,
    pub consistent: bool,
    /// `ReturnValuesOnConditionCheckFailure`.
    pub on_failure: Option<&'a str>,
}

/// What a statement did.
pub(super) struct Done {
    pub items: Vec<Shown>,
    pub last_key: Option<Item>,
    pub consumed: Consumed,
}

/// The text by which a selection goes on after a key.
pub(super) fn token(key: &Item) -> String {
    token::of_text(&shown::to_json(key).to_string())
}

fn start(token: &str) -> Result<Item> {
    let invalid = || validation("Invalid NextToken");
    let key: Value = token::read(token).ok_or_else(invalid)?;
    Ok(item_from_json(key.as_object().ok_or_else(invalid)?)?)
}

/// A statement of a batch names one item.
pub(super) fn check_single(state: &Tables, statement: &Statement) -> Result<()> {
    let key = &state.table(&statement.table)?.definition.key;
    if matches!(statement.verb, Verb::Select { .. }) && whole_key(statement.filter.as_ref(), key).is_err() {
        return Err(validation(
            "Select statements within BatchExecuteStatement must specify the primary key in the where clause.",
        ));
    }
    Ok(())
}

/// Does what a statement says.
pub(super) fn run(cx: &mut Cx<Tables>, statement: &Statement, limits: &Limits<'_>) -> Result<Done> {
    match &statement.verb {
        Verb::Select { wanted, order } => select(cx, statement, wanted, order.as_ref(), limits),
        Verb::Insert(item) => insert(cx, statement, item),
        Verb::Update(changes) => update(cx, statement, changes, limits),
        Verb::Delete => delete(cx, statement, limits),
    }
}

fn select(
    cx: &mut Cx<Tables>,
    statement: &Statement,
    wanted: &[Path],
    order: Option<&(Path, bool)>,
    limits: &Limits<'_>,
) -> Result<Done> {
    let table = cx.state.table(&statement.table)?;
    let missing = |_: Error| validation("The table does not have the specified index");
    let index = statement.index.as_deref().map(|name| table.index(name)).transpose().map_err(missing)?;
    let key = read::key(table, index);
    let Keyed { key: keyed, rest } = keyed(statement.filter.as_ref(), key);
    if let Some((path, _)) = order {
        check_order(path, key)?;
        if keyed.is_none() {
            return Err(validation("Must have WHERE clause in the statement when using ORDER BY clause."));
        }
    }
    let mut writer = Writer::default();
    // Without a partition there is no stretch, and what was said of the sort key is a filter like the rest.
    let filter = match (&keyed, &statement.filter) {
        (None, Some(whole)) => Some(writer.condition(whole)),
        (None, None) => None,
        (Some(_), _) => joined(&mut writer, &rest),
    };
    let paths =
        (!wanted.is_empty()).then(|| wanted.iter().map(|path| writer.path(path)).collect::<Vec<_>>().join(", "));
    let values = (!writer.values.is_empty()).then_some(&writer.values);
    let mut placeholders = Placeholders::new((!writer.names.is_empty()).then_some(&writer.names), values)?;
    let filter = filter.map(|text| Filter::parse(ExpressionKind::Filter, &text, &mut placeholders)).transpose()?;
    let wanted = paths.map(|text| Projection::parse(&text, &mut placeholders)).transpose()?;
    let fetch = fetches(index, None, wanted.as_ref(), filter.as_ref())?;
    let after = limits.next_token.map(start).transpose()?;
    let after = after.as_ref().map(|start| read::after(table, index, start)).transpose()?;
    let reading = Reading {
        table,
        index,
        stretch: match &keyed {
            Some(condition) => stretch(condition, key),
            None => (Bound::Unbounded, Bound::Unbounded),
        },
        after,
        reverse: order.is_some_and(|(_, down)| *down),
        limit: limits.limit,
        filter: filter.as_ref(),
        wanted: wanted.as_ref(),
        count_only: false,
        fetch,
        consistent: limits.consistent,
    };
    let page = reading.page();
    Ok(Done { items: page.items, last_key: page.last_key, consumed: page.consumed })
}

/// Conditions that must all hold, as one filter.
fn joined(writer: &mut Writer, rest: &[&Condition]) -> Option<String> {
    match rest {
        [] => None,
        // Parentheses around the whole would be redundant, and refused.
        [only] => Some(writer.condition(only)),
        rest => Some(rest.iter().map(|part| part_text(writer, part)).collect::<Vec<_>>().join(" AND ")),
    }
}

fn part_text(writer: &mut Writer, part: &Condition) -> String {
    match part {
        Condition::All(_) | Condition::Any(_) => format!("({})", writer.condition(part)),
        part => writer.condition(part),
    }
}

/// Reads the input of another operation.
fn input<T: DeserializeOwned>(request: Value) -> Result<T> {
    serde_json::from_value(request).map_err(Error::internal)
}

fn insert(cx: &mut Cx<Tables>, statement: &Statement, item: &Item) -> Result<Done> {
    let hash = cx.state.table(&statement.table)?.definition.key.hash.name.to_string();
    let request = json!({
        "TableName": statement.table,
        "Item": shown::to_json(item),
        "ConditionExpression": "attribute_not_exists(#k)",
        "ExpressionAttributeNames": { "#k": hash },
    });
    match put_item::put_one(cx, &input(request)?) {
        Ok((output, consumed)) => Ok(changed(output, consumed)),
        Err(error) if error.code() == "ConditionalCheckFailedException" => {
            Err(Error::client("DuplicateItemException", "Duplicate primary key exists in table"))
        }
        Err(error) => Err(error),
    }
}

/// The request that changes the item which a statement names.
fn request(
    cx: &Cx<Tables>,
    statement: &Statement,
    limits: &Limits<'_>,
    writer: &mut Writer,
    must_exist: bool,
) -> Result<Value> {
    if statement.index.is_some() {
        return Err(malformed("An index cannot be changed"));
    }
    let key_schema = &cx.state.table(&statement.table)?.definition.key;
    let (key, rest) = whole_key(statement.filter.as_ref(), key_schema)?;
    let mut conditions: Vec<String> = rest.iter().map(|part| part_text(writer, part)).collect();
    if must_exist || !conditions.is_empty() {
        let hash = writer.path(&vec![super::statement::Step::Name(key_schema.hash.name.to_string())]);
        conditions.push(format!("attribute_exists({hash})"));
    }
    let mut request = json!({ "TableName": statement.table, "Key": shown::to_json(&key) });
    if !conditions.is_empty() {
        request["ConditionExpression"] = json!(conditions.join(" AND "));
    }
    if let Some(returning) = statement.returning {
        request["ReturnValues"] = json!(returning);
    }
    if let Some(on_failure) = limits.on_failure {
        request["ReturnValuesOnConditionCheckFailure"] = json!(on_failure);
    }
    Ok(request)
}

fn update(cx: &mut Cx<Tables>, statement: &Statement, changes: &[Change], limits: &Limits<'_>) -> Result<Done> {
    let mut writer = Writer::default();
    let expression = writer.update(changes);
    let mut request = request(cx, statement, limits, &mut writer, true)?;
    request["UpdateExpression"] = json!(expression);
    writer.put_into(&mut request);
    let (output, consumed) = update_item::update_one(cx, &input(request)?)?;
    Ok(changed(output, consumed))
}

fn delete(cx: &mut Cx<Tables>, statement: &Statement, limits: &Limits<'_>) -> Result<Done> {
    let mut writer = Writer::default();
    let mut request = request(cx, statement, limits, &mut writer, false)?;
    writer.put_into(&mut request);
    let (output, consumed) = delete_item::delete_one(cx, &input(request)?)?;
    Ok(changed(output, consumed))
}

fn changed(output: WriteOutput, consumed: Consumed) -> Done {
    Done { items: output.attributes.into_iter().collect(), last_key: None, consumed }
}
