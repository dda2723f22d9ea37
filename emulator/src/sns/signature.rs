//! Signatures of messages, by which receivers over HTTP know that SNS sent them.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use num_bigint::BigUint;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::envelope;
use super::message::Message;
use super::signing_key::{CERTIFICATE, COEFFICIENT, EXPONENT_1, EXPONENT_2, PRIME_1, PRIME_2};

/// Where the certificate is served. At AWS the name has no folder.
pub(crate) const CERTIFICATE_PATH: &str = "/_aws/sns/SimpleNotificationService-6761726f61736e736761726f61736e73.pem";
/// How many bytes a signature has: 2048 bits.
const LENGTH: usize = 256;
/// What stands before the digest: RFC 8017, section 9.2.
const SHA_1: [u8; 15] = [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
const SHA_256: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// `Signature` of a message, in base64.
pub(super) fn sign(message: &Message) -> String {
    let text = text_to_sign(message);
    let digest = match message.signature_version.as_str() {
        "2" => [SHA_256.as_slice(), &Sha256::digest(text)].concat(),
        _ => [SHA_1.as_slice(), &Sha1::digest(text)].concat(),
    };
    let padding = LENGTH.saturating_sub(digest.len() + 3);
    let mut padded = vec![0, 1];
    padded.resize(padding + 2, 0xff);
    padded.push(0);
    padded.extend(digest);
    let mut signature = key().sign(&BigUint::from_bytes_be(&padded)).to_bytes_be();
    while signature.len() < LENGTH {
        signature.insert(0, 0);
    }
    STANDARD.encode(signature)
}

/// `SigningCertURL`.
pub(super) fn certificate_url(message: &Message) -> String {
    format!("{}{CERTIFICATE_PATH}", message.base)
}

/// The certificate, as it is served.
pub(crate) fn certificate() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(CERTIFICATE.as_bytes()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-pem-file"));
    response
}

/// The members that are signed, in their order, each name and each value on a line.
fn text_to_sign(message: &Message) -> String {
    let mut members = vec![("Message", message.text.as_str()), ("MessageId", message.id.as_str())];
    let url;
    match message.kind.token() {
        None => {
            members.extend(message.subject.as_deref().map(|subject| ("Subject", subject)));
            members.push(("Timestamp", message.timestamp.as_str()));
        }
        Some(token) => {
            url = envelope::subscribe_url(message, token);
            members.extend([
                ("SubscribeURL", url.as_str()),
                ("Timestamp", message.timestamp.as_str()),
                ("Token", token),
            ]);
        }
    }
    members.extend([("TopicArn", message.topic.as_str()), ("Type", envelope::kind(message))]);
    members.into_iter().map(|(name, value)| format!("{name}\n{value}\n")).collect()
}

struct Key {
    primes: [BigUint; 2],
    exponents: [BigUint; 2],
    coefficient: BigUint,
}

fn key() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    let number = |digits: &str| BigUint::parse_bytes(digits.as_bytes(), 16).unwrap_or_default();
    KEY.get_or_init(|| Key {
        primes: [number(PRIME_1), number(PRIME_2)],
        exponents: [number(EXPONENT_1), number(EXPONENT_2)],
        coefficient: number(COEFFICIENT),
    })
}

impl Key {
    /// By the Chinese remainder theorem, which takes a quarter of the time: RFC 8017, section 5.1.2.
    fn sign(&self, message: &BigUint) -> BigUint {
        let [p, q] = &self.primes;
        let [by_p, by_q] = &self.exponents;
        let (first, second) = (message.modpow(by_p, p), message.modpow(by_q, q));
        let apart = (&first + p - (&second % p)) % p;
        let factor = (apart * &self.coefficient) % p;
        second + factor * q
    }
}
