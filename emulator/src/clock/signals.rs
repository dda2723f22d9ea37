//! The signals that there were: a wait that begins after its signal must not miss it.

use std::collections::VecDeque;

/// How many signals are remembered. Between a look at a state and the wait for its change there are few.
const RECENT: usize = 64;

/// How many signals there were, and the last of them.
#[derive(Default)]
pub(super) struct Signals {
    count: u64,
    recent: VecDeque<String>,
}

impl Signals {
    pub fn add(&mut self, signal: &str) {
        self.count += 1;
        let mut text =
            if self.recent.len() < RECENT { String::new() } else { self.recent.pop_front().unwrap_or_default() };
        text.clear();
        text.push_str(signal);
        self.recent.push_back(text);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether this signal came since there had been so many; what is not remembered may have been it.
    pub fn had_since(&self, count: u64, signal: &str) -> bool {
        let since = usize::try_from(self.count - count).unwrap_or(usize::MAX);
        since > self.recent.len() || self.recent.iter().rev().take(since).any(|recent| recent == signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_known_from_when_it_came_until_it_is_forgotten_and_then_supposed() {
        let mut signals = Signals::default();
        signals.add("before");
        let count = signals.count();
        signals.add("another");
        assert!(!signals.had_since(count, "before") && signals.had_since(count, "another"));
        let later = signals.count();
        for _ in 0..RECENT {
            signals.add("more");
        }
        assert!(signals.had_since(count, "before"), "the first of those since then is forgotten");
        assert!(!signals.had_since(later, "before"));
    }
}
