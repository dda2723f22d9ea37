//! Amazon DynamoDB and DynamoDB Streams: tables, their items, and what changed in them.
//!
//! A table is an ordered map from place to item (`place.rs`, `table.rs`), its indexes are maps of their own (`index.rs`);
//! every write, of one item or of a transaction, goes through `write.rs`, every read of several items through `page.rs`.
//! Values and expressions are the crate `dynamodb-expressions`.

mod backups;
mod batch_get;
mod batch_write;
mod capacity;
mod create_table;
mod definition;
mod delete_item;
mod describe;
mod errors;
mod get_item;
mod index;
mod insights;
mod key_schema;
mod kinesis;
mod page;
mod parameters;
mod partiql;
mod place;
mod policy;
mod put_item;
mod query;
mod read;
mod scan;
mod schema;
mod settings;
mod shown;
mod streams;
mod table;
mod tags;
mod target;
mod tokens;
mod transact_get;
mod transact_write;
mod transfer;
mod ttl;
mod update_item;
mod update_table;
mod write;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::cloud::Service;
use crate::{Error, Result};
use backups::Backup;
use streams::Stream;
use table::Table;
use tokens::Done;

/// The tables of an account in a region, with what outlives a table: its stream, its backups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tables {
    tables: OrdMap<Arc<str>, Arc<Table>>,
    /// By their ARNs.
    streams: OrdMap<Arc<str>, Stream>,
    /// By their ARNs.
    backups: OrdMap<Arc<str>, Arc<Backup>>,
    /// Transactions by their tokens, for as long as a repetition is the same request.
    tokens: OrdMap<String, Done>,
    /// The same tokens by the order of their making.
    token_order: imbl::Vector<String>,
    /// By their ARNs.
    #[serde(default)]
    imports: OrdMap<Arc<str>, transfer::Import>,
    /// By their ARNs.
    #[serde(default)]
    exports: OrdMap<Arc<str>, transfer::Export>,
    /// The requests for imports and exports, with what they made, by their tokens.
    #[serde(default)]
    transfer_tokens: OrdMap<String, (serde_json::Value, Arc<str>)>,
}

impl Tables {
    /// The table that an operation on items names, by its name or ARN.
    fn table(&self, name: &str) -> Result<&Table> {
        self.tables.get(target::table_name(name)).map(|table| &**table).ok_or_else(errors::not_found)
    }

    /// The same table to change it.
    fn table_mut(&mut self, name: &str) -> Result<&mut Table> {
        self.tables.get_mut(target::table_name(name)).map(Arc::make_mut).ok_or_else(errors::not_found)
    }

    /// The table that an operation on tables names: the error names it, too.
    fn known(&self, name: &str) -> Result<&Table> {
        self.table(name).map_err(|_| errors::no_table(target::table_name(name)))
    }

    /// The same table to change it.
    fn known_mut(&mut self, name: &str) -> Result<&mut Table> {
        let name = target::table_name(name);
        self.tables.get_mut(name).map(Arc::make_mut).ok_or_else(|| errors::no_table(name))
    }
}

impl From<dynamodb_expressions::Error> for Error {
    fn from(error: dynamodb_expressions::Error) -> Self {
        match error {
            dynamodb_expressions::Error::Validation(message) => errors::validation(message),
            dynamodb_expressions::Error::Serialization(message) => Self::client("SerializationException", message),
        }
    }
}

/// The service and its operations.
pub fn service() -> Service<Tables> {
    Service::new("dynamodb")
        .also("dynamodbstreams")
        .with(create_table::operations)
        .with(update_table::operations)
        .with(describe::operations)
        .with(insights::operations)
        .with(put_item::operations)
        .with(get_item::operations)
        .with(update_item::operations)
        .with(delete_item::operations)
        .with(query::operations)
        .with(scan::operations)
        .with(batch_get::operations)
        .with(batch_write::operations)
        .with(transact_get::operations)
        .with(transact_write::operations)
        .with(ttl::operations)
        .with(tags::operations)
        .with(policy::operations)
        .with(backups::operations)
        .with(transfer::operations)
        .with(kinesis::operations)
        .with(partiql::operations)
        .with(streams::operations)
}
