//! What the functions do, in order.

use aws_smithy_async::time::SharedTimeSource;
use serde_json::{Value, json};

use super::error::Error;
use super::request::{Origin, Wish, feedback};
use super::sender::{Sender, Sent};
use super::tables::{Entry, Tables};

/// The tables and the time.
#[derive(Clone, Debug)]
pub struct Books {
    /// The tables.
    pub tables: Tables,
    /// What time it is.
    pub time: SharedTimeSource,
}

/// `ws-connect`: the event, then the connection.
///
/// # Errors
/// A table that cannot be written: API Gateway then lets nobody in.
pub async fn connect(books: &Books, event: &Value) -> Result<Value, Error> {
    let origin = Origin::read(event)?;
    let at = books.now();
    books.note(&origin, &at, "CONNECT", origin.principal.as_deref()).await?;
    books.tables.add(&origin.connection_id, &at, origin.principal.as_deref()).await?;
    Ok(done())
}

/// `ws-disconnect`: the connection first, for nothing must be sent to it any more.
///
/// # Errors
/// A table that cannot be written. Nobody retries that: a later 410 mends it.
pub async fn disconnect(books: &Books, event: &Value) -> Result<Value, Error> {
    let origin = Origin::read(event)?;
    books.tables.remove(&origin.connection_id).await?;
    let reason = event["requestContext"]["disconnectReason"].as_str();
    books.note(&origin, &books.now(), "DISCONNECT", reason).await?;
    Ok(done())
}

/// `ws-message`: what is asked for is in the audit table before anybody receives anything.
///
/// # Errors
/// A table that cannot be read or written, or receivers that did not get the message and are not gone.
pub async fn message(books: &Books, sender: &Sender, event: &Value) -> Result<Value, Error> {
    let origin = Origin::read(event)?;
    let body = event["body"].as_str().unwrap_or_default();
    let wish = Wish::read(body);
    books.note(&origin, &books.now(), wish.name(), Some(body)).await?;
    let own = &origin.connection_id;
    match wish {
        Wish::Unclear(what) => {
            books.deliver(sender, std::slice::from_ref(own), &feedback("error", what)).await.map(drop)?
        }
        Wish::Broadcast(text) => {
            let everybody = books.tables.connections().await?;
            books.deliver(sender, &everybody, &feedback("success", &text)).await?;
        }
        Wish::Send { to, text } => {
            let receiver = to.as_ref().unwrap_or(own);
            let gone = books.deliver(sender, std::slice::from_ref(receiver), &feedback("success", &text)).await?;
            if gone > 0 && receiver != own {
                let told = feedback("error", "O destinatário não está mais conectado.");
                books.deliver(sender, std::slice::from_ref(own), &told).await?;
            }
        }
    }
    Ok(done())
}

fn done() -> Value {
    json!({ "statusCode": 200 })
}

impl Books {
    fn now(&self) -> String {
        let now = jiff::Timestamp::try_from(self.time.now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    async fn note(&self, origin: &Origin, at: &str, event: &str, body: Option<&str>) -> Result<(), Error> {
        let Origin { connection_id, request_id, .. } = origin;
        self.tables.note(Entry { connection_id, at, request_id, event, body }).await
    }

    /// Sends a text to each receiver. Who is gone leaves the table, and whatever fails, the others get it all the same. Gives how
    /// many are gone.
    async fn deliver(&self, sender: &Sender, receivers: &[String], text: &str) -> Result<usize, Error> {
        let (mut gone, mut failed, mut first, mut kept) = (0, 0, None, Ok(()));
        for receiver in receivers {
            match sender.send(receiver, text).await {
                Sent::Delivered => {}
                Sent::Gone => {
                    gone += 1;
                    tracing::info!(connection = receiver, "gone");
                    kept = kept.and(self.tables.remove(receiver).await);
                }
                Sent::Failed(reason) => {
                    failed += 1;
                    tracing::error!(connection = receiver, reason, "not delivered");
                    first.get_or_insert(reason);
                }
            }
        }
        match first {
            None => kept.map(|()| gone),
            Some(reason) => Err(Error::Undelivered { failed, receivers: receivers.len(), reason }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::testing::{Fake, STUCK, event};
    use super::*;

    #[tokio::test]
    async fn a_connection_is_noted_and_kept() {
        let fake = Fake::new(&[], &[]);
        connect(&fake.books(), &event("a", "")).await.unwrap();
        assert_eq!(fake.calls(), ["audit CONNECT", "put a"]);
    }

    #[tokio::test]
    async fn a_broadcast_reaches_every_page_and_survives_who_is_gone() {
        let fake = Fake::new(&["a", "b", "c"], &["b"]);
        let event = event("a", r#"{"action":"broadcast","message":"oi"}"#);
        message(&fake.books(), &fake.sender(), &event).await.unwrap();
        assert_eq!(fake.calls(), ["audit broadcast", "scan", "scan", "scan", "post a", "post b", "delete b", "post c"]);
    }

    #[tokio::test]
    async fn an_unknown_action_is_told_to_the_sender_alone() {
        let fake = Fake::new(&["a", "b"], &[]);
        message(&fake.books(), &fake.sender(), &event("a", r#"{"action":"dance"}"#)).await.unwrap();
        assert_eq!(fake.calls(), ["audit unknown", "post a"]);
    }

    #[tokio::test]
    async fn a_receiver_that_is_gone_is_told_to_the_sender() {
        let fake = Fake::new(&["a", "b"], &["b"]);
        let event = event("a", r#"{"action":"sendMessage","message":"oi","to":"b"}"#);
        message(&fake.books(), &fake.sender(), &event).await.unwrap();
        assert_eq!(fake.calls(), ["audit sendMessage", "post b", "delete b", "post a"]);
    }

    #[tokio::test]
    async fn who_does_not_get_it_and_is_not_gone_makes_the_invocation_fail_after_all_had_their_turn() {
        let fake = Fake::new(&["a", "x", "c"], &[]);
        let event = event("a", r#"{"action":"broadcast","message":"oi"}"#);
        let failed = message(&fake.books(), &fake.sender(), &event).await.unwrap_err();
        assert_eq!(failed.error_type(), "Realtime.Undelivered");
        assert_eq!(fake.calls().last().unwrap(), "post c");
    }

    #[tokio::test]
    async fn a_connection_that_cannot_be_deleted_keeps_nobody_from_the_message() {
        let fake = Fake::new(&["a", STUCK, "c"], &[STUCK]);
        let event = event("a", r#"{"action":"broadcast","message":"oi"}"#);
        let failed = message(&fake.books(), &fake.sender(), &event).await.unwrap_err();
        assert_eq!(failed.error_type(), "Realtime.Table");
        assert_eq!(fake.calls()[5..], ["post stuck", "delete stuck", "post c"]);
    }

    #[tokio::test]
    async fn a_disconnection_forgets_and_notes() {
        let fake = Fake::new(&["a"], &[]);
        disconnect(&fake.books(), &event("a", "")).await.unwrap();
        assert_eq!(fake.calls(), ["delete a", "audit DISCONNECT"]);
    }
}
