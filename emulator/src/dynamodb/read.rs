//! What queries and scans have in common: which index they read, what they select, where they go on.

use dynamodb_expressions::{Condition, Item, Projection, item_from_json};

use super::errors::{parameter, validation};
use super::index::Index;
use super::page::After;
use super::parameters::Json;
use super::place::IndexPlace;
use super::schema::KeySchema;
use super::table::Table;
use crate::{Error, Result};

/// The parameters of a query or scan that say what of the items is wanted.
pub(super) struct Selection<'a> {
    pub select: Option<&'a str>,
    pub index: Option<&'a str>,
    /// The parameter that names attributes, if one does.
    pub attributes: Option<&'static str>,
}

impl Selection<'_> {
    /// What is wrong if the parameters do not fit each other.
    pub fn fault(&self) -> Option<String> {
        let refused = |name: &str, what: &str| Some(format!("Cannot specify the {name} when choosing to get {what}"));
        match (self.select, self.attributes) {
            (Some("COUNT"), Some(name)) => refused(name, "only the Count"),
            (Some(select @ ("ALL_ATTRIBUTES" | "ALL_PROJECTED_ATTRIBUTES")), Some(name)) => refused(name, select),
            (Some("ALL_PROJECTED_ATTRIBUTES"), None) if self.index.is_none() => {
                Some("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName".to_owned())
            }
            (Some("SPECIFIC_ATTRIBUTES"), None) => Some(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    pub fn counts_only(&self) -> bool {
        self.select == Some("COUNT")
    }
}

/// The index that is read.
pub(super) fn index<'a>(table: &'a Table, name: Option<&str>, consistent: bool) -> Result<Option<&'a Index>> {
    let Some(name) = name else { return Ok(None) };
    let index = table.index(name)?;
    if !index.local && consistent {
        return Err(validation("Consistent reads are not supported on global secondary indexes"));
    }
    Ok(Some(index))
}

/// Whether what is wanted has to be fetched from the table, which only local indexes do.
pub(super) fn fetches(
    index: Option<&Index>,
    select: Option<&str>,
    wanted: Option<&Projection>,
    filter: Option<&Condition>,
) -> Result<bool> {
    let Some(index) = index.filter(|index| !index.projects_all()) else { return Ok(false) };
    let name = &index.name;
    if select == Some("ALL_ATTRIBUTES") {
        if index.local {
            return Ok(true);
        }
        return Err(parameter(format_args!(
            "Select type ALL_ATTRIBUTES is not supported for global secondary index {name} because its projection type is \
             not ALL"
        )));
    }
    let wanted = wanted.into_iter().flat_map(Projection::attributes);
    let mut missing: Vec<&str> = wanted.map(|name| &**name).filter(|name| !index.projects(name)).collect();
    if index.local {
        missing.extend(
            filter.into_iter().flat_map(Condition::attributes).map(|name| &**name).filter(|name| !index.projects(name)),
        );
        return Ok(!missing.is_empty());
    }
    if missing.is_empty() {
        return Ok(false);
    }
    let missing = missing.join(", ");
    Err(parameter(format_args!("Global secondary index {name} does not project [{missing}]")))
}

/// Reads the values of an `ExclusiveStartKey`.
pub(super) fn start_key(key: Option<&Json>) -> Result<Option<Item>> {
    let Some(key) = key else { return Ok(None) };
    let read = item_from_json(key).map_err(|error| {
        let message = error.message();
        // The service says so of some errors only.
        let bare =
            ["contains duplicates", "number set", "numeric value", "significant digits", "number with magnitude"];
        if bare.iter().any(|text| message.contains(text)) {
            Error::from(error)
        } else {
            validation(format!("The provided starting key is invalid: {message}"))
        }
    });
    read.map(Some)
}

/// A starting key that fits nothing that is read.
pub(super) fn invalid_start() -> Error {
    validation("The provided starting key is invalid")
}

/// The place after which to go on. The key must be that of the table and of the index that is read.
pub(super) fn after(table: &Table, index: Option<&Index>, key: &Item) -> Result<After> {
    let table_key = &table.definition.key;
    let of_table: Item = table_key.key_of(key);
    let primary = table_key
        .place_of_key(&of_table)
        .map_err(|error| validation(format!("The provided starting key is invalid: {}", error.message())))?;
    match index {
        None => Ok(After::Place(primary)),
        Some(index) => {
            let place = index.key.place_of_key(&index.key.key_of(key))?;
            Ok(After::IndexPlace(IndexPlace::new(place, primary)))
        }
    }
}

/// How many attributes the key of an item in what is read has.
pub(super) fn key_length(table: &Table, index: Option<&Index>) -> usize {
    let table_key = &table.definition.key;
    let more = |index: &Index| index.key.names().filter(|name| !table_key.has(name)).count();
    table_key.names().count() + index.map_or(0, more)
}

/// The key by which is read.
pub(super) fn key<'a>(table: &'a Table, index: Option<&'a Index>) -> &'a KeySchema {
    index.map_or(&table.definition.key, |index| &index.key)
}
