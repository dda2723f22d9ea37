//! PartiQL: `ExecuteStatement`, `BatchExecuteStatement` and `ExecuteTransaction`.
//!
//! A statement is read (`statement.rs`) and translated (`translate.rs`) to what the other operations take, and they do it.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html>

mod lexer;
mod run;
mod statement;
mod translate;

use dynamodb_expressions::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::capacity::{ByTable, ConsumedCapacity, Kind};
use super::errors::validation;
use super::shown::Shown;
use super::tokens::Token;
use super::transact_write::cancelled;
use super::{Tables, target};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result};
use run::{Limits, run};
use statement::{Statement, Verb, parse};

/// A batch has at most so many statements.
const MAX_BATCH: usize = 25;

/// Adds the operations of this folder.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service
        .op("ExecuteStatement", |at, i: &Request| on(at, Some(i)), execute)
        .op("BatchExecuteStatement", |at, i: &Batch| on(at, i.statements.first()), batch)
        .op("ExecuteTransaction", |at, i: &Transaction| on(at, i.transact_statements.first()), transaction)
}

/// What a statement acts on. One that cannot be read acts on nothing, and is refused by the operation.
fn on(at: &At<Tables>, request: Option<&Request>) -> Target {
    let Some(statement) = request.and_then(|request| request.read().ok()) else { return Target::any() };
    target::index(at, &statement.table, statement.index.as_deref()).action(action(&statement))
}

fn action(statement: &Statement) -> &'static str {
    match statement.verb {
        Verb::Select { .. } => "dynamodb:PartiQLSelect",
        Verb::Insert(_) => "dynamodb:PartiQLInsert",
        Verb::Update(_) => "dynamodb:PartiQLUpdate",
        Verb::Delete => "dynamodb:PartiQLDelete",
    }
}

/// A statement with its parameters: the input of `ExecuteStatement`, and, with fewer members, one of several.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    statement: String,
    #[serde(default)]
    parameters: Vec<Value>,
    #[serde(default)]
    consistent_read: bool,
    return_values_on_condition_check_failure: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
    return_consumed_capacity: Option<String>,
}

impl Request {
    fn read(&self) -> Result<Statement> {
        let parameters = self.parameters.iter().map(AttributeValue::from_json).collect::<Result<Vec<_>, _>>()?;
        parse(&self.statement, &parameters)
    }

    fn limits(&self) -> Limits<'_> {
        Limits {
            limit: self.limit,
            next_token: self.next_token.as_deref(),
            consistent: self.consistent_read,
            on_failure: self.return_values_on_condition_check_failure.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExecuteOutput {
    items: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_evaluated_key: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<ConsumedCapacity>,
}

fn execute(cx: &mut Cx<Tables>, input: Request) -> Result<ExecuteOutput> {
    let statement = input.read()?;
    let done = run(cx, &statement, &input.limits())?;
    let asked = input.return_consumed_capacity.as_deref();
    Ok(ExecuteOutput {
        items: done.items,
        next_token: done.last_key.as_ref().map(run::token),
        last_evaluated_key: done.last_key.map(Shown::Made),
        consumed_capacity: done.consumed.shown(asked, &statement.table, Kind::Plain),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    statements: Vec<Request>,
    return_consumed_capacity: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchOutput {
    responses: Vec<Response>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Vec<ConsumedCapacity>>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<BatchError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Shown>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchError {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Value>,
}

impl From<Error> for BatchError {
    fn from(error: Error) -> Self {
        let code = match error.code() {
            "ConditionalCheckFailedException" => "ConditionalCheckFailed",
            "ResourceNotFoundException" => "ResourceNotFound",
            "DuplicateItemException" => "DuplicateItem",
            "AccessDeniedException" => "AccessDenied",
            "ValidationException" => "ValidationError",
            _ => "InternalServerError",
        };
        Self { code, message: error.message().to_owned(), item: error.members().get("Item").cloned() }
    }
}

fn batch(cx: &mut Cx<Tables>, input: Batch) -> Result<BatchOutput> {
    if input.statements.len() > MAX_BATCH {
        return Err(validation("Too many statements in the BatchExecuteStatement call"));
    }
    let (mut responses, mut spent) = (Vec::with_capacity(input.statements.len()), ByTable::default());
    for request in &input.statements {
        let response = match request.read() {
            Err(error) => Response { error: Some(error.into()), ..Response::default() },
            Ok(statement) => batch_one(cx, request, &statement, &mut spent),
        };
        responses.push(response);
    }
    let consumed_capacity = spent.shown(input.return_consumed_capacity.as_deref(), Kind::Plain);
    Ok(BatchOutput { responses, consumed_capacity })
}

fn batch_one(cx: &mut Cx<Tables>, request: &Request, statement: &Statement, spent: &mut ByTable) -> Response {
    let done = authorize(cx, statement)
        .and_then(|()| run::check_single(cx.state, statement))
        .and_then(|()| run(cx, statement, &request.limits()));
    match done {
        Ok(done) => {
            spent.add(&statement.table.as_str().into(), done.consumed);
            Response { item: done.items.into_iter().next(), table_name: Some(statement.table.clone()), error: None }
        }
        Err(error) => {
            let known = error.code() != "ResourceNotFoundException";
            Response { error: Some(error.into()), table_name: known.then(|| statement.table.clone()), item: None }
        }
    }
}

/// The door checks the first statement; here each one is.
fn authorize(cx: &Cx<Tables>, statement: &Statement) -> Result<()> {
    target::authorize(cx, action(statement), &statement.table, statement.index.as_deref())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transaction {
    transact_statements: Vec<Request>,
    return_consumed_capacity: Option<String>,
    client_request_token: Option<String>,
}

/// Writes answer nothing, as was recorded at AWS; reads answer an item each.
fn transaction(cx: &mut Cx<Tables>, input: Transaction) -> Result<BatchOutput> {
    let statements = input.transact_statements.iter().map(Request::read).collect::<Result<Vec<_>>>()?;
    let reads = |statement: &Statement| matches!(statement.verb, Verb::Select { .. });
    if statements.iter().any(reads) && !statements.iter().all(reads) {
        return Err(validation("A transaction cannot contain both read and write operations"));
    }
    let only_reads = statements.iter().all(reads);
    let asked = input.return_consumed_capacity.as_deref();
    let token = input.client_request_token.as_deref().filter(|_| !only_reads);
    let token = Token::of(token, &input.transact_statements)?;
    if let Some(consumed_capacity) = token.as_ref().map(|token| token.repeated(cx, asked)).transpose()?.flatten() {
        return Ok(BatchOutput { responses: Vec::new(), consumed_capacity });
    }
    // The copy shares everything; it stands again if a statement fails.
    let before = cx.state.clone();
    let (mut responses, mut spent) = (Vec::with_capacity(statements.len()), ByTable::default());
    for (place, (request, statement)) in input.transact_statements.iter().zip(&statements).enumerate() {
        let done = authorize(cx, statement).and_then(|()| run(cx, statement, &request.limits()));
        match done {
            Ok(done) => {
                spent.add(&statement.table.as_str().into(), done.consumed.twice());
                if only_reads {
                    responses.push(Response { item: done.items.into_iter().next(), ..Response::default() });
                }
            }
            Err(error) => {
                *cx.state = before;
                let mut reasons: Vec<Option<Error>> = statements.iter().map(|_| None).collect();
                if let Some(reason) = reasons.get_mut(place) {
                    *reason = Some(error);
                }
                return Err(cancelled(reasons));
            }
        }
    }
    if let Some(token) = token {
        token.remember(cx, &spent);
    }
    Ok(BatchOutput { responses, consumed_capacity: spent.shown(asked, Kind::Plain) })
}
