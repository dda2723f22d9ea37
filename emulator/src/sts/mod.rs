//! AWS STS: temporary credentials, and who one is.
//!
//! What identity providers vouch for is read and believed: their keys stand in the internet, or in documents that nobody
//! checks here, as signatures with access keys that Garoa did not issue are believed.

mod assume;
mod federation;
mod mfa;
mod saml;
mod session;
mod vouched;
mod web_identity;

use serde::{Deserialize, Serialize};

use crate::cloud::{Cx, Service, Target};
use crate::iam::credentials::{self, Credentials, Session};
use crate::iam::principal::Principal;
use crate::{Error, Result, Timestamp};

/// How long `GetSessionToken` and `GetFederationToken` are good for, in seconds: for a user unless told otherwise, and for a
/// root at most.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
const SESSION_OF_USER: u32 = 43_200;
const SESSION_OF_ROOT: u32 = 3_600;
/// What the ids of temporary access keys begin with.
const TEMPORARY: &str = "ASIA";

/// The operations that need no signature: their tokens say who asks.
pub(crate) const UNSIGNED: [&str; 2] = ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"];

/// STS keeps nothing: its tokens carry what they stand for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tokens {}

/// The service and its operations.
pub fn service() -> Service<Tokens> {
    Service::new("sts")
        .op("AssumeRole", assume::target, assume::assume_role)
        .op("AssumeRoleWithSAML", saml::target, saml::assume)
        .op("AssumeRoleWithWebIdentity", web_identity::target, web_identity::assume)
        .op("GetCallerIdentity", |_, _| Target::open(), get_caller_identity)
        .op("GetSessionToken", |_, _| Target::open(), get_session_token)
        .op("GetFederationToken", federation::target, federation::get_federation_token)
        .op("GetAccessKeyInfo", |_, _| Target::any(), get_access_key_info)
        .op("DecodeAuthorizationMessage", |_, _| Target::any(), decode)
}

/// `Credentials` of the STS API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialsShape {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: Timestamp,
}

impl From<Credentials> for CredentialsShape {
    fn from(credentials: Credentials) -> Self {
        Self {
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key,
            session_token: credentials.session_token,
            expiration: credentials.expiration,
        }
    }
}

#[derive(Deserialize)]
struct GetCallerIdentity {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetCallerIdentityAnswer {
    user_id: String,
    account: String,
    arn: String,
}

fn get_caller_identity(cx: &mut Cx<Tokens>, _: GetCallerIdentity) -> Result<GetCallerIdentityAnswer> {
    let principal = &cx.caller.principal;
    let account = principal.account().ok_or_else(unsigned)?.to_owned();
    Ok(GetCallerIdentityAnswer { user_id: principal.user_id(), account, arn: principal.arn() })
}

fn unsigned() -> Error {
    Error::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSessionToken {
    duration_seconds: Option<u32>,
    serial_number: Option<String>,
    token_code: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetSessionTokenAnswer {
    credentials: CredentialsShape,
}

fn get_session_token(cx: &mut Cx<Tokens>, input: GetSessionToken) -> Result<GetSessionTokenAnswer> {
    let seconds = seconds(cx, "GetSessionToken", input.duration_seconds)?;
    let mfa = mfa::asked(cx, input.serial_number.as_deref(), input.token_code.as_deref())?;
    let session = Session {
        principal: cx.caller.principal.clone(),
        role_arn: String::new(),
        session_name: String::new(),
        issued: cx.now,
        expires: cx.now + std::time::Duration::from_secs(seconds.into()),
        session_policies: Vec::new(),
        source_identity: None,
        tags: Default::default(),
        transitive: Vec::new(),
        mfa,
    };
    let credentials = issue(cx, &session)?;
    Ok(GetSessionTokenAnswer { credentials })
}

/// How long the credentials are good for that a user, or a root, asks for with credentials that last.
fn seconds(cx: &Cx<Tokens>, operation: &str, wanted: Option<u32>) -> Result<u32> {
    let temporary = cx.caller.access_key.as_deref().is_some_and(|id| id.starts_with(TEMPORARY));
    let longest = match &cx.caller.principal {
        Principal::AccountRoot { .. } if !temporary => SESSION_OF_ROOT,
        Principal::User { .. } if !temporary => u32::MAX,
        Principal::Service(_) | Principal::Federated(_) | Principal::Anonymous => return Err(unsigned()),
        _ => {
            let text = format!("Cannot call {operation} with session credentials");
            return Err(Error::new(403, "AccessDenied", text));
        }
    };
    Ok(wanted.unwrap_or(SESSION_OF_USER).min(longest))
}

/// Issues credentials that differ from all others of the account.
fn issue(cx: &mut Cx<Tokens>, session: &Session) -> Result<CredentialsShape> {
    let unique = u64::from_be_bytes(cx.ids().bytes());
    cx.access().issue(session, unique).map(Into::into)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetAccessKeyInfo {
    access_key_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetAccessKeyInfoAnswer {
    account: String,
}

fn get_access_key_info(_: &mut Cx<Tokens>, input: GetAccessKeyInfo) -> Result<GetAccessKeyInfoAnswer> {
    let invalid = || Error::client("ValidationError", format!("{} is invalid", input.access_key_id));
    Ok(GetAccessKeyInfoAnswer { account: credentials::account_of(&input.access_key_id).ok_or_else(invalid)? })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encoded {
    /// Whatever it says, it was not encoded here.
    #[serde(rename = "EncodedMessage")]
    _message: String,
}

/// Denials are told in clear here, so that there is no message that could be decoded.
fn decode(_: &mut Cx<Tokens>, _: Encoded) -> Result<()> {
    Err(Error::client("InvalidAuthorizationMessageException", "Message is not valid"))
}

#[cfg(test)]
mod tests;
