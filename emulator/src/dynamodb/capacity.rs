//! Consumed capacity: what reads and writes cost, and how answers show it.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/provisioned-capacity-mode.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use dynamodb_expressions::Item;
use serde::Serialize;
use serde_json::{Value, json};

use super::index::IndexWrite;
use super::schema::KeySchema;
use super::shown;
use super::table::Table;

/// One write unit writes so many bytes.
const WRITE_UNIT: usize = 1024;
/// One read unit reads so many bytes, strongly consistent; twice as many otherwise.
const READ_UNIT: usize = 4096;

/// What an operation on one table consumed, in capacity units.
#[derive(Clone, Debug, Default)]
pub(super) struct Consumed {
    table: f64,
    local: BTreeMap<Arc<str>, f64>,
    global: BTreeMap<Arc<str>, f64>,
}

/// Whether units are those of reads or writes, where an answer says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The answer does not say.
    Plain,
    Read,
    Write,
}

impl Consumed {
    /// A write of an item: the larger one of before and after counts.
    pub fn write(old: Option<usize>, new: Option<usize>, indexes: &[IndexWrite]) -> Self {
        let mut consumed = Self { table: write_units(old.max(new).unwrap_or(0)), ..Self::default() };
        for write in indexes {
            let units = write.written.iter().flatten().map(|bytes| write_units(*bytes)).sum::<f64>();
            *consumed.of_index(write.local, &write.name) += units;
        }
        consumed
    }

    /// A read of so many bytes of the table.
    pub fn read(bytes: usize, consistent: bool) -> Self {
        Self { table: read_units(bytes, consistent), ..Self::default() }
    }

    /// A read of one item costs a unit or half of one at least, even if there is none.
    pub fn read_item(bytes: usize, consistent: bool) -> Self {
        Self::read(bytes.max(1), consistent)
    }

    /// A read of so many bytes of an index, and of the table for what the index does not hold.
    pub fn read_index(local: bool, name: &Arc<str>, bytes: usize, fetched: usize, consistent: bool) -> Self {
        let mut consumed = Self::read(fetched, consistent);
        *consumed.of_index(local, name) = read_units(bytes, consistent);
        consumed
    }

    fn of_index(&mut self, local: bool, name: &Arc<str>) -> &mut f64 {
        if local { self.local.entry(name.clone()).or_default() } else { self.global.entry(name.clone()).or_default() }
    }

    /// So many units of a table.
    pub fn of_table(units: f64) -> Self {
        Self { table: units, ..Self::default() }
    }

    /// All units together.
    pub fn total(&self) -> f64 {
        self.table + self.local.values().chain(self.global.values()).sum::<f64>()
    }

    /// Transactions cost twice.
    pub fn twice(mut self) -> Self {
        self.table *= 2.0;
        self.local.values_mut().chain(self.global.values_mut()).for_each(|units| *units *= 2.0);
        self
    }

    pub fn add(&mut self, other: Self) {
        self.table += other.table;
        for (mine, theirs) in [(&mut self.local, other.local), (&mut self.global, other.global)] {
            for (name, units) in theirs {
                *mine.entry(name).or_default() += units;
            }
        }
    }

    /// The answer's member, if the request asks for it with `ReturnConsumedCapacity`.
    pub fn shown(&self, asked: Option<&str>, table: &str, kind: Kind) -> Option<ConsumedCapacity> {
        let details = match asked {
            Some("INDEXES") => true,
            Some("TOTAL") => false,
            _ => return None,
        };
        let total = self.total();
        let units = |units: f64| Units {
            read_capacity_units: (kind == Kind::Read).then_some(units),
            write_capacity_units: (kind == Kind::Write).then_some(units),
            capacity_units: units,
        };
        let of = |indexes: &BTreeMap<Arc<str>, f64>| {
            let shown = indexes.iter().map(|(name, consumed)| (name.clone(), units(*consumed))).collect();
            (details && !indexes.is_empty()).then_some(shown)
        };
        Some(ConsumedCapacity {
            table_name: table.to_owned(),
            total: units(total),
            table: details.then(|| units(self.table)),
            local_secondary_indexes: of(&self.local),
            global_secondary_indexes: of(&self.global),
        })
    }
}

/// What a transaction consumed, by tables in the order in which it names them.
#[derive(Debug, Default)]
pub(super) struct ByTable(Vec<(Arc<str>, Consumed)>);

impl ByTable {
    pub fn add(&mut self, table: &Arc<str>, consumed: Consumed) {
        match self.0.iter_mut().find(|(known, _)| known == table) {
            Some((_, sum)) => sum.add(consumed),
            None => self.0.push((table.clone(), consumed)),
        }
    }

    /// The units of each table.
    pub fn totals(&self) -> Vec<(Arc<str>, f64)> {
        self.0.iter().map(|(name, consumed)| (name.clone(), consumed.total())).collect()
    }

    /// The answer's member, if the request asks for it.
    pub fn shown(&self, asked: Option<&str>, kind: Kind) -> Option<Vec<ConsumedCapacity>> {
        let shown: Vec<_> = self.0.iter().filter_map(|(name, consumed)| consumed.shown(asked, name, kind)).collect();
        (!shown.is_empty()).then_some(shown)
    }
}

fn write_units(bytes: usize) -> f64 {
    bytes.div_ceil(WRITE_UNIT).max(1) as f64
}

fn read_units(bytes: usize, consistent: bool) -> f64 {
    let units = bytes.div_ceil(READ_UNIT) as f64;
    if consistent { units } else { units / 2.0 }
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html>
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ConsumedCapacity {
    table_name: String,
    #[serde(flatten)]
    total: Units,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<Units>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_secondary_indexes: Option<BTreeMap<Arc<str>, Units>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    global_secondary_indexes: Option<BTreeMap<Arc<str>, Units>>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Units {
    #[serde(skip_serializing_if = "Option::is_none")]
    read_capacity_units: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    write_capacity_units: Option<f64>,
    capacity_units: f64,
}

/// `ItemCollectionMetrics`, which only tables with local indexes have. AWS estimates sizes in whole gigabytes, and what
/// fits here is less than one.
pub(super) fn collection_metrics(asked: Option<&str>, table: &Table, key: &Item) -> Option<Value> {
    let KeySchema { hash, .. } = &table.definition.key;
    let wanted = asked == Some("SIZE") && table.has_local_index();
    let value = wanted.then(|| key.get(&hash.name)).flatten()?;
    let collection: Item = std::iter::once((hash.name.clone(), value.clone())).collect();
    Some(json!({ "ItemCollectionKey": shown::to_json(&collection), "SizeEstimateRangeGB": [0.0, 1.0] }))
}
