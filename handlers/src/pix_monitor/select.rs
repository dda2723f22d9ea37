//! What is new: the pure core of a run.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{self, CashOut, Line, Malformed};
use super::event_id::EventId;
use super::money::Centavos;

/// One log event as CloudWatch Logs hands it out.
#[derive(Clone, Copy, Debug)]
pub struct LogEvent<'a> {
    /// The position of its group in `LOG_GROUPS`. Ids are unique within a group.
    pub group: usize,
    /// Its `eventId`. Empty stands for missing.
    pub id: &'a str,
    /// The line.
    pub message: &'a str,
}

/// What a run found in its window, event by event, so that pages need not be kept.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    cursor: Option<EventId>,
    watched: &'a BTreeSet<String>,
    events_read: u64,
    cash_outs: u64,
    skipped: BTreeMap<Malformed, u64>,
    new: BTreeMap<(EventId, usize), CashOut>,
}

/// Selects from `events` the cash-outs of the `watched` accounts whose id is greater than the `cursor`. Without a
/// cursor all of them are new.
pub fn select<'a, 'e>(
    events: impl IntoIterator<Item = LogEvent<'e>>,
    cursor: Option<EventId>,
    watched: &'a BTreeSet<String>,
) -> Selection<'a> {
    let mut selection = Selection::new(cursor, watched);
    events.into_iter().for_each(|event| selection.add(event));
    selection
}

impl<'a> Selection<'a> {
    /// A selection that has seen nothing yet.
    pub fn new(cursor: Option<EventId>, watched: &'a BTreeSet<String>) -> Self {
        Self { cursor, watched, events_read: 0, cash_outs: 0, skipped: BTreeMap::new(), new: BTreeMap::new() }
    }

    /// Looks at one more event, in any order. The same event twice counts as read twice and as new once.
    pub fn add(&mut self, event: LogEvent<'_>) {
        self.events_read += 1;
        match read(event) {
            Ok((id, Line::CashOut(cash_out))) => {
                self.cash_outs += 1;
                let is_new = self.cursor.as_ref().is_none_or(|cursor| id > *cursor);
                if is_new && self.watched.contains(&cash_out.account) {
                    self.new.insert((id, event.group), cash_out);
                }
            }
            Ok((_, Line::Other)) => {}
            Err(reason) => *self.skipped.entry(reason).or_default() += 1,
        }
    }

    /// Events seen, whatever they were.
    pub fn events_read(&self) -> u64 {
        self.events_read
    }

    /// Cash-outs seen, of any account, new or not.
    pub fn cash_outs(&self) -> u64 {
        self.cash_outs
    }

    /// Lines skipped, by reason.
    pub fn skipped(&self) -> &BTreeMap<Malformed, u64> {
        &self.skipped
    }

    /// The new cash-outs of watched accounts, by ascending id.
    pub fn new_cash_outs(&self) -> impl ExactSizeIterator<Item = (&EventId, &CashOut)> {
        self.new.iter().map(|((id, _), cash_out)| (id, cash_out))
    }

    /// The accounts that have new cash-outs.
    pub fn accounts(&self) -> BTreeSet<&str> {
        self.new.values().map(|cash_out| cash_out.account.as_str()).collect()
    }

    /// The sum of the new cash-outs. Cannot overflow: it would take 2^64 events of `i64` each.
    pub fn sum(&self) -> Centavos {
        Centavos(self.new.values().map(|cash_out| i128::from(cash_out.centavos)).sum())
    }

    /// The greatest id among the new cash-outs, which is the next cursor: whatever order the pages and groups came in.
    /// It is always greater than the cursor, so the cursor never goes back.
    pub fn greatest(&self) -> Option<&EventId> {
        self.new.last_key_value().map(|((id, _), _)| id)
    }
}

fn read(event: LogEvent<'_>) -> Result<(EventId, Line), Malformed> {
    let id = event.id.parse().map_err(|_| Malformed::EventId)?;
    Ok((id, event::parse(event.message)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::super::testing::{cash_in_line, cash_out_line, watched};
    use super::*;

    fn event<'e>(id: &'e str, message: &'e str) -> LogEvent<'e> {
        LogEvent { group: 0, id, message }
    }

    fn id(text: &str) -> EventId {
        text.parse().unwrap()
    }

    #[test]
    fn only_newer_watched_cash_outs_count() {
        let (one, two, other, cash_in) =
            (cash_out_line("1", 100), cash_out_line("2", -30), cash_out_line("3", 7), cash_in_line("1", 9));
        let events = [
            event("12", &two),
            event("9", &one),
            event("5", &one),
            event("010", &one),
            event("11", &cash_in),
            event("99", &other),
            event("13", "nonsense"),
            event("x", &one),
            event("", &one),
            event("12", &two),
        ];
        let watched = watched(&["1", "2"]);
        let selection = select(events, Some(id("9")), &watched);
        assert_eq!(selection.events_read(), 10);
        assert_eq!(selection.cash_outs(), 6);
        assert_eq!(selection.skipped(), &BTreeMap::from([(Malformed::EventId, 2), (Malformed::Fields, 1)]));
        assert_eq!(selection.new_cash_outs().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["010", "12"]);
        assert_eq!(selection.accounts().into_iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(selection.sum(), Centavos(70));
        assert_eq!(selection.greatest(), Some(&id("12")));
    }

    #[test]
    fn without_a_cursor_all_are_new_and_without_news_there_is_no_next_cursor() {
        let (line, watched) = (cash_out_line("1", 100), watched(&["1"]));
        assert_eq!(select([event("0", &line)], None, &watched).greatest(), Some(&id("0")));
        assert_eq!(select([event("0", &line)], Some(id("0")), &watched).greatest(), None);
        assert_eq!(select([], None, &watched).greatest(), None);
    }

    #[test]
    fn the_same_id_in_two_groups_is_two_events() {
        let (line, watched) = (cash_out_line("1", i64::MAX), watched(&["1"]));
        let events = [0, 1, 1].map(|group| LogEvent { group, id: "7", message: &line });
        let selection = select(events, None, &watched);
        assert_eq!(selection.new_cash_outs().len(), 2);
        assert_eq!(selection.sum(), Centavos(2 * i128::from(i64::MAX)));
    }

    proptest! {
        #[test]
        fn every_line_is_counted_once_and_order_does_not_matter(
            lines in prop::collection::vec(("[0-9x]{1,3}", 0u8..4, "[12]", any::<i32>()), 0..40),
            cursor in prop::option::of("[0-9]{1,3}"),
        ) {
            let lines: Vec<(String, String)> = lines.into_iter().map(|(id, kind, account, centavos)| {
                let line = match kind {
                    0 => cash_in_line(&account, centavos.into()),
                    1 => "nonsense".to_owned(),
                    _ => cash_out_line(&account, centavos.into()),
                };
                (id, line)
            }).collect();
            let watched = watched(&["1"]);
            let cursor = cursor.map(|text| id(&text));
            let forward = select(lines.iter().map(|(id, line)| event(id, line)), cursor.clone(), &watched);
            let others = lines.iter().filter(|(id, line)| {
                id.parse::<EventId>().is_ok() && event::parse(line) == Ok(Line::Other)
            }).count() as u64;
            prop_assert_eq!(forward.events_read(), lines.len() as u64);
            prop_assert_eq!(forward.cash_outs() + forward.skipped().values().sum::<u64>() + others, lines.len() as u64);
            let mut unique = BTreeSet::new();
            let distinct: Vec<_> = lines.iter().filter(|(text, _)| {
                text.parse::<EventId>().is_err() || unique.insert(text.trim_start_matches('0').to_owned())
            }).collect();
            let there = select(distinct.iter().map(|(id, line)| event(id, line)), cursor.clone(), &watched);
            let back = select(distinct.iter().rev().map(|(id, line)| event(id, line)), cursor.clone(), &watched);
            prop_assert!(there.new_cash_outs().eq(back.new_cash_outs()));
            prop_assert_eq!(there.sum(), back.sum());
            if let Some(greatest) = there.greatest() {
                prop_assert!(cursor.is_none_or(|cursor| *greatest > cursor));
                prop_assert!(there.new_cash_outs().all(|(id, _)| id <= greatest));
            }
        }
    }
}
