//! Walking an ordered map as S3's lists do: by prefix, folding keys that share a delimiter, page by page.
//!
//! What is folded is stepped over by a seek, so a page costs what it answers, not what lies under its common prefixes.

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;

/// Which part of a map is listed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Filter<'a> {
    pub prefix: &'a str,
    /// Empty for none.
    pub delimiter: &'a str,
}

impl<'a> Filter<'a> {
    pub fn new(prefix: Option<&'a str>, delimiter: Option<&'a str>) -> Self {
        Self { prefix: prefix.unwrap_or_default(), delimiter: delimiter.unwrap_or_default() }
    }

    /// What a key is folded into: all of it up to the first delimiter after the prefix.
    pub fn common<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let rest = key.strip_prefix(self.prefix)?;
        let end = self.prefix.len() + rest.find(self.delimiter)? + self.delimiter.len();
        key.get(..end)
    }

    /// Where a list begins whose marker is a key, or a common prefix that was answered before.
    pub fn after_marker(&self, marker: &str) -> Start {
        match self.common(marker) {
            Some(common) => Start::beyond(common),
            None => Start::after(marker),
        }
    }

    /// Where the listed keys begin, and no earlier than `from`.
    pub fn start(&self, from: Start) -> Start {
        let earlier = match &from {
            Start::At(key) => key.as_str() < self.prefix,
            Start::After(key) => key.as_str() < self.prefix,
            Start::End => false,
        };
        if earlier { Start::At(self.prefix.to_owned()) } else { from }
    }
}

/// A place between keys.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Start {
    /// Before this key.
    At(String),
    /// After this key.
    After(String),
    /// After all keys.
    End,
}

impl Default for Start {
    fn default() -> Self {
        Self::At(String::new())
    }
}

impl Start {
    pub fn after(key: &str) -> Self {
        Self::After(key.to_owned())
    }

    /// After all keys that begin with `prefix`.
    pub fn beyond(prefix: &str) -> Self {
        let mut chars: Vec<char> = prefix.chars().collect();
        while let Some(last) = chars.pop() {
            // The next scalar value; text sorts by its bytes as by its scalar values.
            let next = match last {
                '\u{D7FF}' => Some('\u{E000}'),
                last => char::from_u32(last as u32 + 1),
            };
            if let Some(next) = next {
                chars.push(next);
                return Self::At(chars.into_iter().collect());
            }
        }
        Self::End
    }

    /// As the lower bound of a range; none at the end.
    pub fn bound(&self) -> Option<Bound<&str>> {
        match self {
            Self::At(key) => Some(Bound::Included(key)),
            Self::After(key) => Some(Bound::Excluded(key)),
            Self::End => None,
        }
    }
}

/// What a list answers in one place.
#[derive(Debug)]
pub(super) enum Item<'a, V> {
    Entry(&'a Arc<str>, &'a V),
    Common(String),
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<'a, V> {
    pub items: Vec<Item<'a, V>>,
    /// Whether there is more.
    pub truncated: bool,
}

impl<V> Page<'_, V> {
    /// The same page without its entries.
    pub fn prefixes(mut self) -> Self {
        self.items.retain(|item| matches!(item, Item::Common(_)));
        self
    }
}

/// All entries whose keys begin with `prefix`.
pub(super) fn under<'a, V: Clone>(
    map: &'a OrdMap<Arc<str>, V>,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a Arc<str>, &'a V)> {
    let range = (Bound::Included(prefix), Bound::Unbounded);
    map.range::<_, str>(range).take_while(move |(key, _)| key.starts_with(prefix))
}

/// At most `limit` items from `from` on.
pub(super) fn walk<'a, V: Clone>(
    map: &'a OrdMap<Arc<str>, V>,
    filter: &Filter,
    from: Start,
    limit: usize,
) -> Page<'a, V> {
    let mut page = Page { items: Vec::new(), truncated: false };
    let mut from = filter.start(from);
    'seek: loop {
        let Some(bound) = from.bound() else { return page };
        for (key, value) in map.range::<_, str>((bound, Bound::Unbounded)) {
            if !key.starts_with(filter.prefix) {
                return page;
            }
            if page.items.len() == limit {
                page.truncated = limit > 0;
                return page;
            }
            if let Some(common) = filter.common(key) {
                page.items.push(Item::Common(common.to_owned()));
                from = Start::beyond(common);
                continue 'seek;
            }
            page.items.push(Item::Entry(key, value));
        }
        return page;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same list, by folding all keys and cutting the result.
    fn naive(keys: &[String], filter: &Filter, marker: &str) -> Vec<String> {
        let mut items: Vec<String> = Vec::new();
        for key in keys.iter().filter(|key| key.starts_with(filter.prefix)) {
            let item = filter.common(key).unwrap_or(key).to_owned();
            let answered = !marker.is_empty()
                && (key.as_str() <= marker || filter.common(key).is_some_and(|c| marker.starts_with(c)));
            if !answered && items.last() != Some(&item) {
                items.push(item);
            }
        }
        items
    }

    fn names<V>(page: &Page<V>) -> Vec<String> {
        page.items
            .iter()
            .map(|item| match item {
                Item::Entry(key, _) => key.to_string(),
                Item::Common(common) => common.clone(),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn paging_answers_what_a_naive_list_answers(
            keys in proptest::collection::btree_set("[ab/é\u{D7FF}\u{10FFFF}]{1,5}", 0..30),
            prefix in "[ab/]{0,2}",
            delimiter in "(|/|a|//|\u{10FFFF})",
            marker in "(|[ab/]{1,4})",
            limit in 1usize..5,
        ) {
            let map: OrdMap<Arc<str>, ()> = keys.iter().map(|key| (Arc::from(key.as_str()), ())).collect();
            let keys: Vec<String> = keys.into_iter().collect();
            let filter = Filter { prefix: &prefix, delimiter: &delimiter };
            let expected = naive(&keys, &filter, &marker);
            let mut got = Vec::new();
            let mut from = if marker.is_empty() { Start::default() } else { filter.after_marker(&marker) };
            loop {
                let page = walk(&map, &filter, from, limit);
                let names = names(&page);
                prop_assert!(names.len() <= limit);
                prop_assert!(names.len() == limit || !page.truncated);
                got.extend(names);
                if !page.truncated { break }
                from = filter.after_marker(got.last().map_or("", String::as_str));
            }
            prop_assert_eq!(got, expected);
        }
    }
}
