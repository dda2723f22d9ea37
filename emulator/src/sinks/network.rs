//! TCP as functions' code sees it: the sinks that are servers of a protocol of their own, and nothing else.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::SINK_DOMAIN;
use super::smtp;
use crate::clock::PipeEnd;
use crate::cloud::{Cloud, Inner};

/// The network of a cloud, for code that opens connections of its own. HTTP goes through the SDK configuration's client.
///
/// A connection through it is one that the clock knows of: virtual time stands while the server works.
#[derive(Clone)]
pub struct Network(Weak<Inner>);

impl Network {
    pub(crate) fn of(cloud: &Cloud) -> Self {
        Self(Arc::downgrade(&cloud.0))
    }

    /// Connects to a sink, such as `smtp.sink.localhost` at port 587.
    ///
    /// # Errors
    /// `ConnectionRefused` if there is no such sink, or a script or a fault says so; nothing else is there to connect to.
    pub async fn connect(&self, host: &str, port: u16) -> io::Result<Connection> {
        let cloud = self.0.upgrade().map(Cloud).ok_or(io::ErrorKind::NotConnected)?;
        let name = host.strip_suffix(SINK_DOMAIN).unwrap_or_default();
        match cloud.find_sink(name) {
            Some(sink) if sink.mail.is_some() && port == smtp::PORT => {
                smtp::connect(&cloud, name, &sink).await.map(Connection)
            }
            _ => {
                tracing::warn!(host, port, "there is no such sink; the connection is refused");
                Err(io::ErrorKind::ConnectionRefused.into())
            }
        }
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}

impl Cloud {
    /// The network that its functions see.
    pub fn network(&self) -> Network {
        Network::of(self)
    }
}

/// A connection to a sink.
#[derive(Debug)]
pub struct Connection(PipeEnd);

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, out)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
