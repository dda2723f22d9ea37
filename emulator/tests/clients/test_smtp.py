"""`garoa serve --smtp` with Python's smtplib: what a program that sends mail sees."""

import base64
import errno
import hashlib
import os
import random
import smtplib
import socket
import ssl
from email.message import EmailMessage

import pytest

USER, PASSWORD = "mailer", "s3cret"
LOCKED = ["--smtp-tls-required", "--smtp-user", USER, "--smtp-password", PASSWORD]


@pytest.fixture
def mail(start, tmp_path):
    """Starts a server that takes mail, with options of its own."""

    def begin(*options):
        certificate = tmp_path / "ca.pem"
        server = start("--smtp", "127.0.0.1:0", "--smtp-certificate", str(certificate), *options)
        server.context = ssl.create_default_context(cafile=str(certificate))
        return server

    return begin


@pytest.fixture
def open_server(mail):
    return mail()


@pytest.fixture
def locked_server(mail):
    return mail(*LOCKED)


def connect(server):
    return smtplib.SMTP("127.0.0.1", server.smtp, timeout=30)


def message(attachment=b""):
    mail = EmailMessage()
    mail["From"] = "Serviço <no-reply@example.com>"
    mail["To"] = "ana@example.com"
    mail["Subject"] = "Olá, mundo"
    mail["Message-ID"] = "<1@example.com>"
    mail.set_content("texto\n.ponto\n")
    mail.add_alternative("<p>texto</p>", subtype="html")
    if attachment:
        mail.add_attachment(attachment, maintype="application", subtype="zip", filename="vídeo 42.zip")
    return mail


def mails(server):
    return server.admin("GET", "mails")["mails"]


def test_a_mail_with_starttls_and_auth_is_listed_whole(locked_server):
    attachment = random.Random(1).randbytes(3 * 1024 * 1024)
    with connect(locked_server) as client:
        client.starttls(context=locked_server.context)
        client.login(USER, PASSWORD)
        assert client.send_message(message(attachment)) == {}
    (mail,) = mails(locked_server)
    assert mail["subject"] == "Olá, mundo"
    assert mail["from"] == {"name": "Serviço", "address": "no-reply@example.com"}
    assert mail["envelope"] == {"from": "no-reply@example.com", "to": ["ana@example.com"]}
    assert mail["text"].splitlines() == ["texto", ".ponto"]
    assert mail["html"].strip() == "<p>texto</p>"
    assert mail["attachments"] == [
        {
            "name": "vídeo 42.zip",
            "type": "application/zip",
            "size": len(attachment),
            "sha256": hashlib.sha256(attachment).hexdigest(),
        }
    ]
    locked_server.admin("POST", "reset")
    assert mails(locked_server) == []


@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login"])
@pytest.mark.parametrize("initial", [True, False])
def test_both_mechanisms_with_and_without_an_initial_response(locked_server, mechanism, initial):
    with connect(locked_server) as client:
        client.starttls(context=locked_server.context)
        client.ehlo()
        assert client.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]
        client.user, client.password = USER, PASSWORD
        name = mechanism.removeprefix("auth_").upper()
        code, _ = client.auth(name, getattr(client, mechanism), initial_response_ok=initial)
        assert code == 235
        assert client.send_message(message()) == {}
    assert len(mails(locked_server)) == 1


def test_nothing_goes_without_tls_and_a_password(locked_server):
    with connect(locked_server) as client:
        client.ehlo()
        assert "auth" not in client.esmtp_features
        assert client.mail("a@example.com") == (530, b"5.7.0 Must issue a STARTTLS command first")
        client.starttls(context=locked_server.context)
        client.ehlo()
        assert client.mail("a@example.com") == (530, b"5.7.0 Authentication required")
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.login(USER, "wrong")
        assert refused.value.smtp_code == 535
        assert refused.value.smtp_error.startswith(b"5.7.8 ")
    assert mails(locked_server) == []


def test_a_client_that_does_not_know_the_certificate_refuses_the_server(locked_server):
    with connect(locked_server) as client, pytest.raises(ssl.SSLCertVerificationError):
        client.starttls(context=ssl.create_default_context())


def test_the_announced_size_is_the_limit(mail):
    server = mail("--smtp-max-size", "10000")
    with connect(server) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == "10000"
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.send_message(message(b"x" * 20000))
        assert refused.value.smtp_code == 552
        # A client that does not say the size beforehand is told at the end, and the session goes on.
        client.mail("a@example.com")
        client.rcpt("b@example.com")
        assert client.data(b"x" * 15000 + b"\r\n")[0] == 552
        assert client.send_message(message()) == {}
    assert len(mails(server)) == 1


def test_several_recipients_and_several_mails_in_a_session(open_server):
    with connect(open_server) as client:
        client.sendmail("a@example.com", ["b@example.com", "c@example.com"], "Subject: 1\r\n\r\n.")
        client.sendmail("a@example.com", "d@example.com", "Subject: 2\r\n\r\n..\r\n...")
    first, second = mails(open_server)
    assert first["envelope"]["to"] == ["b@example.com", "c@example.com"]
    assert (first["text"].strip(), second["text"].split()) == (".", ["..", "..."])


class Raw:
    """A socket, and replies line by line."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.smtp), timeout=30)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def code(self):
        """The next reply's code; 0 at the end of the connection."""
        while line := self.file.readline():
            if line[3:4] != b"-":
                return int(line[:3])
        return 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()


def test_commands_are_taken_together(open_server):
    with Raw(open_server) as raw:
        raw.send(
            b"EHLO me\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<c@example.com>\r\nDATA\r\n"
            b"Subject: x\r\n\r\nhi\r\n.\r\nRSET\r\nQUIT\r\n"
        )
        assert [raw.code() for _ in range(10)] == [220, 250, 250, 250, 250, 354, 250, 250, 221, 0]
    assert len(mails(open_server)) == 1


def test_what_is_sent_ahead_of_tls_in_the_clear_does_not_count(open_server):
    with Raw(open_server) as raw:
        raw.send(b"EHLO me\r\n")
        assert [raw.code(), raw.code()] == [220, 250]
        raw.send(b"STARTTLS\r\nMAIL FROM:<evil@example.com>\r\n")
        assert raw.code() == 220
        raw.file.close()
        secured = open_server.context.wrap_socket(raw.socket, server_hostname="localhost")
        raw.socket, raw.file = secured, secured.makefile("rb")
        raw.send(b"EHLO me\r\nRCPT TO:<b@example.com>\r\nQUIT\r\n")
        assert [raw.code(), raw.code(), raw.code()] == [250, 503, 221], "there is no mail under way"


@pytest.mark.parametrize(
    "lines, codes",
    [
        ([b"MAIL FROM:<a@example.com>"], [503]),
        ([b"EHLO me", b"DATA"], [250, 503]),
        ([b"EHLO me", b"RCPT TO:<b@example.com>"], [250, 503]),
        ([b"EHLO me", b"MAIL FROM:<a@example.com>", b"DATA"], [250, 250, 554]),
        ([b"EHLO me", b"MAIL FROM:<a@example.com>", b"MAIL FROM:<a@example.com>"], [250, 250, 503]),
        ([b"EHLO me", b"MAIL FROM:<a@example.com>", b"RSET", b"DATA"], [250, 250, 250, 503]),
        ([b"EHLO me", b"MAIL FROM:<a@example.com> BODY=8BITMIME SIZE=10"], [250, 250]),
        ([b"EHLO me", b"MAIL FROM:<a@example.com> FOO=1"], [250, 555]),
        ([b"EHLO me", b"AUTH PLAIN AAAA"], [250, 503]),
        ([b"EHLO", b"HELO", b"FOO", b"VRFY x", b""], [501, 501, 500, 503, 500]),
        ([b"\xff\xfe\x00", b"EHLO \xff", b"NOOP"], [500, 250, 250]),
    ],
)
def test_bad_sequences_are_refused_and_the_session_goes_on(open_server, lines, codes):
    with Raw(open_server) as raw:
        assert raw.code() == 220
        for line, code in zip(lines, codes, strict=True):
            raw.send(line + b"\r\n")
            assert raw.code() == code, line
        raw.send(b"QUIT\r\n")
        assert raw.code() == 221


def test_garbage_ends_and_spoils_nothing(open_server):
    noise = random.Random(7)
    for _ in range(30):
        with Raw(open_server) as raw:
            try:
                raw.send(b"EHLO me\r\n" + noise.randbytes(noise.randrange(1, 50000)) + b"\r\n")
                raw.socket.shutdown(socket.SHUT_WR)
                while raw.code():
                    pass
            except ValueError:
                pass
            except OSError as ended:
                # The server has hung up; a time-out would be a failure.
                if not isinstance(ended, ConnectionError) and ended.errno != errno.ENOTCONN:
                    raise
    with Raw(open_server) as raw:
        raw.send(b"x" * 1_000_000 + b"\r\n")
        assert [raw.code(), raw.code()] == [220, 500]
    with connect(open_server) as client:
        assert client.send_message(message()) == {}


def test_wrong_commands_and_passwords_end_the_session(mail):
    with Raw(mail()) as raw:
        raw.send(b"FOO\r\n" * 30)
        codes = [raw.code() for _ in range(23)]
        assert codes == [220] + [500] * 20 + [421, 0]
    server = mail("--smtp-user", USER, "--smtp-password", PASSWORD)
    wrong = base64.b64encode(b"\0mailer\0wrong")
    with Raw(server) as raw:
        raw.send(b"EHLO me\r\n" + b"AUTH PLAIN " + wrong + b"\r\n" + b"AUTH PLAIN " + wrong + b"\r\n")
        raw.send(b"AUTH PLAIN " + wrong + b"\r\n")
        assert [raw.code() for _ in range(6)] == [220, 250, 535, 535, 535, 0]


def test_options_that_need_each_other_are_refused_alone(tmp_path):
    import subprocess

    for options in (["--smtp-user", "x"], ["--smtp-password", "x"], ["--smtp-certificate", "x"], ["--smtp-tls-required"]):
        done = subprocess.run(
            [os.environ["GAROA"], "serve", "--listen", "127.0.0.1:0", *options],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=tmp_path,
        )
        assert done.returncode == 2 and "required" in done.stderr, options
