//! How far back a run reads.

/// How much earlier than the cursor's last write a run begins to read.
///
/// The cursor is written after the logs were read, so events may have arrived in between: at most the function's
/// time-out (60 s) later. What is left covers the seconds that CloudWatch Logs takes to make an event searchable, and
/// clocks that differ.
pub const CURSOR_MARGIN_MILLIS: i64 = 5 * 60 * 1000;

/// How old the cursor object may grow before a run without news writes the same id again.
///
/// The window reaches back to the cursor's last write. Were it never written in a quiet month, every run would read
/// that month again, and in the end more pages than a run can.
pub const CURSOR_REFRESH_MILLIS: i64 = 60 * 60 * 1000;

const MILLIS_PER_MINUTE: i64 = 60 * 1000;

/// A stretch of time in epoch milliseconds, both ends included, as `FilterLogEvents` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first millisecond, not before 1970.
    pub start: i64,
    /// The last millisecond: now. What is dated later is for a later run.
    pub end: i64,
}

impl Window {
    /// The last `search_range_minutes`, and further back to the cursor's last write if that is longer ago: after an
    /// outage nothing is missed. Without a cursor this is the first run.
    pub fn new(now: i64, search_range_minutes: u32, cursor_written: Option<i64>) -> Self {
        let by_range = now.saturating_sub(i64::from(search_range_minutes) * MILLIS_PER_MINUTE);
        let by_cursor = cursor_written.map_or(i64::MAX, |written| written.saturating_sub(CURSOR_MARGIN_MILLIS));
        Self { start: by_range.min(by_cursor).max(0), end: now }
    }
}

/// Whether a run without news should write the cursor again: see [`CURSOR_REFRESH_MILLIS`].
pub fn refresh_due(now: i64, cursor_written: i64) -> bool {
    now.saturating_sub(cursor_written) >= CURSOR_REFRESH_MILLIS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = MILLIS_PER_MINUTE;

    #[test]
    fn examples() {
        let now = 1_000 * MINUTE;
        let start = |written| Window::new(now, 5, written).start;
        assert_eq!(start(None), now - 5 * MINUTE);
        assert_eq!(start(Some(now)), now - 5 * MINUTE);
        assert_eq!(start(Some(now - 3 * MINUTE)), now - 8 * MINUTE);
        assert_eq!(start(Some(now - 300 * MINUTE)), now - 305 * MINUTE);
        assert_eq!(Window::new(now, 30, Some(now - 3 * MINUTE)).start, now - 30 * MINUTE);
        assert_eq!(Window::new(MINUTE, 5, None), Window { start: 0, end: MINUTE });
    }

    #[test]
    fn an_old_cursor_is_refreshed() {
        assert!(!refresh_due(CURSOR_REFRESH_MILLIS + 6, 7));
        assert!(refresh_due(CURSOR_REFRESH_MILLIS + 7, 7));
        assert!(!refresh_due(0, 7));
    }

    proptest! {
        #[test]
        fn it_covers_range_and_cursor(now in 0i64..4_102_444_800_000, range in 1u32..1440, written: i64) {
            let window = Window::new(now, range, Some(written));
            prop_assert!(window.start >= 0);
            prop_assert_eq!(window.end, now);
            prop_assert!(window.start <= (now - i64::from(range) * MINUTE).max(0));
            prop_assert!(window.start <= written.saturating_sub(CURSOR_MARGIN_MILLIS).max(0));
        }
    }
}
