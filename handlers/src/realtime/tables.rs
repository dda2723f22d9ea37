//! The two tables: who is connected, and what happened.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::error::Error;
use super::settings::TableNames;
use crate::failure::reason;

/// Connections that one page of a scan reads. A page also ends at 1 MB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html>).
const PAGE: i32 = 100;

/// What happened, as the audit table keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The connection that it happened on.
    pub connection_id: &'a str,
    /// When, in ISO 8601.
    pub at: &'a str,
    /// The request, so that two things at one time are two entries, and a retry is one.
    pub request_id: &'a str,
    /// `CONNECT`, `DISCONNECT`, or the name of what a message asked for.
    pub event: &'a str,
    /// The message, or what else is worth keeping.
    pub body: Option<&'a str>,
}

/// The tables.
#[derive(Clone, Debug)]
pub struct Tables {
    client: Client,
    names: TableNames,
}

impl Tables {
    /// The tables of these names.
    pub fn new(client: Client, names: TableNames) -> Self {
        Self { client, names }
    }

    /// Keeps a connection.
    ///
    /// # Errors
    /// [`Error::Table`].
    pub async fn add(&self, connection_id: &str, at: &str, principal: Option<&str>) -> Result<(), Error> {
        let table = &self.names.connections;
        let put = self.client.put_item().table_name(table);
        let put = put.item("connection_id", text(connection_id)).item("timestamp", text(at));
        let put = match principal {
            Some(principal) => put.item("principal", text(principal)),
            None => put,
        };
        put.send().await.map(drop).map_err(|error| failed("PutItem", table, &error))
    }

    /// Forgets a connection; one that is not there is forgotten already.
    ///
    /// # Errors
    /// [`Error::Table`].
    pub async fn remove(&self, connection_id: &str) -> Result<(), Error> {
        let table = &self.names.connections;
        let delete = self.client.delete_item().table_name(table).key("connection_id", text(connection_id));
        delete.send().await.map(drop).map_err(|error| failed("DeleteItem", table, &error))
    }

    /// Everybody who is connected, of every page.
    ///
    /// # Errors
    /// [`Error::Table`].
    pub async fn connections(&self) -> Result<Vec<String>, Error> {
        let table = &self.names.connections;
        let mut all = Vec::new();
        let mut from = None;
        loop {
            let scan = self.client.scan().table_name(table).consistent_read(true).limit(PAGE);
            let scan = scan.projection_expression("connection_id").set_exclusive_start_key(from);
            let page = scan.send().await.map_err(|error| failed("Scan", table, &error))?;
            let ids = page.items().iter().filter_map(|item| item.get("connection_id")?.as_s().ok());
            all.extend(ids.cloned());
            match page.last_evaluated_key {
                Some(key) if !key.is_empty() => from = Some(key),
                _ => return Ok(all),
            }
        }
    }

    /// Keeps what happened.
    ///
    /// # Errors
    /// [`Error::Table`].
    pub async fn note(&self, entry: Entry<'_>) -> Result<(), Error> {
        let table = &self.names.audit;
        let put = self.client.put_item().table_name(table);
        let put = put
            .item("connection_id", text(entry.connection_id))
            .item("happened", text(&format!("{}#{}", entry.at, entry.request_id)))
            .item("event", text(entry.event));
        let put = match entry.body {
            Some(body) => put.item("body", text(body)),
            None => put,
        };
        put.send().await.map(drop).map_err(|error| failed("PutItem", table, &error))
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn failed<E, R>(operation: &'static str, table: &str, error: &SdkError<E, R>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    Error::Table { operation, table: table.to_owned(), reason: reason(error) }
}
