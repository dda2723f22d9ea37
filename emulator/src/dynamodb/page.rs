//! One page of a query or scan: a walk along a stretch of a table or index, as far as its limits let it.

use std::borrow::Cow;
use std::ops::Bound;
use std::sync::Arc;

use dynamodb_expressions::{Condition, Item, Projection};
use imbl::OrdMap;
use serde::Serialize;

use super::capacity::{Consumed, ConsumedCapacity, Kind};
use super::index::Index;
use super::place::{IndexPlace, Place, Stretch, in_index};
use super::shown::Shown;
use super::table::{Stored, Table};

/// A page ends with the item that brings it to so many bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
const MAX_BYTES: usize = 1 << 20;

/// What is read, and how much of it.
pub(super) struct Reading<'a> {
    pub table: &'a Table,
    pub index: Option<&'a Index>,
    pub stretch: Stretch,
    /// The place of the item after which to go on.
    pub after: Option<After>,
    pub reverse: bool,
    pub limit: Option<usize>,
    pub filter: Option<&'a Condition>,
    pub wanted: Option<&'a Projection>,
    /// Whether only the number of items is wanted.
    pub count_only: bool,
    /// Whether a local index is to answer what it does not hold: it is fetched from the table.
    pub fetch: bool,
    pub consistent: bool,
}

/// The place after which a page begins.
pub(super) enum After {
    Place(Place),
    IndexPlace(IndexPlace),
}

impl After {
    /// The place in what is read, table or index.
    pub fn place(&self) -> &Place {
        match self {
            Self::Place(place) => place,
            Self::IndexPlace(place) => &place.place,
        }
    }
}

/// A page.
pub(super) struct Page {
    pub items: Vec<Shown>,
    pub count: usize,
    pub scanned: usize,
    /// The key of the last item that was looked at, if the page's limits ended it.
    pub last_key: Option<Item>,
    pub consumed: Consumed,
}

/// The answer of a query or scan.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PageOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Shown>>,
    pub count: usize,
    pub scanned_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_evaluated_key: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumed_capacity: Option<ConsumedCapacity>,
}

impl Reading<'_> {
    /// Reads the page. `asked` is `ReturnConsumedCapacity`.
    pub fn answer(&self, asked: Option<&str>) -> PageOutput {
        let page = self.page();
        PageOutput {
            items: (!self.count_only).then_some(page.items),
            count: page.count,
            scanned_count: page.scanned,
            last_evaluated_key: page.last_key.map(Shown::Made),
            consumed_capacity: page.consumed.shown(asked, &self.table.definition.name, Kind::Plain),
        }
    }

    /// The page itself, for who answers in another form.
    pub fn page(&self) -> Page {
        let stretch = self.stretch.clone();
        match (self.index, &self.after) {
            (None, Some(After::Place(after))) => self.along(&self.table.items, stretch, Some(after.clone())),
            (None, _) => self.along(&self.table.items, stretch, None),
            (Some(index), Some(After::IndexPlace(after))) => {
                self.along(&index.entries, in_index(stretch), Some(after.clone()))
            }
            (Some(index), _) => self.along(&index.entries, in_index(stretch), None),
        }
    }

    /// Walks along a stretch, from a place on or from its beginning, forwards or backwards.
    fn along<P: Ord + Clone>(
        &self,
        items: &OrdMap<P, Arc<Stored>>,
        stretch: (Bound<P>, Bound<P>),
        after: Option<P>,
    ) -> Page {
        let range = cut(stretch, after, self.reverse);
        if is_empty(&range) {
            return self.walk(std::iter::empty());
        }
        let items = items.range::<_, P>(range).map(|(_, item)| item);
        if self.reverse { self.walk(items.rev()) } else { self.walk(items) }
    }

    fn walk<'a>(&self, mut items: impl Iterator<Item = &'a Arc<Stored>>) -> Page {
        let mut page = Page { items: Vec::new(), count: 0, scanned: 0, last_key: None, consumed: Consumed::default() };
        let (mut read, mut fetched, mut last, mut bytes) = (0, 0, None, 0);
        while self.limit.is_none_or(|limit| page.scanned < limit) && bytes < MAX_BYTES {
            let Some(stored) = items.next() else {
                last = None;
                break;
            };
            page.scanned += 1;
            let size = self.index.map_or(stored.size, |index| index.entry_size(stored));
            read += size;
            bytes += size;
            if self.fetch {
                fetched += stored.size;
            }
            self.look(stored, &mut page);
            last = Some(stored);
        }
        page.last_key = last.map(|stored| self.key_of(&stored.item));
        page.consumed = match self.index {
            None => Consumed::read(read, self.consistent),
            Some(index) => Consumed::read_index(index.local, &index.name, read, fetched, self.consistent),
        };
        page
    }

    /// Takes an item into the page, if the filter lets it.
    fn look(&self, stored: &Arc<Stored>, page: &mut Page) {
        let held = match self.index.filter(|_| !self.fetch) {
            Some(index) => index.project(&stored.item),
            None => Cow::Borrowed(&stored.item),
        };
        if self.filter.is_some_and(|filter| !filter.holds(&held)) {
            return;
        }
        page.count += 1;
        if self.count_only {
            return;
        }
        page.items.push(match (self.wanted, held) {
            (Some(wanted), held) => Shown::Made(wanted.apply(&held)),
            (None, Cow::Borrowed(_)) => Shown::Kept(Arc::clone(stored)),
            (None, Cow::Owned(item)) => Shown::Made(item),
        });
    }

    /// The key of an item in what is read: that of the table, and that of the index.
    fn key_of(&self, item: &Item) -> Item {
        let mut key = self.table.definition.key.key_of(item);
        if let Some(index) = self.index {
            key.extend(index.key.key_of(item));
        }
        key
    }
}

/// The part of a stretch that comes after a place.
fn cut<P>((start, end): (Bound<P>, Bound<P>), after: Option<P>, reverse: bool) -> (Bound<P>, Bound<P>) {
    match after {
        None => (start, end),
        Some(after) if reverse => (start, Bound::Excluded(after)),
        Some(after) => (Bound::Excluded(after), end),
    }
}

/// Whether nothing can stand between two bounds.
fn is_empty<P: Ord>((start, end): &(Bound<P>, Bound<P>)) -> bool {
    match (start, end) {
        (Bound::Included(start), Bound::Included(end)) => start > end,
        (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => start >= end,
        _ => false,
    }
}
