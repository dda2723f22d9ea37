//! Where an item stands in its table or index: the order in which scans and queries answer.
//!
//! Partitions stand in the order of a hash of their key, as at AWS, so that the segments of a parallel scan are stretches
//! of the map; within a partition items stand in the order of their sort key.

use std::ops::Bound;
use std::sync::Arc;

use dynamodb_expressions::{KeyValue, Number};
use md5_many::Md5State;
use serde::{Deserialize, Serialize};

/// The place of an item in a table. Fields compare in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place {
    /// The hash of the partition key.
    pub slot: u32,
    pub hash: Hash,
    pub range: Range,
}

/// The partition key. Those of tables are of one attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Hash {
    One(KeyValue),
    /// Only global indexes have such keys.
    Several(Arc<[KeyValue]>),
}

/// The sort key's place in its partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Range {
    /// The table has no sort key; also: before all sort keys.
    None,
    Value(KeyValue),
    /// The sort key is of several attributes, as only global indexes have them; they compare from the left.
    Several(Arc<[Piece]>),
    /// After all sort keys: no item stands here.
    End,
}

/// The value of one attribute of a sort key of several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Piece {
    Value(KeyValue),
    /// After all values that begin with those before: no item stands here.
    End,
}

impl Hash {
    pub fn values(&self) -> &[KeyValue] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }
}

impl From<Vec<KeyValue>> for Hash {
    fn from(mut values: Vec<KeyValue>) -> Self {
        match values.pop() {
            Some(only) if values.is_empty() => Self::One(only),
            last => Self::Several(values.into_iter().chain(last).collect()),
        }
    }
}

/// The place of an item in an index, where several items may have one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct IndexPlace {
    pub place: Place,
    /// The order of those that have one key: by a hash of the table's key.
    pub tie: u64,
    /// The place in the table.
    pub primary: Place,
}

impl Place {
    pub fn new(hash: Hash, range: Range) -> Self {
        Self { slot: digest(hash.values()), hash, range }
    }

    pub fn with_range(&self, range: Range) -> Self {
        Self { range, ..self.clone() }
    }

    pub fn range_value(&self) -> Option<&KeyValue> {
        match &self.range {
            Range::Value(value) => Some(value),
            Range::None | Range::Several(_) | Range::End => None,
        }
    }

    /// Before the first place of a slot.
    fn before_slot(slot: u32) -> Self {
        Self { slot, hash: Hash::One(KeyValue::S("".into())), range: Range::None }
    }
}

impl IndexPlace {
    pub fn new(place: Place, primary: Place) -> Self {
        let tie = match primary.range_value() {
            Some(range) => digest(primary.hash.values().iter().chain([range])),
            None => primary.slot,
        };
        Self { place, tie: u64::from(tie), primary }
    }

    /// Before or after all items of one key.
    fn edge(place: Place, after: bool) -> Self {
        let primary = place.clone();
        Self {
            place,
            tie: if after { u64::MAX } else { 0 },
            primary: if after { primary } else { Place::before_slot(0) },
        }
    }
}

/// A stretch of a table.
pub(super) type Stretch = (Bound<Place>, Bound<Place>);

/// The stretch of a segment of a parallel scan. Segments are of one length and cover all slots.
pub(super) fn segment(segment: u32, total: u32) -> Stretch {
    let edge = |number: u32| (u64::from(number) << 32).div_ceil(u64::from(total.max(1)));
    let start = Bound::Included(Place::before_slot(u32::try_from(edge(segment)).unwrap_or(u32::MAX)));
    let end = u32::try_from(edge(segment.saturating_add(1)))
        .map_or(Bound::Unbounded, |slot| Bound::Excluded(Place::before_slot(slot)));
    (start, end)
}

/// The same stretch of an index: a bound stands before or after all items of its key.
pub(super) fn in_index((start, end): Stretch) -> (Bound<IndexPlace>, Bound<IndexPlace>) {
    let start = match start {
        Bound::Included(place) => Bound::Included(IndexPlace::edge(place, false)),
        Bound::Excluded(place) => Bound::Excluded(IndexPlace::edge(place, true)),
        Bound::Unbounded => Bound::Unbounded,
    };
    let end = match end {
        Bound::Included(place) => Bound::Included(IndexPlace::edge(place, true)),
        Bound::Excluded(place) => Bound::Excluded(IndexPlace::edge(place, false)),
        Bound::Unbounded => Bound::Unbounded,
    };
    (start, end)
}

/// The hash by which DynamoDB orders partitions, as scans of its tables show it: the MD5 of a fixed word and the key.
fn digest<'a>(keys: impl IntoIterator<Item = &'a KeyValue>) -> u32 {
    let mut md5 = Md5State::new();
    md5.update(b"Outliers");
    for key in keys {
        match key {
            KeyValue::S(text) => md5.update(text.as_bytes()),
            KeyValue::B(bytes) => md5.update(bytes),
            KeyValue::N(number) => md5.update(&number_bytes(*number)),
        }
    }
    let digest = md5.finalize();
    digest.iter().take(4).fold(0, |slot, byte| (slot << 8) | u32::from(*byte))
}

/// A number as the bytes that are hashed: an exponent to the base 100, then pairs of digits, each plus one; those of a
/// negative number are complements, closed by 102 if there is room.
fn number_bytes(number: Number) -> Vec<u8> {
    let (negative, digits, exponent) = parts(number);
    if digits.is_empty() {
        return vec![128];
    }
    // An odd exponent puts a zero before the first digit, so that the point stands between pairs.
    let odd = exponent.rem_euclid(2);
    let digits: Vec<u8> = std::iter::repeat_n(0, odd as usize).chain(digits.iter().copied()).collect();
    let head = ((exponent + odd) / 2 - 64) as u8;
    let mut bytes = Vec::with_capacity(digits.len() / 2 + 2);
    bytes.push(if negative { !head } else { head });
    for pair in digits.chunks(2) {
        let value = pair.first().copied().unwrap_or(0) * 10 + pair.get(1).copied().unwrap_or(0);
        bytes.push(if negative { 101 - value } else { value + 1 });
    }
    // Twenty pairs and the exponent are all that the form has room for.
    if negative && bytes.len() <= 20 {
        bytes.push(102);
    }
    bytes
}

/// A number as `0.d1d2d3… × 10^exponent`: its sign, the digits without zeros at either end, the exponent.
fn parts(number: Number) -> (bool, Vec<u8>, i32) {
    let text = number.to_string();
    let (negative, text) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|digit| digit.wrapping_sub(b'0')).collect();
    let leading = all.iter().take_while(|digit| **digit == 0).count();
    let trailing = all.iter().skip(leading).rev().take_while(|digit| **digit == 0).count();
    let digits = all.get(leading..all.len() - trailing).unwrap_or_default().to_vec();
    (negative, digits, whole.len() as i32 - leading as i32)
}
