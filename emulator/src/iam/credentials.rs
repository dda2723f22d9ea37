//! Temporary credentials that the server need not remember: the token carries the session, and a key proves it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::iam::principal::{ACCOUNT_DIGITS, Principal, is_account};
use crate::sigv4::{Dialect, hmac_sha256};
use crate::{Error, Result, Timestamp};

/// The longest session token in characters. AWS promises no limit and stays around 1 KiB; this leaves room for
/// session policies of 2,048 characters each for the inline one and a few managed ones, and fits into any HTTP server's headers.
pub const MAX_TOKEN: usize = 16 * 1024;

/// What a session token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who the credentials make their holder.
    pub principal: Principal,
    /// The role that was assumed.
    pub role_arn: String,
    /// The name that the caller gave the session.
    pub session_name: String,
    /// When the credentials were issued: `aws:TokenIssueTime`.
    pub issued: Timestamp,
    /// When they stop working.
    pub expires: Timestamp,
    /// The texts of the session policies; the session is limited to what they allow together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub session_policies: Vec<String>,
    /// `SourceIdentity`: `aws:SourceIdentity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// Session tags: `aws:PrincipalTag/…`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The keys of the tags that further sessions inherit, in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitive: Vec<String>,
    /// When an MFA device was asked, where one was: `aws:MultiFactorAuthAge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<Timestamp>,
}

/// What `AssumeRole` answers with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// `ASIA…`, 20 characters.
    pub access_key_id: String,
    /// 40 characters.
    pub secret_access_key: String,
    /// The session, and the proof that this server wrote it.
    pub session_token: String,
    /// When the credentials stop working.
    pub expiration: Timestamp,
}

/// Shows no secrets, so that a debug line in a log cannot leak them.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("expiration", &self.expiration)
            .finish_non_exhaustive()
    }
}

/// Issues credentials for a session. `unique` comes from the world's generator of ids: it tells the credentials of one
/// account apart, and its lowest 39 bits count.
///
/// # Errors
/// `PackedPolicyTooLarge` where session policies and tags make the token longer than [`MAX_TOKEN`].
pub fn issue(server_key: &[u8], session: &Session, unique: u64) -> Result<Credentials> {
    let account = session.principal.account().ok_or_else(|| Error::internal("a session needs an account"))?;
    let access_key_id = access_key_id("ASIA", account, unique)
        .ok_or_else(|| Error::internal(format!("{account} is not an account id")))?;
    let text = serde_json::to_vec(session).map_err(Error::internal)?;
    let payload = URL_SAFE_NO_PAD.encode(text);
    let proof = proof(server_key, &access_key_id, &payload);
    let session_token = format!("{payload}.{}", URL_SAFE_NO_PAD.encode(proof));
    if session_token.len() > MAX_TOKEN {
        let percent = session_token.len() * 100 / MAX_TOKEN;
        let message = format!("Packed policy consumes {percent}% of allotted space, please use smaller policy.");
        return Err(Error::client("PackedPolicyTooLarge", message));
    }
    let secret_access_key = secret(server_key, &access_key_id);
    Ok(Credentials { access_key_id, secret_access_key, session_token, expiration: session.expires })
}

/// Reads a token back, if this server wrote it for this access key and its time is not over.
///
/// # Errors
/// `ExpiredToken` and its kin; `InvalidToken`, `InvalidClientTokenId` or `UnrecognizedClientException`, as the dialect has them.
pub fn open(server_key: &[u8], access_key: &str, token: &str, now: Timestamp, dialect: Dialect) -> Result<Session> {
    let invalid = || dialect.invalid_token(token.get(..token.len().min(MAX_TOKEN)).unwrap_or_default());
    if token.len() > MAX_TOKEN {
        return Err(invalid());
    }
    let (payload, given) = token.split_once('.').ok_or_else(invalid)?;
    let given = URL_SAFE_NO_PAD.decode(given).map_err(|_| invalid())?;
    if !bool::from(proof(server_key, access_key, payload).as_slice().ct_eq(&given)) {
        return Err(invalid());
    }
    let text = URL_SAFE_NO_PAD.decode(payload).map_err(|_| invalid())?;
    let session: Session = serde_json::from_slice(&text).map_err(|_| invalid())?;
    if session.expires <= now { Err(dialect.expired_token(token)) } else { Ok(session) }
}

/// The secret of an access key that [`issue`] made up. Whether it was ever issued, only its token proves.
pub fn secret(server_key: &[u8], access_key_id: &str) -> String {
    let mac = hmac_sha256(server_key, format!("secret\n{access_key_id}").as_bytes());
    // 30 bytes are 40 characters, as long as AWS's secrets.
    STANDARD.encode(mac.get(..30).unwrap_or(&mac))
}

fn proof(server_key: &[u8], access_key_id: &str, payload: &str) -> [u8; 32] {
    hmac_sha256(server_key, format!("token\n{access_key_id}\n{payload}").as_bytes())
}

/// Base32's alphabet, in which AWS writes its ids.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// An access key id without its prefix of four: 80 bits.
const ID_CHARS: usize = 16;
/// The bits after the account.
const UNIQUE_BITS: u32 = 39;
/// The bits of the account.
const ACCOUNT_BITS: u32 = 40;

/// An access key id that carries its account as AWS's do: after the prefix one bit that is set, 40 bits of account, and
/// 39 that tell keys apart. `prefix` is `AKIA` or `ASIA`. None where the account is no account id.
pub fn access_key_id(prefix: &str, account: &str, unique: u64) -> Option<String> {
    let number: u64 = Some(account).filter(|text| is_account(text))?.parse().ok()?;
    let unique = u128::from(unique) & ((1 << UNIQUE_BITS) - 1);
    let bits = 1 << (ACCOUNT_BITS + UNIQUE_BITS) | u128::from(number) << UNIQUE_BITS | unique;
    let letter = |at: usize| {
        let five = (bits >> (5 * (ID_CHARS - 1 - at))) & 31;
        ALPHABET.get(usize::try_from(five).unwrap_or(0)).map_or('A', |byte| char::from(*byte))
    };
    Some(prefix.chars().chain((0..ID_CHARS).map(letter)).collect())
}

/// The account in an access key id, for `sts:GetAccessKeyInfo`; none for keys of before 2019, which carry none.
pub fn account_of(access_key_id: &str) -> Option<String> {
    let id = access_key_id.get(4..4 + ID_CHARS)?;
    let bits = id.bytes().try_fold(0u128, |bits, byte| {
        let five = ALPHABET.iter().position(|letter| *letter == byte)?;
        Some(bits << 5 | u128::try_from(five).ok()?)
    })?;
    let number = bits >> UNIQUE_BITS & ((1 << ACCOUNT_BITS) - 1);
    let account = format!("{number:0ACCOUNT_DIGITS$}");
    (bits >> (ACCOUNT_BITS + UNIQUE_BITS) == 1 && is_account(&account)).then_some(account)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn session() -> Session {
        Session {
            principal: Principal::AssumedRole {
                account: "123456789012".into(),
                role_name: "r".into(),
                role_path: "/".into(),
                role_id: "AROAEXAMPLE".into(),
                session_name: "s".into(),
            },
            role_arn: "arn:aws:iam::123456789012:role/r".into(),
            session_name: "s".into(),
            issued: Timestamp::from_secs(1_000),
            expires: Timestamp::from_secs(4_600),
            session_policies: vec!["{}".into()],
            source_identity: None,
            tags: BTreeMap::from([("team".into(), "red".into())]),
            transitive: Vec::new(),
            mfa: None,
        }
    }

    #[test]
    fn account_ids_published_with_their_keys() {
        // https://awsteele.com/blog/2020/09/26/aws-access-key-format.html
        assert_eq!(account_of("ASIAY34FZKBOKMUTVV7A").unwrap(), "609629065308");
        assert_eq!(account_of("AKIAIOSFODNN7EXAMPLE"), None);
        assert_eq!(account_of("ASIA"), None);
        assert_eq!(account_of("ASIA01890189018901é8"), None);
        assert_eq!(access_key_id("ASIA", "12", 1), None);
    }

    #[test]
    fn a_token_opens_for_its_key_until_it_expires() {
        let key = b"server";
        let credentials = issue(key, &session(), 7).unwrap();
        assert_eq!(credentials.access_key_id.len(), 20);
        assert_eq!(credentials.secret_access_key.len(), 40);
        assert_eq!(credentials.secret_access_key, secret(key, &credentials.access_key_id));
        let try_open = |key: &[u8], id: &str, token: &str, at: i64, dialect| {
            open(key, id, token, Timestamp::from_secs(at), dialect).map_err(|e| (e.code().to_owned(), e.status()))
        };
        let (id, token) = (credentials.access_key_id.as_str(), credentials.session_token.as_str());
        let json = Dialect::Json { rest: false };
        assert_eq!(try_open(key, id, token, 4_599, Dialect::S3).unwrap(), session());
        let expired = |dialect| try_open(key, id, token, 4_600, dialect).unwrap_err();
        assert_eq!(expired(Dialect::S3), ("ExpiredToken".into(), 400));
        assert_eq!(expired(Dialect::Query), ("ExpiredToken".into(), 403));
        assert_eq!(expired(json), ("ExpiredTokenException".into(), 400));
        let other = access_key_id("ASIA", "123456789012", 8).unwrap();
        assert_eq!(try_open(key, &other, token, 0, Dialect::Query).unwrap_err().0, "InvalidClientTokenId");
        assert_eq!(try_open(b"else", id, token, 0, json).unwrap_err().0, "UnrecognizedClientException");
        let forged = token.replacen("ey", "eY", 1);
        assert_eq!(try_open(key, id, &forged, 0, Dialect::S3).unwrap_err(), ("InvalidToken".into(), 400));
    }

    #[test]
    fn a_session_that_does_not_fit_is_refused() {
        let mut large = session();
        large.session_policies = vec!["x".repeat(MAX_TOKEN)];
        assert_eq!(issue(b"k", &large, 1).unwrap_err().code(), "PackedPolicyTooLarge");
        let roomy = Session { session_policies: vec!["x".repeat(2_048); 4], ..session() };
        assert!(issue(b"k", &roomy, 1).is_ok());
    }

    #[test]
    fn debug_shows_no_secret() {
        let credentials = issue(b"k", &session(), 1).unwrap();
        let text = format!("{credentials:?}");
        assert!(!text.contains(&credentials.secret_access_key) && !text.contains(&credentials.session_token));
    }

    proptest! {
        #[test]
        fn key_ids_carry_any_account(number in 0u64..1_000_000_000_000, unique in any::<u64>()) {
            let account = format!("{number:012}");
            let id = access_key_id("ASIA", &account, unique).unwrap();
            prop_assert_eq!(account_of(&id), Some(account));
        }

        #[test]
        fn any_token_is_refused_without_panic(token in ".{0,80}", id in ".{0,30}") {
            prop_assert!(open(b"k", &id, &token, Timestamp::from_secs(0), Dialect::S3).is_err());
            account_of(&id);
        }
    }
}
