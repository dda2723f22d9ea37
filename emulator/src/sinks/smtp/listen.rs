//! The same server behind a port: `garoa serve --smtp`.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::super::answer::Script;
use super::MailServer;
use super::attempt::{Delivery, Desk};
use super::session::Session;
use crate::cloud::Cloud;

/// Connections at the same time; more wait to be accepted. Each may hold one message.
const CONNECTIONS_MAX: usize = 32;
/// How long a client may be silent: RFC 5321 section 4.5.3.2.7.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How long to wait when the machine gives no connection, for want of file descriptors, say.
const RETRY: Duration = Duration::from_millis(100);
/// What the server is called in the trace.
const NAME: &str = "smtp";

/// Serves until it is dropped. Accepted mails are kept in the cloud's mailbox.
pub async fn serve(cloud: Cloud, listener: TcpListener, server: Arc<MailServer>) {
    let script = Arc::new(Script::default());
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                pause().await;
                continue;
            }
        };
        // Small replies must not wait for a full packet.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        let desk = Desk::new(&cloud, NAME, Arc::clone(&script), Delivery::Mailbox, None);
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            match desk.begin() {
                Ok(first) => Session::over_tcp(server, desk, first, stream, PATIENCE).run().await,
                Err(error) => tracing::debug!(%error, "no session"),
            }
            drop(place);
        });
    }
}

#[allow(clippy::disallowed_methods)]
async fn pause() {
    tokio::time::sleep(RETRY).await;
}
