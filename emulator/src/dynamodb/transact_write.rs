//! `TransactWriteItems`: all of its writes, or none.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>

use std::sync::Arc;

use dynamodb_expressions::{Condition, ExpressionKind, Item, Placeholders, Update, item_from_json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::batch_get::on;
use super::capacity::{ByTable, Consumed, ConsumedCapacity, Kind, collection_metrics};
use super::errors::validation;
use super::parameters::{Json, Parameters, condition};
use super::place::Place;
use super::put_item::check_item_size;
use super::table::{Stored, Table};
use super::tokens::Token;
use super::update_item::{check_update, updated};
use super::write::{Writer, check, commit};
use super::{Tables, target};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// The items of a transaction have at most so many bytes.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op(
        "TransactWriteItems",
        |at, i: &TransactWriteItems| match i.transact_items.first().and_then(TransactItem::action) {
            Some((name, action)) => on(at, std::iter::once(name)).action(action),
            None => crate::cloud::Target::any(),
        },
        write,
    )
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TransactWriteItems {
    transact_items: Vec<TransactItem>,
    return_consumed_capacity: Option<String>,
    return_item_collection_metrics: Option<String>,
    client_request_token: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TransactItem {
    condition_check: Option<Action>,
    put: Option<Action>,
    delete: Option<Action>,
    update: Option<Action>,
}

/// One action: which members it may have, the model says.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Action {
    table_name: String,
    item: Option<Json>,
    key: Option<Json>,
    update_expression: Option<String>,
    condition_expression: Option<String>,
    expression_attribute_names: Option<Json>,
    expression_attribute_values: Option<Json>,
    return_values_on_condition_check_failure: Option<String>,
}

impl TransactItem {
    /// The one action, with its IAM action.
    fn one(&self) -> Result<(&Action, &'static str)> {
        let all = [
            (&self.condition_check, "dynamodb:ConditionCheckItem"),
            (&self.put, "dynamodb:PutItem"),
            (&self.delete, "dynamodb:DeleteItem"),
            (&self.update, "dynamodb:UpdateItem"),
        ];
        let mut given = all.into_iter().filter_map(|(action, name)| Some((action.as_ref()?, name)));
        match (given.next(), given.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(validation("TransactItems can only contain one of Check, Put, Update or Delete")),
        }
    }

    fn action(&self) -> Option<(&String, &'static str)> {
        self.one().ok().map(|(action, name)| (&action.table_name, name))
    }
}

/// What an action asks for, before its table is known.
struct Request<'a> {
    action: &'a Action,
    kind: RequestKind,
    condition: Option<Condition>,
}

enum RequestKind {
    Check(Item),
    Put(Arc<Stored>),
    Delete(Item),
    Update(Item, Update),
}

/// An action in its place, with what it writes.
struct Planned {
    table: Arc<str>,
    place: Place,
    key: Item,
    write: PlannedWrite,
}

enum PlannedWrite {
    /// Nothing is written, only looked at: its size costs.
    Nothing(usize),
    Put(Arc<Stored>),
    Delete,
}

impl Action {
    fn read(&self, name: &str) -> Result<Request<'_>> {
        let (names, values) = (self.expression_attribute_names.as_ref(), self.expression_attribute_values.as_ref());
        let both = [
            ("UpdateExpression", self.update_expression.is_some()),
            ("ConditionExpression", self.condition_expression.is_some()),
        ];
        let expressions =
            if name == "dynamodb:UpdateItem" { both.as_slice() } else { both.get(1..).unwrap_or_default() };
        Parameters { expressions, legacy: &[], names: names.is_some(), values: values.is_some() }.check()?;
        let key = self.key.as_ref().map(item_from_json).transpose()?.unwrap_or_default();
        let item = self.item.as_ref().map(item_from_json).transpose()?;
        let mut placeholders = Placeholders::new(names, values)?;
        let update =
            self.update_expression.as_deref().map(|text| Update::parse(text, &mut placeholders)).transpose()?;
        let condition = condition(ExpressionKind::Condition, self.condition_expression.as_deref(), &mut placeholders)?;
        placeholders.finish()?;
        let kind = match (name, item, update) {
            ("dynamodb:PutItem", Some(item), _) => {
                let stored = Stored::new(item);
                check_item_size(&stored)?;
                RequestKind::Put(Arc::new(stored))
            }
            ("dynamodb:UpdateItem", _, Some(update)) => RequestKind::Update(key, update),
            ("dynamodb:DeleteItem", _, _) => RequestKind::Delete(key),
            _ => RequestKind::Check(key),
        };
        Ok(Request { action: self, kind, condition })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TransactOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Vec<ConsumedCapacity>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    item_collection_metrics: Map<String, Value>,
}

fn write(cx: &mut Cx<Tables>, input: TransactWriteItems) -> Result<TransactOutput> {
    let mut requests = Vec::with_capacity(input.transact_items.len());
    for item in &input.transact_items {
        let (action, name) = item.one()?;
        target::authorize(cx, name, &action.table_name, None)?;
        requests.push(action.read(name)?);
    }
    let (token, asked) = (input.client_request_token.as_deref(), input.return_consumed_capacity.as_deref());
    let token = Token::of(token, &input.transact_items)?;
    if let Some(consumed_capacity) = token.as_ref().map(|token| token.repeated(cx, asked)).transpose()?.flatten() {
        return Ok(TransactOutput { consumed_capacity, item_collection_metrics: Map::new() });
    }
    let planned = plan(cx.state, &requests)?;
    let mut metrics = Map::new();
    let mut consumed = ByTable::default();
    for Planned { table: name, place, key, write } in planned {
        let table = cx.state.table(&name)?;
        let metric = collection_metrics(input.return_item_collection_metrics.as_deref(), table, &key);
        let spent = match write {
            PlannedWrite::Nothing(size) => Consumed::write(None, Some(size), &[]),
            PlannedWrite::Put(new) => commit(cx, &name, &place, Some(&new), Writer::Caller)?.consumed,
            PlannedWrite::Delete => commit(cx, &name, &place, None, Writer::Caller)?.consumed,
        };
        if let Some(metric) = metric
            && let Value::Array(list) = metrics.entry(name.to_string()).or_insert_with(|| json!([]))
        {
            list.push(metric);
        }
        consumed.add(&name, spent.twice());
    }
    if let Some(token) = token {
        token.remember(cx, &consumed);
    }
    let consumed_capacity = consumed.shown(asked, Kind::Write);
    Ok(TransactOutput { consumed_capacity, item_collection_metrics: metrics })
}

/// Finds out what each action writes, all of them on the tables as they are; or why the transaction is cancelled.
fn plan(state: &Tables, requests: &[Request<'_>]) -> Result<Vec<Planned>> {
    let mut planned: Vec<Planned> = Vec::with_capacity(requests.len());
    let mut reasons = Vec::with_capacity(requests.len());
    let mut bytes = 0;
    for request in requests {
        let table = state.table(&request.action.table_name)?;
        match place(table, request) {
            Ok((place, key)) => {
                let name = &table.definition.name;
                if planned.iter().any(|known| known.table == *name && known.place == place) {
                    return Err(validation("Transaction request cannot include multiple operations on one item"));
                }
                let write = plan_one(table, request, &place, &key);
                bytes += write.as_ref().map_or(0, |write| match write {
                    PlannedWrite::Put(new) => new.size,
                    PlannedWrite::Nothing(_) | PlannedWrite::Delete => 0,
                });
                match write {
                    Ok(write) => {
                        planned.push(Planned { table: name.clone(), place, key, write });
                        reasons.push(None);
                    }
                    Err(error) => {
                        planned.push(Planned { table: name.clone(), place, key, write: PlannedWrite::Nothing(0) });
                        reasons.push(Some(error));
                    }
                }
            }
            // An empty key is refused before the transaction begins.
            Err(error) if error.message().contains("cannot contain an empty") => return Err(error),
            Err(error) => reasons.push(Some(error)),
        }
    }
    if reasons.iter().any(Option::is_some) {
        return Err(cancelled(reasons));
    }
    if bytes > MAX_BYTES {
        return Err(validation("Aggregate size of the items in the transaction exceeded the limit of 4 MB"));
    }
    Ok(planned)
}

fn place(table: &Table, request: &Request<'_>) -> Result<(Place, Item)> {
    let schema = &table.definition.key;
    match &request.kind {
        RequestKind::Put(new) => Ok((schema.place_of_item(&new.item)?, schema.key_of(&new.item))),
        RequestKind::Check(key) | RequestKind::Delete(key) | RequestKind::Update(key, _) => {
            Ok((schema.place_of_key(key).map_err(reword)?, key.clone()))
        }
    }
}

/// Transactions use other words than other operations of keys that are empty, as a test of moto shows that was run at AWS.
fn reword(error: Error) -> Error {
    let older = "One or more parameter values were invalid: The AttributeValue for a key";
    match error.message().strip_prefix(older) {
        Some(rest) => {
            validation(format!("One or more parameter values are not valid. The AttributeValue for a key{rest}"))
        }
        None => error,
    }
}

fn plan_one(table: &Table, request: &Request<'_>, place: &Place, key: &Item) -> Result<PlannedWrite> {
    if let Some(condition) = &request.condition {
        table.check_scalar_keys(condition.nested_attributes())?;
    }
    if let RequestKind::Update(_, update) = &request.kind {
        check_update(table, update)?;
    }
    let old = table.items.get(place);
    let failure = request.action.return_values_on_condition_check_failure.as_deref();
    check(request.condition.as_ref(), old.map(|old| &**old), failure)?;
    Ok(match &request.kind {
        RequestKind::Check(_) => PlannedWrite::Nothing(old.map_or(0, |old| old.size)),
        RequestKind::Delete(_) => PlannedWrite::Delete,
        RequestKind::Put(new) => {
            table.check_index_keys(&new.item)?;
            PlannedWrite::Put(Arc::clone(new))
        }
        RequestKind::Update(_, update) => match updated(table, Some(update), old, key)? {
            Some(new) => PlannedWrite::Put(new),
            None => PlannedWrite::Nothing(0),
        },
    })
}

/// The error for a transaction of which at least one action has a reason not to be done.
pub(super) fn cancelled(reasons: Vec<Option<Error>>) -> Error {
    let code = |reason: &Option<Error>| match reason {
        None => "None",
        Some(error) => match error.code() {
            "ConditionalCheckFailedException" => "ConditionalCheckFailed",
            "DuplicateItemException" => "DuplicateItem",
            "ValidationException" => "ValidationError",
            _ => "InternalServerError",
        },
    };
    let codes: Vec<&str> = reasons.iter().map(code).collect();
    let listed = codes.join(", ");
    let shown: Vec<Value> = reasons
        .iter()
        .zip(&codes)
        .map(|(reason, code)| match reason {
            None => json!({ "Code": code }),
            Some(error) => {
                let mut shown = json!({ "Code": code, "Message": error.message() });
                if let Some(item) = error.members().get("Item") {
                    shown["Item"] = item.clone();
                }
                shown
            }
        })
        .collect();
    let message = format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{listed}]");
    Error::client("TransactionCanceledException", message).with("CancellationReasons", shown)
}
