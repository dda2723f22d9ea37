//! Tables and clients for tests: the SDK's own clients with answers made up here.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use aws_sdk_apigatewaymanagement::operation::post_to_connection::{PostToConnectionError, PostToConnectionOutput};
use aws_sdk_apigatewaymanagement::types::error::{ForbiddenException, GoneException};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemError, DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::scan::ScanOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::ResourceNotFoundException;
use aws_smithy_async::time::{SharedTimeSource, StaticTimeSource};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use serde_json::{Value, json};

use super::run::Books;
use super::sender::Sender;
use super::settings::TableNames;
use super::tables::Tables;

/// A connection that cannot be deleted from the table.
pub const STUCK: &str = "stuck";

/// A world with some connections, of which some are gone; `x` is one that cannot be written to. Every page of a scan has one item.
pub struct Fake {
    present: Vec<String>,
    gone: Vec<String>,
    calls: Arc<Mutex<Vec<String>>>,
}

/// An event on a connection.
pub fn event(connection: &str, body: &str) -> Value {
    let context = json!({
        "connectionId": connection, "requestId": "r", "domainName": "abc.execute-api.sa-east-1.amazonaws.com", "stage": "prod",
        "authorizer": { "principalId": "alice" }, "disconnectReason": "bye",
    });
    json!({ "requestContext": context, "body": body })
}

impl Fake {
    pub fn new(present: &[&str], gone: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self { present: owned(present), gone: owned(gone), calls: Arc::default() }
    }

    /// What was called so far.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn noting<I>(
        &self,
        tell: impl Fn(&I) -> String + Send + Sync + 'static,
    ) -> impl Fn(&I) -> bool + Send + Sync + 'static {
        let calls = Arc::clone(&self.calls);
        move |input| {
            calls.lock().unwrap().push(tell(input));
            true
        }
    }

    pub fn books(&self) -> Books {
        let put = mock!(aws_sdk_dynamodb::Client::put_item)
            .match_requests(self.noting(|input: &aws_sdk_dynamodb::operation::put_item::PutItemInput| {
                let get = |name: &str| string(input.item().and_then(|item| item.get(name)));
                if input.table_name() == Some("audit") {
                    format!("audit {}", get("event"))
                } else {
                    format!("put {}", get("connection_id"))
                }
            }))
            .then_output(|| PutItemOutput::builder().build());
        let key = |input: &DeleteItemInput| string(input.key().and_then(|key| key.get("connection_id")));
        let noted = self.noting(move |input| format!("delete {}", key(input)));
        let stuck = mock!(aws_sdk_dynamodb::Client::delete_item)
            .match_requests(move |input| key(input) == STUCK && noted(input))
            .then_error(|| {
                let missing = ResourceNotFoundException::builder().message("no table").build();
                DeleteItemError::ResourceNotFoundException(missing)
            });
        let noted = self.noting(move |input| format!("delete {}", key(input)));
        let delete = mock!(aws_sdk_dynamodb::Client::delete_item)
            .match_requests(move |input| key(input) != STUCK && noted(input))
            .then_output(|| DeleteItemOutput::builder().build());
        let mut rules: Vec<Rule> = vec![put, stuck, delete];
        let count = self.present.len();
        for (place, id) in self.present.iter().enumerate() {
            let before = place.checked_sub(1).map(|before| self.present[before].clone());
            let (calls, id) = (Arc::clone(&self.calls), id.clone());
            let rule = mock!(aws_sdk_dynamodb::Client::scan)
                .match_requests(move |input| {
                    let from = input.exclusive_start_key().map(|key| string(key.get("connection_id")));
                    let is_this = from == before;
                    if is_this {
                        calls.lock().unwrap().push("scan".to_owned());
                    }
                    is_this
                })
                .then_output(move || {
                    let key = || [("connection_id".to_owned(), AttributeValue::S(id.clone()))].into_iter().collect();
                    let page = ScanOutput::builder().items(key());
                    if place + 1 < count { page.set_last_evaluated_key(Some(key())).build() } else { page.build() }
                });
            rules.push(rule);
        }
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules.iter());
        let names = TableNames { connections: "connections".to_owned(), audit: "audit".to_owned() };
        let time = SharedTimeSource::new(StaticTimeSource::new(SystemTime::UNIX_EPOCH));
        Books { tables: Tables::new(client, names), time }
    }

    pub fn sender(&self) -> Sender {
        type Input = aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionInput;
        let to = |input: &Input| input.connection_id().unwrap_or_default().to_owned();
        let told = |input: &Input| format!("post {}", input.connection_id().unwrap_or_default());
        let gone = self.gone.clone();
        let (first, second) = (self.noting(told), self.noting(told));
        let vanished = mock!(aws_sdk_apigatewaymanagement::Client::post_to_connection)
            .match_requests(move |input| gone.contains(&to(input)) && first(input))
            .then_error(|| PostToConnectionError::GoneException(GoneException::builder().build()));
        let refused = mock!(aws_sdk_apigatewaymanagement::Client::post_to_connection)
            .match_requests(|input| input.connection_id() == Some("x"))
            .then_error(|| PostToConnectionError::ForbiddenException(ForbiddenException::builder().build()));
        let gone = self.gone.clone();
        let taken = mock!(aws_sdk_apigatewaymanagement::Client::post_to_connection)
            .match_requests(move |input| !gone.contains(&to(input)) && to(input) != "x" && second(input))
            .then_output(|| PostToConnectionOutput::builder().build());
        Sender::with(mock_client!(aws_sdk_apigatewaymanagement, RuleMode::MatchAny, [&vanished, &refused, &taken]))
    }
}

fn string(value: Option<&AttributeValue>) -> String {
    value.and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}
