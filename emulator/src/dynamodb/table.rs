//! A table: its definition, its items, and the indexes over them.

use std::collections::BTreeSet;
use std::sync::Arc;

use dynamodb_expressions::{AttributeValue, Item, KeyType, item_size};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::definition::KeySchemaElement;
use super::errors::validation;
use super::index::{Index, IndexWrite};
use super::kinesis::Destination;
use super::place::Place;
use super::schema::{KeyAttribute, KeySchema};
use super::settings::Settings;
use super::{policy, ttl};
use crate::{Result, Timestamp};

/// A table.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub(super) struct Table {
    pub definition: Definition,
    #[serde(with = "crate::cloud::pairs")]
    pub items: OrdMap<Place, Arc<Stored>>,
    /// The bytes of all items.
    pub size: u64,
    pub indexes: Vec<Index>,
    /// When items expire, in seconds since 1970: made anew when the table is loaded.
    #[serde(skip)]
    pub expiry: OrdSet<(i64, Place)>,
}

/// All of a table but its items.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Definition {
    pub name: Arc<str>,
    pub arn: Arc<str>,
    pub id: String,
    pub created: Timestamp,
    /// The attributes that keys use, as they were defined.
    pub attributes: Vec<(Arc<str>, KeyType)>,
    pub key: KeySchema,
    pub settings: Settings,
    pub tags: OrdMap<String, String>,
    pub policy: Option<policy::Stored>,
    pub ttl: ttl::Setting,
    /// The ARN of the table's stream, if it has one or had one.
    pub stream: Option<Arc<str>>,
    /// The Kinesis streams that hold its changes.
    #[serde(default)]
    pub destinations: Vec<Destination>,
}

/// A table as it is saved: what can be made anew is not.
#[derive(Deserialize)]
struct Saved {
    definition: Definition,
    #[serde(with = "crate::cloud::pairs")]
    items: OrdMap<Place, Arc<Stored>>,
    size: u64,
    indexes: Vec<Index>,
}

impl From<Saved> for Table {
    fn from(saved: Saved) -> Self {
        let Saved { definition, items, size, mut indexes } = saved;
        for index in &mut indexes {
            index.fill(&items);
        }
        let mut table = Self { definition, items, size, indexes, expiry: OrdSet::new() };
        table.schedule_expiry();
        table
    }
}

/// An item as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    pub item: Item,
    /// Its bytes, as AWS counts them.
    pub size: usize,
}

impl Stored {
    pub fn new(item: Item) -> Self {
        Self { size: item_size(&item), item }
    }
}

/// What a write did to the indexes, for its capacity.
pub(super) type IndexWrites = Vec<IndexWrite>;

impl Table {
    pub fn new(definition: Definition, indexes: Vec<Index>) -> Self {
        Self { definition, items: OrdMap::new(), size: 0, indexes, expiry: OrdSet::new() }
    }

    /// The index of this name.
    pub fn index(&self, name: &str) -> Result<&Index> {
        let found = self.indexes.iter().find(|index| &*index.name == name);
        found.ok_or_else(|| validation(format!("The table does not have the specified index: {name}")))
    }

    /// Whether there are items that belong together by a local index: such collections have a size limit at AWS.
    pub fn has_local_index(&self) -> bool {
        self.indexes.iter().any(|index| index.local)
    }

    /// Checks what the indexes ask of an item.
    pub fn check_index_keys(&self, item: &Item) -> Result<()> {
        self.indexes.iter().try_for_each(|index| index.key.check_index_key(&index.name, item))
    }

    /// Checks that an expression does not look into key attributes as if they were lists or maps.
    pub fn check_scalar_keys(&self, nested: &BTreeSet<Arc<str>>) -> Result<()> {
        if nested.is_empty() {
            return Ok(());
        }
        let of_table = self.definition.key.nested(nested).map(|name| ("Key", name));
        let of_index = || self.indexes.iter().find_map(|index| index.key.nested(nested)).map(|name| ("IndexKey", name));
        match of_table.or_else(of_index) {
            None => Ok(()),
            Some((what, name)) => Err(validation(format!(
                "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {what}: {name}"
            ))),
        }
    }

    /// Puts an item in its place, or takes it away: the one way in which items, indexes and sizes change. With what was there.
    pub fn put(&mut self, place: &Place, new: Option<&Arc<Stored>>) -> (Option<Arc<Stored>>, IndexWrites) {
        let old = match new {
            Some(new) => self.items.insert(place.clone(), Arc::clone(new)),
            None => self.items.remove(place),
        };
        let bytes = |stored: Option<&Arc<Stored>>| stored.map_or(0, |stored| stored.size as u64);
        self.size = self.size + bytes(new) - bytes(old.as_ref());
        if let Some(attribute) = self.definition.ttl.attribute() {
            let (was, is) = (expires(attribute, old.as_ref()), expires(attribute, new));
            if was != is {
                was.and_then(|at| self.expiry.remove(&(at, place.clone())));
                is.and_then(|at| self.expiry.insert((at, place.clone())));
            }
        }
        let writes = self.indexes.iter_mut().filter_map(|index| index.put(place, old.as_ref(), new)).collect();
        (old, writes)
    }

    /// Sets up when items expire, after the attribute that says so was named.
    pub fn schedule_expiry(&mut self) {
        self.expiry = match self.definition.ttl.attribute() {
            None => OrdSet::new(),
            Some(attribute) => {
                let timed =
                    |(place, stored): (&Place, &Arc<Stored>)| Some((expires(attribute, Some(stored))?, place.clone()));
                self.items.iter().filter_map(timed).collect()
            }
        };
    }

    /// The key schema of the table or of an index, as answers show it.
    pub fn key_schema(key: &KeySchema) -> Vec<KeySchemaElement> {
        let element = |attribute: &KeyAttribute, key_type: &str| KeySchemaElement {
            attribute_name: attribute.name.to_string(),
            key_type: key_type.to_owned(),
        };
        let hash = key.hash_attributes().map(|attribute| element(attribute, "HASH"));
        hash.chain(key.range_attributes().map(|attribute| element(attribute, "RANGE"))).collect()
    }
}

/// When an item expires, in seconds since 1970.
fn expires(attribute: &str, stored: Option<&Arc<Stored>>) -> Option<i64> {
    match stored?.item.get(attribute)? {
        AttributeValue::N(number) => ttl::seconds(*number),
        _ => None,
    }
}
