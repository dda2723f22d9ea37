//! Sends a mail: STARTTLS, AUTH, one transaction; each on a connection of its own, so that one mail cannot spoil another.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::error::Error;
use super::password::Password;
use super::settings::Settings;
use crate::env::{SettingsError, invalid};
use crate::failure::chain;

/// How long one mail may take, from connecting to the server's last word.
pub const LIMIT: Duration = Duration::from_secs(20);

/// How long to wait for the server's good-bye.
const FAREWELL: Duration = Duration::from_secs(2);

/// How much of the message is handed over at a time.
const PART: usize = 64 * 1024;

/// Any connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> Stream for S {}

/// A connection that is being made.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// What connects to a host and a port.
pub type Connect = Arc<dyn Fn(String, u16) -> Connecting + Send + Sync>;

/// TCP.
pub fn tcp() -> Connect {
    Arc::new(|host, port| {
        Box::pin(async move {
            let stream = tokio::net::TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    })
}

/// A mail server.
#[derive(Clone)]
pub struct Server {
    host: String,
    port: u16,
    user: String,
    from: Address,
    tls: TlsParameters,
    connect: Connect,
    sleep: SharedAsyncSleep,
}

/// A mail server that has taken a mail.
pub struct Taken {
    connection: AsyncSmtpConnection,
    sleep: SharedAsyncSleep,
}

impl Taken {
    /// Says good-bye. What the server makes of that does not matter any more.
    pub async fn leave(mut self) {
        farewell(&mut self.connection, &self.sleep).await;
    }
}

impl Server {
    /// The server that the settings name.
    ///
    /// # Errors
    /// If no certificate can be checked against the settings.
    pub fn new(settings: &Settings, connect: Connect, sleep: SharedAsyncSleep) -> Result<Self, SettingsError> {
        let tls = TlsParametersBuilder::new(settings.server.clone());
        let tls = match &settings.authority {
            Some(authority) => tls.certificate_store(CertificateStore::None).add_root_certificate(authority.clone()),
            None => tls,
        };
        let tls = tls.build_rustls().map_err(|error| invalid("SMTP_CA_PEM", chain(&error)))?;
        Ok(Self {
            host: settings.server.clone(),
            port: settings.port,
            user: settings.user.clone(),
            from: settings.from.email.clone(),
            tls,
            connect,
            sleep,
        })
    }

    /// Sends a message to one recipient, in `limit` at most.
    ///
    /// # Errors
    /// The errors of [`Error`] that begin with `Smtp`. After all of them but [`Error::SmtpUnanswered`] the mail was
    /// certainly not sent.
    pub async fn send(
        &self,
        password: &Password,
        to: &Address,
        message: &[u8],
        limit: Duration,
    ) -> Result<Taken, Error> {
        let handed_over = AtomicBool::new(false);
        tokio::select! {
            biased;
            sent = self.converse(password, to, message, &handed_over) => sent,
            () = self.sleep.sleep(limit) => {
                let reason = format!("no answer within {} s", limit.as_secs());
                Err(if handed_over.load(Ordering::Relaxed) {
                    Error::SmtpUnanswered(reason)
                } else {
                    Error::SmtpUnreachable(reason)
                })
            }
        }
    }

    async fn converse(
        &self,
        password: &Password,
        to: &Address,
        message: &[u8],
        handed_over: &AtomicBool,
    ) -> Result<Taken, Error> {
        let stream = (self.connect)(self.host.clone(), self.port).await;
        let stream = stream.map_err(|error| Error::SmtpUnreachable(error.to_string()))?;
        let hello = ClientId::Domain(self.from.domain().to_owned());
        let connecting = AsyncSmtpConnection::connect_with_transport(Box::new(Wired(stream)), &hello);
        let mut connection = connecting.await.map_err(|error| refused(&error))?;
        let sleep = self.sleep.clone();
        let outcome = async {
            if !connection.can_starttls() {
                return Err(Error::SmtpInsecure("the server does not offer STARTTLS".to_owned()));
            }
            connection.starttls(self.tls.clone(), &hello).await.map_err(|error| match error.status() {
                Some(_) => refused(&error),
                None => Error::SmtpInsecure(chain(&error)),
            })?;
            let credentials = Credentials::new(self.user.clone(), password.0.clone());
            let authorized = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
            authorized.map_err(|error| refused(&error))?;
            for said in [
                connection.command(Mail::new(Some(self.from.clone()), Vec::new())).await,
                connection.command(Rcpt::new(to.clone(), Vec::new())).await,
                connection.command(Data).await,
            ] {
                said.map_err(|error| refused(&error))?;
            }
            // From here on the server may have the mail, whatever happens to the connection.
            handed_over.store(true, Ordering::Relaxed);
            connection.message_iter(message.chunks(PART)).await.map_err(|error| match error.status() {
                Some(_) => refused(&error),
                None => Error::SmtpUnanswered(chain(&error)),
            })
        };
        match outcome.await {
            Ok(_) => Ok(Taken { connection, sleep }),
            Err(error) => {
                if matches!(error, Error::SmtpRefused { .. }) {
                    farewell(&mut connection, &sleep).await;
                }
                Err(error)
            }
        }
    }
}

/// What an error before the message was handed over means.
fn refused(error: &SmtpError) -> Error {
    match error.status() {
        Some(code) => {
            let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            Error::SmtpRefused { code: u16::from(code), text }
        }
        // Among the client's own errors are those that no other try can change, such as no common way to authenticate.
        None => Error::SmtpUnreachable(chain(error)),
    }
}

async fn farewell(connection: &mut AsyncSmtpConnection, sleep: &SharedAsyncSleep) {
    tokio::select! {
        biased;
        said = connection.quit() => drop(said),
        () = sleep.sleep(FAREWELL) => {}
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({}:{})", self.host, self.port)
    }
}

/// A connection as lettre takes it.
#[derive(Debug)]
struct Wired(Box<dyn Stream>);

impl AsyncTokioStream for Wired {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl AsyncRead for Wired {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, out)
    }
}

impl AsyncWrite for Wired {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

    use super::super::testing::{Quick, env};
    use super::*;

    /// A server that says these lines, one for each line of the client, and then nothing, or hangs up.
    fn scripted(lines: &'static [&'static str], hangs_up: bool) -> Connect {
        Arc::new(move |_, _| {
            let (near, far) = tokio::io::duplex(1024);
            tokio::spawn(async move {
                let mut far = BufReader::new(far);
                for (at, line) in lines.iter().enumerate() {
                    if at > 0 && far.read_line(&mut String::new()).await.unwrap_or(0) == 0 {
                        return;
                    }
                    far.get_mut().write_all(line.as_bytes()).await.unwrap();
                }
                if !hangs_up {
                    std::future::pending::<()>().await;
                }
            });
            Box::pin(async move { Ok(Box::new(near) as Box<dyn Stream>) })
        })
    }

    async fn sent(connect: Connect) -> Error {
        let settings = Settings::read(&env(&[])).unwrap();
        let server = Server::new(&settings, connect, SharedAsyncSleep::new(Quick)).unwrap();
        let to = "ana@example.com".parse().unwrap();
        match server.send(&Password("hush".to_owned()), &to, b"", LIMIT).await {
            Ok(_) => panic!("sent"),
            Err(error) => error,
        }
    }

    #[tokio::test]
    async fn codes_before_tls_are_the_servers_refusal() {
        let busy = sent(scripted(&["421 4.3.2 busy\r\n"], true)).await;
        assert!(matches!(&busy, Error::SmtpRefused { code: 421, text } if text.contains("busy")), "{busy:?}");
        let tls = ["220 hi\r\n", "250-hi\r\n250 STARTTLS\r\n", "454 4.7.0 TLS not available\r\n", "221 bye\r\n"];
        let error = sent(scripted(Box::leak(Box::new(tls)), true)).await;
        assert!(matches!(error, Error::SmtpRefused { code: 454, .. }), "{error:?}");
    }

    #[tokio::test]
    async fn nothing_is_sent_in_the_clear() {
        let error = sent(scripted(&["220 hi\r\n", "250-hi\r\n250 AUTH PLAIN\r\n"], false)).await;
        assert!(matches!(&error, Error::SmtpInsecure(why) if why.contains("STARTTLS")), "{error:?}");
        let garbage = ["220 hi\r\n", "250-hi\r\n250 STARTTLS\r\n", "220 go\r\n", "not TLS\r\n"];
        let error = sent(scripted(Box::leak(Box::new(garbage)), true)).await;
        assert!(matches!(error, Error::SmtpInsecure(_)), "{error:?}");
    }

    #[tokio::test]
    async fn silence_and_broken_connections_end() {
        for connect in [scripted(&[], false), scripted(&["220 hi\r\n"], true), scripted(&["what\r\n"], true)] {
            let error = sent(connect).await;
            assert!(matches!(error, Error::SmtpUnreachable(_)) && !error.is_permanent(), "{error:?}");
        }
        let nobody: Connect = Arc::new(|_, _| Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) }));
        assert!(matches!(sent(nobody).await, Error::SmtpUnreachable(why) if why.contains("refused")));
    }
}
