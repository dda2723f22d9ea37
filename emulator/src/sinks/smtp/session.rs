//! One session: commands in, replies out.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use smtp_proto::{
    AUTH_LOGIN, AUTH_PLAIN, Error as Syntax, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MAIL_SMTPUTF8, MailFrom, RcptTo,
    Request,
};
use tokio::net::TcpStream;

use super::attempt::{Attempt, Desk, Ending, Stage, Told};
use super::auth::Answer;
use super::mail::Envelope;
use super::reply::Reply;
use super::wire::{Data, Line, Stream, Wire};
use super::{MailServer, Tls};
use crate::clock::Work;

/// Recipients of one mail: the least that RFC 5321 section 4.5.3.1.8 allows as a limit.
const RECIPIENTS_MAX: usize = 100;
/// Commands without a mail between them.
const COMMANDS_MAX: u32 = 200;
/// Commands that were refused.
const ERRORS_MAX: u32 = 20;
/// Wrong passwords.
const AUTH_MAX: u32 = 3;

/// What follows a command.
enum Next {
    /// This reply.
    Reply(Reply),
    /// This reply, then the end.
    Close(Reply),
    /// The connection breaks.
    Break,
    /// The client gets no more answers; the connection stays until it closes it.
    Silence,
    /// TLS.
    Upgrade,
}

/// A session.
pub(super) struct Session {
    server: Arc<MailServer>,
    desk: Desk,
    wire: Wire,
    work: Option<Work>,
    attempt: Option<Attempt>,
    greeted: bool,
    secure: bool,
    authenticated: bool,
    mail: Option<Envelope>,
    commands: u32,
    errors: u32,
    wrong_passwords: u32,
}

fn reply(code: u16, text: impl Into<Cow<'static, str>>) -> Next {
    Next::Reply(Reply::new(code, text))
}

impl Session {
    pub fn new(
        server: Arc<MailServer>,
        desk: Desk,
        first: Attempt,
        stream: impl Stream + 'static,
        work: Option<Work>,
    ) -> Self {
        let wire = Wire::new(stream, None);
        Self {
            server,
            desk,
            wire,
            work,
            attempt: Some(first),
            greeted: false,
            secure: false,
            authenticated: false,
            mail: None,
            commands: 0,
            errors: 0,
            wrong_passwords: 0,
        }
    }

    /// A session with a client that may take `patience` for each line.
    pub fn over_tcp(
        server: Arc<MailServer>,
        desk: Desk,
        first: Attempt,
        stream: TcpStream,
        patience: Duration,
    ) -> Self {
        let session = Self::new(server, desk, first, tokio::io::empty(), None);
        Self { wire: Wire::new(stream, Some(patience)), ..session }
    }

    /// Runs to its end, whoever ends it.
    pub async fn run(mut self) {
        if let Err(error) = self.converse().await {
            tracing::debug!(%error, "a mail session broke");
        }
    }

    async fn converse(&mut self) -> io::Result<()> {
        let mut next = self.greet().await?;
        loop {
            match next {
                Next::Reply(reply) => self.wire.send(&reply).await?,
                Next::Close(reply) => {
                    self.wire.send(&reply).await?;
                    self.wire.close().await;
                    return Ok(());
                }
                Next::Break => return Ok(()),
                Next::Silence => {
                    self.wire.drain().await;
                    return Ok(());
                }
                Next::Upgrade => self.upgrade().await?,
            }
            next = match self.wire.line().await? {
                Line::Whole(line) => self.command(line).await?,
                Line::TooLong => self.wrong(500, "5.5.6 Line too long"),
                Line::End => return Ok(()),
            };
        }
    }

    async fn greet(&mut self) -> io::Result<Next> {
        match self.refusal(Stage::Greeting, &Envelope::default()).await? {
            Some(refused) => Ok(refused),
            None => Ok(reply(220, format!("{} ESMTP Garoa", self.server.host))),
        }
    }

    async fn upgrade(&mut self) -> io::Result<()> {
        self.wire.send(&Reply::new(220, "2.0.0 Ready to start TLS")).await?;
        let plain = std::mem::replace(&mut self.wire, Wire::new(tokio::io::empty(), None));
        self.wire = plain.upgrade(&self.server.identity.acceptor).await?;
        // RFC 3207 section 4.2: what was said before does not count.
        (self.secure, self.greeted, self.authenticated, self.mail) = (true, false, false, None);
        Ok(())
    }

    async fn command(&mut self, mut line: Vec<u8>) -> io::Result<Next> {
        self.commands += 1;
        if self.commands > COMMANDS_MAX {
            return Ok(Next::Close(Reply::new(421, "4.7.0 Too many commands without a mail")));
        }
        line.push(b'\n');
        let request = match Request::parse(&mut line.iter()) {
            Ok(request) => request.into_owned(),
            Err(error) => return Ok(self.syntax(&error)),
        };
        Ok(match request {
            Request::Quit => Next::Close(Reply::new(221, "2.0.0 Bye")),
            Request::Noop { .. } => reply(250, "2.0.0 OK"),
            Request::Help { .. } => reply(214, "2.0.0 See RFC 5321"),
            Request::Rset => {
                self.mail = None;
                reply(250, "2.0.0 OK")
            }
            Request::Ehlo { .. } => self.ehlo(),
            Request::Helo { .. } => {
                (self.greeted, self.mail) = (true, None);
                reply(250, self.server.host.clone())
            }
            Request::StartTls => self.starttls(),
            other => match self.locked(&other) {
                Some(refused) => refused,
                None => self.transaction(other).await?,
            },
        })
    }

    /// The commands that need a greeting, and TLS and a password where they are asked for.
    async fn transaction(&mut self, request: Request<String>) -> io::Result<Next> {
        match request {
            Request::Auth { mechanism, initial_response } => self.auth(mechanism, &initial_response).await,
            Request::Mail { from } => self.mail(from).await,
            Request::Rcpt { to } => self.recipient(to).await,
            Request::Data => self.data().await,
            Request::Vrfy { .. } => Ok(reply(252, "2.1.5 Cannot verify the user, but will take messages for it")),
            other => Ok(self.wrong(502, format!("5.5.1 {} is not implemented", other.name()))),
        }
    }

    /// Why a command is not for this client yet.
    fn locked(&mut self, request: &Request<String>) -> Option<Next> {
        let auth = matches!(request, Request::Auth { .. });
        if !self.greeted {
            return Some(self.wrong(503, "5.5.1 Send EHLO or HELO first"));
        }
        if self.server.options.tls == Tls::Required && !self.secure {
            return Some(self.refused(530, "5.7.0 Must issue a STARTTLS command first"));
        }
        if self.server.options.credentials.is_some() && !self.authenticated && !auth {
            return Some(self.refused(530, "5.7.0 Authentication required"));
        }
        None
    }

    fn ehlo(&mut self) -> Next {
        (self.greeted, self.mail) = (true, None);
        let options = &self.server.options;
        let mut lines: Vec<Cow<'static, str>> = vec![
            self.server.host.clone().into(),
            format!("SIZE {}", options.max_size).into(),
            "8BITMIME".into(),
            "SMTPUTF8".into(),
            "PIPELINING".into(),
            "ENHANCEDSTATUSCODES".into(),
        ];
        if !self.secure && options.tls != Tls::Off {
            lines.push("STARTTLS".into());
        }
        if options.credentials.is_some() && (self.secure || options.tls != Tls::Required) {
            lines.push("AUTH PLAIN LOGIN".into());
        }
        Next::Reply(Reply::lines(250, lines))
    }

    fn starttls(&mut self) -> Next {
        if self.secure {
            return self.wrong(503, "5.5.1 TLS is in use already");
        }
        if !self.greeted {
            return self.wrong(503, "5.5.1 Send EHLO first");
        }
        if self.server.options.tls == Tls::Off {
            return self.wrong(502, "5.5.1 STARTTLS is not implemented");
        }
        Next::Upgrade
    }

    async fn auth(&mut self, mechanism: u64, initial: &str) -> io::Result<Next> {
        let server = Arc::clone(&self.server);
        let Some(credentials) = &server.options.credentials else {
            return Ok(self.wrong(503, "5.5.1 Authentication is not enabled"));
        };
        if self.authenticated || self.mail.is_some() {
            return Ok(self.wrong(503, "5.5.1 Not now"));
        }
        let first = match (initial, mechanism) {
            ("", AUTH_PLAIN) => self.challenge("").await?,
            ("", AUTH_LOGIN) => self.challenge("VXNlcm5hbWU6").await?,
            (initial, AUTH_PLAIN | AUTH_LOGIN) => Some(Answer::read(initial.as_bytes())),
            _ => return Ok(self.wrong(504, "5.5.4 Unrecognized authentication type")),
        };
        let first = match self.given(first) {
            Ok(first) => first,
            Err(next) => return Ok(next),
        };
        let right = if mechanism == AUTH_PLAIN {
            credentials.are_plain(&first)
        } else {
            let second = self.challenge("UGFzc3dvcmQ6").await?;
            match self.given(second) {
                Ok(password) => credentials.are(&first, &password),
                Err(next) => return Ok(next),
            }
        };
        if let Some(refused) = self.refusal(Stage::Auth, &Envelope::default()).await? {
            return Ok(refused);
        }
        if right {
            self.authenticated = true;
            return Ok(reply(235, "2.7.0 Authentication successful"));
        }
        self.wrong_passwords += 1;
        let wrong = self.refused(535, "5.7.8 Authentication credentials invalid");
        match wrong {
            Next::Reply(reply) if self.wrong_passwords >= AUTH_MAX => Ok(Next::Close(reply)),
            other => Ok(other),
        }
    }

    /// Asks for more; `None` if the client says nothing.
    async fn challenge(&mut self, text: &'static str) -> io::Result<Option<Answer>> {
        self.wire.send(&Reply::new(334, text)).await?;
        Ok(match self.wire.line().await? {
            Line::Whole(line) => Some(Answer::read(&line)),
            Line::TooLong => Some(Answer::NotBase64),
            Line::End => None,
        })
    }

    fn given(&mut self, answer: Option<Answer>) -> Result<Vec<u8>, Next> {
        match answer {
            Some(Answer::Given(bytes)) => Ok(bytes),
            Some(Answer::Cancelled) => Err(self.wrong(501, "5.7.0 Authentication cancelled")),
            Some(Answer::NotBase64) => Err(self.wrong(501, "5.5.2 Cannot decode the response")),
            None => Err(Next::Break),
        }
    }

    async fn mail(&mut self, from: MailFrom<String>) -> io::Result<Next> {
        if self.mail.is_some() {
            return Ok(self.wrong(503, "5.5.1 A mail is under way already"));
        }
        let others = [&from.trans_id, &from.env_id, &from.solicit].into_iter().any(Option::is_some);
        let known = from.flags & !(MAIL_BODY_7BIT | MAIL_BODY_8BITMIME | MAIL_SMTPUTF8) == 0;
        let held = (from.by, from.hold_for, from.hold_until, from.mt_priority) != (0, 0, 0, 0);
        if others || !known || held || from.mtrk.is_some() {
            return Ok(self.wrong(555, "5.5.4 Parameters that were not offered"));
        }
        let envelope = Envelope { from: from.address, to: Vec::new() };
        if from.size > self.server.options.max_size {
            return Ok(self.refused_mail(&envelope, Reply::scripted(552)));
        }
        if let Some(refused) = self.refusal(Stage::Mail, &envelope).await? {
            return Ok(refused);
        }
        self.mail = Some(envelope);
        Ok(reply(250, "2.1.0 OK"))
    }

    async fn recipient(&mut self, to: RcptTo<String>) -> io::Result<Next> {
        let Some(mut envelope) = self.mail.clone() else { return Ok(self.wrong(503, "5.5.1 Send MAIL first")) };
        if to.flags != 0 || to.orcpt.is_some() || to.rrvs != 0 {
            return Ok(self.wrong(555, "5.5.4 Parameters that were not offered"));
        }
        if to.address.is_empty() {
            return Ok(self.wrong(501, "5.1.3 A recipient has an address"));
        }
        if envelope.to.len() >= RECIPIENTS_MAX {
            return Ok(self.wrong(452, "4.5.3 Too many recipients"));
        }
        envelope.to.push(to.address);
        if let Some(refused) = self.refusal(Stage::Recipient, &envelope).await? {
            return Ok(refused);
        }
        self.mail = Some(envelope);
        Ok(reply(250, "2.1.5 OK"))
    }

    async fn data(&mut self) -> io::Result<Next> {
        let Some(envelope) = self.mail.take() else { return Ok(self.wrong(503, "5.5.1 Send MAIL first")) };
        if envelope.to.is_empty() {
            self.mail = Some(envelope);
            return Ok(self.wrong(554, "5.5.1 No valid recipients"));
        }
        let attempt = self.take_attempt()?;
        if attempt.ending == Ending::DropBeforeData {
            self.desk.unanswered(&attempt, &envelope);
            return Ok(Next::Break);
        }
        self.wire.send(&Reply::new(354, "Send the message, and end it with a line that has only a dot")).await?;
        let data = self.wire.data(self.server.options.max_size).await?;
        self.commands = 0;
        let raw = match data {
            Data::Whole(raw) => raw,
            Data::TooLarge => {
                self.attempt = Some(attempt);
                return Ok(self.refused_mail(&envelope, Reply::scripted(552)));
            }
            Data::End => return Ok(Next::Break),
        };
        if attempt.ending == Ending::Silence {
            self.desk.unanswered(&attempt, &envelope);
            return Ok(Next::Silence);
        }
        self.desk.pause(attempt.delay, self.work.as_ref()).await;
        match &attempt.ending {
            Ending::DropAfterData => {
                self.desk.unanswered(&attempt, &envelope);
                Ok(Next::Break)
            }
            Ending::Refuse(Stage::End, refusal) => {
                let told = self.desk.answered(&attempt, refusal.code, envelope.json());
                Ok(tell(told, refusal.clone()))
            }
            _ => {
                let (code, mail) = self.desk.deliver(&attempt, &envelope, &raw).await;
                let told = self.desk.answered(&attempt, code, mail);
                Ok(tell(told, Reply::scripted(code)))
            }
        }
    }

    /// The attempt that is under way, or a new one.
    fn take_attempt(&mut self) -> io::Result<Attempt> {
        self.attempt.take().map_or_else(|| self.desk.begin(), Ok)
    }

    /// What the script or a fault has for this stage; `None` if the session goes on.
    async fn refusal(&mut self, stage: Stage, envelope: &Envelope) -> io::Result<Option<Next>> {
        let begun = self.attempt.is_some();
        let attempt = self.take_attempt()?;
        // What could only have been said before is said when the next mail begins.
        let late = |at| stage == Stage::Mail && (at == Stage::Auth || (at == Stage::Greeting && !begun));
        match &attempt.ending {
            Ending::Refuse(at, refusal) if *at == stage || late(*at) => {
                self.desk.pause(attempt.delay, self.work.as_ref()).await;
                let told = self.desk.answered(&attempt, refusal.code, envelope.json());
                self.errors += 1;
                // RFC 5321 section 3.8: after 421 the server closes.
                Ok(Some(match tell(told, refusal.clone()) {
                    Next::Reply(reply) if reply.code == 421 => Next::Close(reply),
                    next => next,
                }))
            }
            Ending::NoConnection => {
                self.desk.unanswered(&attempt, envelope);
                Ok(Some(Next::Break))
            }
            Ending::Crash => {
                self.desk.crash(&attempt);
                Ok(Some(Next::Silence))
            }
            _ => {
                self.attempt = Some(attempt);
                Ok(None)
            }
        }
    }

    /// Refuses a client of its own accord, and notes it.
    fn refused(&mut self, code: u16, text: &'static str) -> Next {
        self.refused_mail(&Envelope::default(), Reply::new(code, text))
    }

    fn refused_mail(&mut self, envelope: &Envelope, refusal: Reply) -> Next {
        self.mail = None;
        let Ok(attempt) = self.take_attempt() else { return Next::Break };
        let told = self.desk.answered(&attempt, refusal.code, envelope.json());
        match tell(told, refusal) {
            Next::Reply(refusal) => self.counted(refusal),
            next => next,
        }
    }

    /// Answers a command that is wrong in itself; it is no attempt at sending a mail.
    fn wrong(&mut self, code: u16, text: impl Into<Cow<'static, str>>) -> Next {
        self.counted(Reply::new(code, text))
    }

    fn counted(&mut self, refusal: Reply) -> Next {
        self.errors += 1;
        if self.errors > ERRORS_MAX {
            Next::Close(Reply::new(421, "4.7.0 Too many errors"))
        } else {
            Next::Reply(refusal)
        }
    }

    fn syntax(&mut self, error: &Syntax) -> Next {
        match error {
            Syntax::UnknownCommand => self.wrong(500, "5.5.1 Unknown command"),
            Syntax::InvalidSenderAddress => self.wrong(501, "5.1.7 Bad sender address"),
            Syntax::InvalidRecipientAddress => self.wrong(501, "5.1.3 Bad recipient address"),
            Syntax::SyntaxError { syntax } => self.wrong(501, format!("5.5.2 Syntax: {syntax}")),
            Syntax::InvalidParameter { param } => self.wrong(501, format!("5.5.4 Bad value of {param}")),
            Syntax::UnsupportedParameter { .. } => self.wrong(555, "5.5.4 Parameters that were not offered"),
            _ => self.wrong(500, "5.5.2 Syntax error"),
        }
    }
}

/// What a client is told of an answer, if anything.
fn tell(told: Told, reply: Reply) -> Next {
    match told {
        Told::Yes => Next::Reply(reply),
        Told::Lost => Next::Break,
        Told::Dead => Next::Silence,
    }
}
