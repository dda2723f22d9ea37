//! Things in the order of their event keys.
//!
//! Most events come at the end, where a sequence takes them at once; a tree would search for their place, and keep its nodes half empty.

use std::ops::Bound;

use imbl::Vector;
use imbl::shared_ptr::DefaultSharedPtr;
use imbl::vector::Focus;
use serde::{Deserialize, Serialize};

use super::id::EventKey;

/// A range of keys.
pub(super) type Range = (Bound<EventKey>, Bound<EventKey>);

/// How far from the last one the next thing is looked for, before it is looked for anywhere: what is asked for one after the other
/// mostly stands together.
const NEAR: usize = if cfg!(test) { 8 } else { 64 };

/// How many things are moved one by one rather than in whole trees.
const LITTLE: usize = if cfg!(test) { 32 } else { 1024 };

/// What has a place in the order of time.
pub(super) trait Placed: Clone {
    fn key(&self) -> EventKey;
}

impl Placed for EventKey {
    fn key(&self) -> EventKey {
        *self
    }
}

impl<T: Clone> Placed for (EventKey, T) {
    fn key(&self) -> EventKey {
        self.0
    }
}

/// Things in order, no two with the same key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "T: Placed + Serialize", deserialize = "T: Placed + Deserialize<'de>"))]
pub(super) struct Timeline<T: Placed>(Vector<T>);

impl<T: Placed> Default for Timeline<T> {
    fn default() -> Self {
        Self(Vector::new())
    }
}

impl<T: Placed> Timeline<T> {
    /// Adds things that are in order, and whose keys are not there yet.
    pub fn add(&mut self, things: impl IntoIterator<Item = T>) {
        let mut things = things.into_iter().peekable();
        let Some(first) = things.peek() else { return };
        let mut later = self.take_later(first.key());
        for thing in things {
            self.put_back(&mut later, thing.key());
            self.0.push_back(thing);
        }
        if later.len() > LITTLE { self.0.append(later) } else { self.0.extend(later) }
    }

    /// Takes away what is later than a key. What comes in at the same time is a bit out of order, and to take away a short end
    /// and to put it back, one thing after the other, costs less than to split the sequence and to put it together.
    fn take_later(&mut self, key: EventKey) -> Vector<T> {
        if self.0.last().is_none_or(|last| last.key() < key) {
            return Vector::new();
        }
        let place = self.place(Bound::Included(key), 0);
        let count = self.0.len() - place;
        if count > LITTLE {
            return self.0.split_off(place);
        }
        let mut later: Vec<T> = (0..count).filter_map(|_| self.0.pop_back()).collect();
        later.reverse();
        later.into()
    }

    /// Puts back what was taken away and is before a key.
    fn put_back(&mut self, later: &mut Vector<T>, key: EventKey) {
        let mut few = 0..NEAR;
        while later.front().is_some_and(|next| next.key() < key) {
            if few.next().is_none() {
                let place = later.binary_search_by(|thing| thing.key().cmp(&key)).unwrap_or_else(|place| place);
                let rest = later.split_off(place);
                self.0.append(std::mem::replace(later, rest));
                return;
            }
            self.0.extend(later.pop_front());
        }
    }

    pub fn get(&self, key: EventKey) -> Option<&T> {
        self.index(key).and_then(|index| self.0.get(index))
    }

    pub fn remove(&mut self, key: EventKey) -> Option<T> {
        self.index(key).map(|index| self.0.remove(index))
    }

    pub fn first(&self) -> Option<&T> {
        self.0.front()
    }

    pub fn remove_first(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// What is in a range, from both sides.
    pub fn range(&self, (start, end): Range) -> impl DoubleEndedIterator<Item = &T> {
        let start = self.place(start, 0);
        let end = self.place(flipped(end), self.0.len());
        self.0.focus().narrow(start..end.max(start)).into_iter()
    }

    /// Looks things up one after the other.
    pub fn finder(&self) -> Finder<'_, T> {
        Finder { things: &self.0, focus: self.0.focus(), last: 0 }
    }

    fn index(&self, key: EventKey) -> Option<usize> {
        self.0.binary_search_by(|thing| thing.key().cmp(&key)).ok()
    }

    /// Where the first thing stands that is not before a bound; `open` is the place that no bound has.
    fn place(&self, bound: Bound<EventKey>, open: usize) -> usize {
        let found = match bound {
            Bound::Unbounded => return open,
            Bound::Included(key) => self.0.binary_search_by(|thing| thing.key().cmp(&key)),
            // No key is this one, and those that are stand before it.
            Bound::Excluded(key) => {
                self.0.binary_search_by(|thing| thing.key().cmp(&key).then(std::cmp::Ordering::Less))
            }
        };
        found.unwrap_or_else(|place| place)
    }
}

/// The bound behind which things stand that are not in a range with this end.
fn flipped(end: Bound<EventKey>) -> Bound<EventKey> {
    match end {
        Bound::Included(key) => Bound::Excluded(key),
        Bound::Excluded(key) => Bound::Included(key),
        Bound::Unbounded => Bound::Unbounded,
    }
}

/// See [`Timeline::finder`].
pub(super) struct Finder<'a, T: Placed> {
    things: &'a Vector<T>,
    /// The same, for many looks at one place.
    focus: Focus<'a, T, DefaultSharedPtr>,
    /// Where something was found last.
    last: usize,
}

impl<'a, T: Placed> Finder<'a, T> {
    pub fn find(&mut self, key: EventKey) -> Option<&'a T> {
        let near = self.last.saturating_sub(NEAR)..self.things.len().min(self.last + NEAR);
        let is_near =
            !near.is_empty() && self.key_at(near.start) <= Some(key) && Some(key) <= self.key_at(near.end - 1);
        let (mut from, mut count) = if is_near { (near.start, near.len()) } else { (0, self.things.len()) };
        while count > 1 {
            let half = count / 2;
            if self.key_at(from + half).is_some_and(|middle| middle <= key) {
                from += half;
            }
            count -= half;
        }
        self.last = from;
        self.things.get(from).filter(|thing| thing.key() == key)
    }

    fn key_at(&mut self, index: usize) -> Option<EventKey> {
        self.focus.get(index).map(Placed::key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::Timestamp;

    fn key(number: u64) -> EventKey {
        EventKey(Timestamp::from_millis((number / 4) as i64), number % 4)
    }

    fn bound() -> impl Strategy<Value = Bound<EventKey>> {
        let number = 0_u64..400;
        prop_oneof![
            number.clone().prop_map(|number| Bound::Included(key(number))),
            number.prop_map(|number| Bound::Excluded(key(number))),
            Just(Bound::Unbounded),
        ]
    }

    proptest! {
        /// It keeps what a map keeps, and finds it by the same ranges.
        #[test]
        fn it_is_a_map(
            changes in prop::collection::vec((0_u64..400, prop::option::of(0..20_usize)), 0..300),
            (start, end) in (bound(), bound()),
        ) {
            let (mut line, mut map) = (Timeline::default(), BTreeMap::new());
            for (turn, (number, adds)) in changes.into_iter().enumerate() {
                if let Some(count) = adds {
                    let added = (number..400).step_by(7).take(count).map(|number| (key(number), turn));
                    let added: Vec<_> = added.filter(|(key, _)| !map.contains_key(key)).collect();
                    map.extend(added.iter().copied());
                    line.add(added);
                } else {
                    let key = key(number);
                    prop_assert_eq!(line.get(key).copied(), map.get(&key).map(|turn| (key, *turn)));
                    prop_assert_eq!(line.remove(key), map.remove(&key).map(|turn| (key, turn)));
                }
            }
            let all: Vec<_> = map.iter().map(|(key, turn)| (*key, *turn)).collect();
            prop_assert_eq!(line.iter().copied().collect::<Vec<_>>(), all.clone());
            let is_in = |key: EventKey| std::ops::RangeBounds::contains(&(start, end), &key);
            let within: Vec<_> = all.iter().copied().filter(|(key, _)| is_in(*key)).collect();
            prop_assert_eq!(line.range((start, end)).copied().collect::<Vec<_>>(), within.clone());
            prop_assert_eq!(line.range((start, end)).rev().copied().collect::<Vec<_>>(), within.into_iter().rev().collect::<Vec<_>>());
            let mut finder = line.finder();
            for number in (0..400).chain((0..400).rev()) {
                let key = key(number);
                prop_assert_eq!(finder.find(key).copied(), map.get(&key).map(|turn| (key, *turn)));
            }
            prop_assert_eq!(line.remove_first(), all.first().copied());
        }
    }
}
