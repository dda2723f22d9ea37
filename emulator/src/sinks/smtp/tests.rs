//! The server as clients in the cloud see it: raw sessions, word for word.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use wiremock::matchers::body_partial_json;
use wiremock::{Mock, ResponseTemplate};

use super::*;
use crate::cloud::{Aim, CallAim, Event, Fault, FaultKind};
use crate::sinks::{Answer, Outcome, SinkRequest};

trait Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Io for T {}

/// A client that says a line and reads the reply.
struct Client(BufReader<Box<dyn Io>>);

impl Client {
    async fn connect(cloud: &Cloud) -> Self {
        let connection = cloud.network().connect("smtp.sink.localhost", PORT).await.unwrap();
        Self(BufReader::new(Box::new(connection)))
    }

    /// The next reply: its code, and all its lines.
    async fn reply(&mut self) -> (u16, String) {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.unwrap_or(0) == 0 {
                return (0, all);
            }
            all += &line;
            if line.as_bytes().get(3) == Some(&b' ') {
                return (line[..3].parse().unwrap(), all);
            }
        }
    }

    async fn write(&mut self, text: &str) {
        // A server that has hung up is seen when its reply is read.
        self.0.get_mut().write_all(text.as_bytes()).await.ok();
    }

    async fn say(&mut self, line: &str) -> (u16, String) {
        self.write(&format!("{line}\r\n")).await;
        self.reply().await
    }

    async fn code(&mut self, line: &str) -> u16 {
        self.say(line).await.0
    }

    /// Sends one mail: the codes of MAIL, RCPT, DATA and the end, as far as it goes.
    async fn mail(&mut self) -> Vec<u16> {
        let mut codes = Vec::new();
        let end = "Subject: hi\r\n\r\n..dot\r\n.";
        for line in ["MAIL FROM:<a@example.com> SIZE=100 BODY=8BITMIME", "RCPT TO:<b@example.com>", "DATA", end] {
            codes.push(self.code(line).await);
            if !matches!(codes.last(), Some(250 | 354)) {
                break;
            }
        }
        codes
    }

    async fn tls(mut self, certificate: &str) -> Self {
        assert_eq!(self.code("STARTTLS").await, 220);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from("smtp.sink.localhost").unwrap();
        let secured = TlsConnector::from(Arc::new(config)).connect(name, self.0.into_inner()).await.unwrap();
        Self(BufReader::new(Box::new(secured)))
    }
}

fn answers(list: &[&str]) -> Vec<Answer> {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

fn credentials() -> Option<Credentials> {
    Some(Credentials { user: "ana".to_owned(), password: "s3cret".to_owned() })
}

async fn cloud(options: SmtpOptions, list: &[&str]) -> (Cloud, Arc<Sink>) {
    let cloud = Cloud::builder().build();
    let sink = cloud.mail_sink("smtp", options, answers(list)).await.unwrap();
    (cloud, sink)
}

/// A client that was greeted and has greeted, if the server let it.
async fn greeted(cloud: &Cloud) -> Client {
    let mut client = Client::connect(cloud).await;
    if client.reply().await.0 == 220 {
        assert_eq!(client.code("EHLO me").await, 250);
    }
    client
}

/// What the trace says of each attempt: status and error code.
fn attempts(cloud: &Cloud) -> Vec<(Option<u16>, Option<String>)> {
    let calls = cloud.trace().into_iter().filter_map(|record| match record.event {
        Event::Call(call) if call.service == "smtp" => {
            assert_eq!((&*call.operation, &*call.resource), ("MAIL", "smtp://smtp.sink.localhost:587/"));
            Some((call.status, call.error.as_ref().map(|(code, _)| code.clone())))
        }
        _ => None,
    });
    calls.collect()
}

#[tokio::test]
async fn a_mail_becomes_one_post_and_one_record() {
    let (cloud, sink) = cloud(SmtpOptions::default(), &[]).await;
    let mut client = greeted(&cloud).await;
    assert_eq!(client.mail().await, [250, 250, 354, 250]);
    assert_eq!(client.code("QUIT").await, 221);
    let posts = sink.server().received_requests().await.unwrap();
    let mail: Value = posts[0].body_json().unwrap();
    assert_eq!((posts.len(), &mail["subject"], &mail["text"]), (1, &json!("hi"), &json!(".dot\r\n")));
    assert_eq!(mail["envelope"], json!({"from": "a@example.com", "to": ["b@example.com"]}));
    let request = SinkRequest { method: "MAIL".to_owned(), body: mail, status: Some(250) };
    assert_eq!(cloud.sink_requests("smtp"), [request]);
}

#[tokio::test]
async fn tls_and_a_password_are_asked_for_and_what_is_announced_changes() {
    let options = SmtpOptions { tls: Tls::Required, credentials: credentials(), ..SmtpOptions::default() };
    let (cloud, sink) = cloud(options, &[]).await;
    let mut client = Client::connect(&cloud).await;
    assert_eq!(client.reply().await.0, 220);
    let announced = client.say("EHLO me").await.1;
    assert!(announced.contains("SIZE 26214400") && announced.contains("STARTTLS") && !announced.contains("AUTH"));
    let refused = client.say("MAIL FROM:<a@example.com>").await;
    assert_eq!(refused, (530, "530 5.7.0 Must issue a STARTTLS command first\r\n".to_owned()));
    assert_eq!(client.code("AUTH PLAIN AGFuYQBzM2NyZXQ=").await, 530);

    let mut client = client.tls(sink.certificate().unwrap()).await;
    assert_eq!(client.code("MAIL FROM:<a@example.com>").await, 503, "the greeting before TLS does not count");
    let announced = client.say("EHLO me").await.1;
    assert!(announced.contains("AUTH PLAIN LOGIN") && !announced.contains("STARTTLS"), "{announced}");
    assert_eq!(client.say("MAIL FROM:<a@example.com>").await.1, "530 5.7.0 Authentication required\r\n");
    assert_eq!(client.say("AUTH PLAIN AGFuYQB3cm9uZw==").await.1, "535 5.7.8 Authentication credentials invalid\r\n");
    assert_eq!(client.code("AUTH CRAM-MD5").await, 504);
    assert_eq!(client.code("AUTH PLAIN !").await, 501);
    assert_eq!((client.code("AUTH PLAIN").await, client.code("*").await), (334, 501));
    assert_eq!((client.code("AUTH PLAIN").await, client.code("AGFuYQBzM2NyZXQ=").await), (334, 235));
    assert_eq!(client.code("AUTH PLAIN AGFuYQBzM2NyZXQ=").await, 503);
    assert_eq!(client.mail().await, [250, 250, 354, 250]);
    let statuses: Vec<_> = attempts(&cloud).into_iter().map(|(status, _)| status).collect();
    assert_eq!(statuses, [Some(530), Some(530), Some(530), Some(535), Some(250)]);
}

#[tokio::test]
async fn without_tls_none_is_offered() {
    let (cloud, _sink) = cloud(SmtpOptions { tls: Tls::Off, ..SmtpOptions::default() }, &[]).await;
    let mut client = greeted(&cloud).await;
    assert!(!client.say("EHLO me").await.1.contains("STARTTLS"));
    assert_eq!(client.code("STARTTLS").await, 502);
    assert_eq!(client.mail().await.last(), Some(&250));
}

#[tokio::test]
async fn login_asks_for_user_and_password() {
    let options = SmtpOptions { credentials: credentials(), ..SmtpOptions::default() };
    let (cloud, _sink) = cloud(options, &[]).await;
    let mut client = greeted(&cloud).await;
    assert_eq!(client.say("AUTH LOGIN").await.1, "334 VXNlcm5hbWU6\r\n");
    assert_eq!(client.say("YW5h").await.1, "334 UGFzc3dvcmQ6\r\n");
    assert_eq!(client.code("d3Jvbmc=").await, 535);
    assert_eq!((client.code("AUTH LOGIN YW5h").await, client.code("czNjcmV0").await), (334, 235));
    let mut other = greeted(&cloud).await;
    for expected in [535, 535, 535, 0] {
        assert_eq!(other.code("AUTH PLAIN AGFuYQB3cm9uZw==").await, expected, "three wrong passwords end the session");
    }
}

#[tokio::test]
async fn commands_have_their_order_and_parameters_their_limits() {
    let (cloud, _sink) = cloud(SmtpOptions { max_size: 1000, ..SmtpOptions::default() }, &[]).await;
    let mut client = Client::connect(&cloud).await;
    assert_eq!(client.reply().await.0, 220);
    for (line, code) in [
        ("MAIL FROM:<a@example.com>", 503),
        ("STARTTLS", 503),
        ("HELO me", 250),
        ("RCPT TO:<b@example.com>", 503),
        ("DATA", 503),
        ("AUTH PLAIN", 503),
        ("MAIL FROM:<a@example.com> SIZE=1001", 552),
        ("MAIL FROM:<a@example.com> SIZE=x", 501),
        ("MAIL FROM:<a@example.com> HOLDFOR=5", 555),
        ("MAIL FROM:<a b", 501),
        ("MAIL FROM:<>", 250),
        ("MAIL FROM:<a@example.com>", 503),
        ("DATA", 554),
        ("RCPT TO:<b@example.com> NOTIFY=NEVER", 555),
        ("VRFY ana", 252),
        ("NOOP", 250),
        ("HELP", 214),
        ("BDAT 5", 502),
        ("FOO", 500),
        ("RSET", 250),
    ] {
        let said = client.say(line).await;
        assert_eq!(said.0, code, "{line}: {}", said.1);
    }
    assert_eq!(client.code("MAIL FROM:<a@example.com>").await, 250);
    for _ in 0..100 {
        assert_eq!(client.code("RCPT TO:<b@example.com>").await, 250);
    }
    assert_eq!(client.code("RCPT TO:<b@example.com>").await, 452);
    assert_eq!(client.code("DATA").await, 354);
    let long = format!("{}\r\n", "x".repeat(100)).repeat(15);
    assert_eq!(
        client.say(&format!("{long}.")).await.1,
        "552 5.3.4 Message size exceeds fixed maximum message size\r\n"
    );
    assert_eq!(client.mail().await, [250, 250, 354, 250], "the session goes on");
}

#[tokio::test]
async fn a_client_cannot_go_on_for_ever() {
    let (cloud, _sink) = cloud(SmtpOptions::default(), &[]).await;
    let mut client = greeted(&cloud).await;
    let mut codes = Vec::new();
    while !matches!(codes.last(), Some(421 | 0)) {
        codes.push(client.code("FOO").await);
    }
    assert_eq!(codes.len(), 21);
    let mut client = greeted(&cloud).await;
    let mut count = 0;
    while client.code("NOOP").await == 250 {
        count += 1;
    }
    assert_eq!(count, 199);
    let mut client = greeted(&cloud).await;
    assert_eq!(client.say(&"x".repeat(100_000)).await.1, "500 5.5.6 Line too long\r\n");
    assert_eq!(client.code("NOOP").await, 250);
}

#[tokio::test]
async fn commands_may_be_sent_together() {
    let (cloud, _sink) = cloud(SmtpOptions::default(), &[]).await;
    let mut client = greeted(&cloud).await;
    client.write("MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<>\r\nDATA\r\n").await;
    for code in [250, 250, 501, 354] {
        assert_eq!(client.reply().await.0, code);
    }
    client.write("\r\nhi\r\n.\r\nQUIT\r\n").await;
    assert_eq!((client.reply().await.0, client.reply().await.0), (250, 221));
}

#[tokio::test]
async fn each_scripted_answer_comes_where_servers_give_it_and_is_noted() {
    for (answer, codes, noted) in [
        ("250", vec![250, 250, 354, 250], (Some(250), None)),
        ("421", vec![], (Some(421), None)),
        ("535", vec![535], (Some(535), None)),
        ("550", vec![250, 550], (Some(550), None)),
        ("greylist", vec![250, 450], (Some(450), None)),
        ("451", vec![250, 250, 354, 451], (Some(451), None)),
        ("drop-before-data", vec![250, 250, 0], (None, Some("ConnectionReset"))),
        ("drop-after-data", vec![250, 250, 354, 0], (None, Some("ConnectionReset"))),
    ] {
        let (cloud, sink) = cloud(SmtpOptions::default(), &[answer, "250"]).await;
        let mut client = greeted(&cloud).await;
        if !codes.is_empty() {
            assert_eq!(client.mail().await, codes, "{answer}");
        }
        let mut again = greeted(&cloud).await;
        assert_eq!(again.mail().await, [250, 250, 354, 250], "{answer}");
        let noted = (noted.0, noted.1.map(str::to_owned));
        assert_eq!(attempts(&cloud), [noted, (Some(250), None)], "{answer}");
        let accepted = if answer == "250" { 2 } else { 1 };
        assert_eq!(sink.server().received_requests().await.unwrap().len(), accepted, "{answer}");
    }
}

#[tokio::test]
async fn one_session_makes_several_attempts() {
    let (cloud, _sink) = cloud(SmtpOptions::default(), &["451", "250", "421"]).await;
    let mut client = greeted(&cloud).await;
    assert_eq!(client.mail().await, [250, 250, 354, 451]);
    assert_eq!(client.mail().await, [250, 250, 354, 250]);
    assert_eq!(client.mail().await, [421]);
    assert_eq!(client.code("NOOP").await, 0, "after 421 the server closes");
    let statuses: Vec<_> = attempts(&cloud).into_iter().filter_map(|(status, _)| status).collect();
    assert_eq!(statuses, [451, 250, 421]);
}

#[tokio::test]
async fn a_delay_takes_virtual_time_and_silence_lasts() {
    let (cloud, _sink) = cloud(SmtpOptions::default(), &["delay 30s 250", "timeout", "refused"]).await;
    let begun = cloud.now();
    assert_eq!(greeted(&cloud).await.mail().await.last(), Some(&250));
    assert_eq!(cloud.now(), begun + Duration::from_secs(30));
    let mut silent = greeted(&cloud).await;
    for (line, code) in [("MAIL FROM:<a@b>", 250), ("RCPT TO:<a@b>", 250), ("DATA", 354)] {
        assert_eq!(silent.code(line).await, code);
    }
    silent.write("x\r\n.\r\n").await;
    let mut buffer = [0; 1];
    let waited = tokio::select! {
        read = silent.0.read(&mut buffer) => Err(read),
        hold = cloud.0.wait(Some(cloud.now() + Duration::from_secs(600))) => Ok(hold.is_ok()),
    };
    assert!(matches!(waited, Ok(true)));
    let refused = cloud.network().connect("smtp.sink.localhost", PORT).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    let errors: Vec<_> = attempts(&cloud).into_iter().map(|(_, error)| error).collect();
    assert_eq!(errors, [None, Some("Timeout".to_owned()), Some("ConnectionRefused".to_owned())]);
}

#[tokio::test]
async fn faults_strike_as_they_do_at_other_sinks() {
    let error = FaultKind::Error { code: "Full".to_owned(), status: 452 };
    for (kind, codes, accepted) in [
        (FaultKind::LostReply, vec![250, 250, 354, 0], 1),
        (FaultKind::Throttle, vec![], 0),
        (FaultKind::Deny, vec![550], 0),
        (error, vec![250, 250, 354, 452], 0),
    ] {
        let (cloud, sink) = cloud(SmtpOptions::default(), &[]).await;
        let aim = CallAim { calls: "smtp:MAIL".parse().unwrap(), nth: Some(1), resource: None, times: None };
        cloud.inject(Fault { aim: Aim::Calls(aim), kind: kind.clone() });
        let mut client = greeted(&cloud).await;
        if !codes.is_empty() {
            assert_eq!(client.mail().await, codes, "{kind}");
        }
        assert_eq!(sink.server().received_requests().await.unwrap().len(), accepted, "{kind}");
        assert_eq!(greeted(&cloud).await.mail().await.last(), Some(&250), "{kind}");
    }
}

#[tokio::test]
async fn a_mock_of_ones_own_decides_as_for_http() {
    let (cloud, sink) = cloud(SmtpOptions::default(), &[]).await;
    let refuse = Mock::given(body_partial_json(json!({ "envelope": { "to": ["b@example.com"] } })));
    refuse.respond_with(ResponseTemplate::new(554)).mount(sink.server()).await;
    assert_eq!(greeted(&cloud).await.mail().await.last(), Some(&554));
    let mut client = greeted(&cloud).await;
    assert_eq!(client.code("MAIL FROM:<a@b>").await, 250);
    assert_eq!(client.code("RCPT TO:<other@example.com>").await, 250);
    assert_eq!((client.code("DATA").await, client.code("\r\n.").await), (354, 250));
}

#[tokio::test]
async fn there_is_nothing_else_to_connect_to() {
    let (cloud, _sink) = cloud(SmtpOptions::default(), &[]).await;
    cloud.sink("slack", vec![Answer { delay: Duration::ZERO, outcome: Outcome::Refused }]).await;
    for (host, port) in [("smtp.sink.localhost", 25), ("slack.sink.localhost", PORT), ("localhost", PORT), ("", 0)] {
        let refused = cloud.network().connect(host, port).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused, "{host}:{port}");
    }
}

#[tokio::test]
async fn a_large_message_arrives_whole() {
    let (cloud, _sink) = cloud(SmtpOptions::default(), &[]).await;
    let mut client = greeted(&cloud).await;
    for line in ["MAIL FROM:<a@b>", "RCPT TO:<a@b>", "DATA"] {
        client.code(line).await;
    }
    let line = format!("{}\r\n", "0123456789".repeat(7));
    let count = 3 * 1024 * 1024 / line.len();
    assert_eq!(client.say(&format!("\r\n{}.", line.repeat(count))).await.0, 250);
    let size = cloud.sink_requests("smtp")[0].body["size"].as_u64().unwrap();
    assert_eq!(size, (line.len() * count + 2) as u64);
}
