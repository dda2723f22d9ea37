//! The mails that `garoa serve --smtp` accepted, the newest ones: `GET /_garoa/mails`.

use std::collections::VecDeque;

use parking_lot::Mutex;
use serde_json::Value;

/// How many mails are kept.
const MAILS_MAX: usize = 100;
/// How many bytes they may have together, as JSON; the newest is kept in any case.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// The kept mails.
#[derive(Default)]
pub(crate) struct Mailbox(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    mails: VecDeque<(usize, Value)>,
    bytes: usize,
}

impl Mailbox {
    /// Keeps one more; the oldest have to go.
    pub fn keep(&self, mail: Value) {
        let size = mail.to_string().len();
        let mut kept = self.0.lock();
        kept.bytes += size;
        kept.mails.push_back((size, mail));
        while kept.mails.len() > MAILS_MAX || (kept.bytes > BYTES_MAX && kept.mails.len() > 1) {
            let Some((size, _)) = kept.mails.pop_front() else { break };
            kept.bytes -= size;
        }
    }

    /// All of them, the oldest first.
    pub fn all(&self) -> Vec<Value> {
        self.0.lock().mails.iter().map(|(_, mail)| mail.clone()).collect()
    }

    /// Throws all of them away.
    pub fn clear(&self) {
        *self.0.lock() = Kept::default();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_newest_are_kept_by_number_and_by_size() {
        let mailbox = Mailbox::default();
        (0..MAILS_MAX + 3).for_each(|number| mailbox.keep(json!(number)));
        assert_eq!(mailbox.all().len(), MAILS_MAX);
        assert_eq!(mailbox.all().first(), Some(&json!(3)));
        mailbox.keep(json!("x".repeat(BYTES_MAX)));
        assert_eq!(mailbox.all().len(), 1);
        mailbox.keep(json!(1));
        assert_eq!(mailbox.all(), [json!(1)]);
        mailbox.clear();
        assert!(mailbox.all().is_empty());
    }
}
