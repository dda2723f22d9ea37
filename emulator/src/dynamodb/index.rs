//! Secondary indexes: a map of its own for each, kept in every write.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use dynamodb_expressions::{Item, item_size};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::definition;
use super::place::{IndexPlace, Place};
use super::schema::KeySchema;
use super::settings::Throughput;
use super::table::Stored;

/// A secondary index. Its entries share the items of the table; what is not projected is left out when they are read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Index {
    pub name: Arc<str>,
    /// Local indexes share the partition key of the table; the others are global.
    pub local: bool,
    pub key: KeySchema,
    pub projection: definition::Projection,
    /// The projected attributes with those of both keys; `None` for all.
    projected: Option<BTreeSet<Arc<str>>>,
    pub throughput: Throughput,
    /// The bytes of all entries.
    pub size: u64,
    #[serde(skip)]
    pub entries: OrdMap<IndexPlace, Arc<Stored>>,
}

/// What a write did to one index: the bytes that were written, once or, if the entry moved, twice.
#[derive(Clone, Debug)]
pub(super) struct IndexWrite {
    pub name: Arc<str>,
    pub local: bool,
    pub written: [Option<usize>; 2],
}

impl Index {
    pub fn new(
        name: &str,
        local: bool,
        key: KeySchema,
        table_key: &KeySchema,
        projection: definition::Projection,
        throughput: Throughput,
    ) -> Self {
        let projected = (projection.projection_type.as_deref() != Some("ALL")).then(|| {
            let others = projection.non_key_attributes.iter().flatten().map(|name| Arc::from(name.as_str()));
            table_key.names().chain(key.names()).cloned().chain(others).collect()
        });
        Self { name: name.into(), local, key, projection, projected, throughput, size: 0, entries: OrdMap::new() }
    }

    pub fn projects_all(&self) -> bool {
        self.projected.is_none()
    }

    pub fn projects(&self, attribute: &str) -> bool {
        self.projected.as_ref().is_none_or(|projected| projected.contains(attribute))
    }

    /// What the index holds of an item.
    pub fn project<'a>(&self, item: &'a Item) -> Cow<'a, Item> {
        match &self.projected {
            None => Cow::Borrowed(item),
            Some(projected) => {
                Cow::Owned(projected.iter().filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect())
            }
        }
    }

    /// The bytes of an entry.
    pub fn entry_size(&self, stored: &Stored) -> usize {
        match &self.projected {
            None => stored.size,
            Some(_) => item_size(&self.project(&stored.item)),
        }
    }

    /// Whether two items have the same entry.
    fn same(&self, old: &Item, new: &Item) -> bool {
        match &self.projected {
            None => old == new,
            Some(projected) => projected.iter().all(|name| old.get(name) == new.get(name)),
        }
    }

    /// The items of the table that have the index's key, when the index is new or the table was loaded.
    pub fn fill(&mut self, items: &OrdMap<Place, Arc<Stored>>) {
        (self.entries, self.size) = (OrdMap::new(), 0);
        for (place, stored) in items {
            self.put(place, None, Some(stored));
        }
    }

    /// Follows a write of the table; what it wrote here, if anything.
    pub fn put(&mut self, primary: &Place, old: Option<&Arc<Stored>>, new: Option<&Arc<Stored>>) -> Option<IndexWrite> {
        let entry = |stored: &Arc<Stored>| self.key.sparse_place(&stored.item);
        let (was, is) = (old.and_then(entry), new.and_then(entry));
        let was_size = old.filter(|_| was.is_some()).map(|old| self.entry_size(old));
        let is_size = new.filter(|_| is.is_some()).map(|new| self.entry_size(new));
        self.size = self.size + is_size.unwrap_or(0) as u64 - was_size.unwrap_or(0) as u64;
        let moved = was != is;
        let same = !moved && old.zip(new).is_some_and(|(old, new)| self.same(&old.item, &new.item));
        if let Some(was) = was.filter(|_| moved) {
            self.entries.remove(&IndexPlace::new(was, primary.clone()));
        }
        if let Some((is, new)) = is.zip(new) {
            self.entries.insert(IndexPlace::new(is, primary.clone()), Arc::clone(new));
        }
        let written = match (was_size, is_size) {
            (None, None) => return None,
            _ if same => return None,
            (Some(was), Some(is)) if !moved => [Some(was.max(is)), None],
            both => both.into(),
        };
        Some(IndexWrite { name: self.name.clone(), local: self.local, written })
    }
}
