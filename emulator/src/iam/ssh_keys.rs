//! SSH public keys of users. They are kept and told; there is no CodeCommit to sign in to.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSSHPublicKey.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::directory::{Directory, Kind, no_such_entity, quota};
use super::pem;
use super::service::{maybe, on};
use super::shapes::{Empty, Rest, page};
use super::users::{ListOfUser, name_or_caller};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// A user has so many.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const MAX_KEYS: usize = 5;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Directory>) -> Service<Directory> {
    service
        .op("UploadSSHPublicKey", |at, i: &Upload| on(at, Kind::User, &i.user_name), upload)
        .op("GetSSHPublicKey", |at, i: &Get| on(at, Kind::User, &i.user_name), get)
        .op("ListSSHPublicKeys", |at, i: &ListOfUser| maybe(at, &i.user_name), list)
        .op("UpdateSSHPublicKey", |at, i: &Update| on(at, Kind::User, &i.user_name), update)
        .op("DeleteSSHPublicKey", |at, i: &Of| on(at, Kind::User, &i.user_name), delete)
}

/// A key; its id is the key of the map.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PublicKey {
    body: String,
    fingerprint: String,
    active: bool,
    uploaded: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    user_name: String,
    #[serde(rename = "SSHPublicKeyBody")]
    body: String,
}

/// `SSHPublicKey` and `SSHPublicKeyMetadata` of the IAM API: only the first has body and fingerprint.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shape {
    user_name: String,
    #[serde(rename = "SSHPublicKeyId")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    #[serde(rename = "SSHPublicKeyBody", skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    status: &'static str,
    upload_date: Timestamp,
}

#[derive(Serialize)]
struct Answer {
    #[serde(rename = "SSHPublicKey")]
    key: Shape,
}

fn shape(user: &str, id: &str, key: &PublicKey, full: bool) -> Shape {
    Shape {
        user_name: user.to_owned(),
        id: id.to_owned(),
        fingerprint: full.then(|| key.fingerprint.clone()),
        body: full.then(|| key.body.clone()),
        status: if key.active { "Active" } else { "Inactive" },
        upload_date: key.uploaded,
    }
}

/// The bytes that a fingerprint is of: those of an `ssh-rsa` line, or of a PEM.
fn material(body: &str) -> Result<Vec<u8>> {
    let mut words = body.split_whitespace();
    let found = match words.next() {
        Some("ssh-rsa") => words.next().and_then(|letters| STANDARD.decode(letters).ok()),
        _ => pem::decode(body, "PUBLIC KEY"),
    };
    let text = "The public key encoding format is unsupported or unrecognized.";
    found.ok_or_else(|| Error::client("UnrecognizedPublicKeyEncoding", text))
}

fn upload(cx: &mut Cx<Directory>, input: Upload) -> Result<Answer> {
    let digest = md5_many::md5(&material(&input.body)?);
    let fingerprint = digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
    let id = format!("APKA{}", cx.ids().upper(16));
    let uploaded = cx.now;
    let account = cx.scope.account.clone();
    let user = cx.state.user_mut(&account, &input.user_name)?;
    if user.ssh_keys.values().any(|key| key.fingerprint == fingerprint) {
        return Err(Error::client(
            "DuplicateSSHPublicKey",
            "The specified SSH public key already exists for this user.",
        ));
    }
    if user.ssh_keys.len() >= MAX_KEYS {
        return Err(quota("SSHPublicKeysPerUser", MAX_KEYS));
    }
    let key = PublicKey { body: input.body, fingerprint, active: true, uploaded };
    let answer = Answer { key: shape(&user.entity.name, &id, &key, true) };
    user.ssh_keys.insert(id, key);
    Ok(answer)
}

fn missing(id: &str) -> Error {
    no_such_entity(format!("The Public Key with id {id} cannot be found."))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    user_name: String,
    #[serde(rename = "SSHPublicKeyId")]
    id: String,
    encoding: String,
}

fn get(cx: &mut Cx<Directory>, input: Get) -> Result<Answer> {
    let user = cx.state.user_mut(&cx.scope.account, &input.user_name)?;
    let key = user.ssh_keys.get(&input.id).ok_or_else(|| missing(&input.id))?;
    let is_line = key.body.trim_start().starts_with("ssh-");
    if is_line != (input.encoding == "SSH") {
        return Err(Error::not_implemented("SSH public keys in another encoding than they were uploaded in"));
    }
    Ok(Answer { key: shape(&user.entity.name, &input.id, key, true) })
}

#[derive(Serialize)]
struct Listed {
    #[serde(rename = "SSHPublicKeys")]
    keys: Vec<Shape>,
    #[serde(flatten)]
    rest: Rest,
}

fn list(cx: &mut Cx<Directory>, input: ListOfUser) -> Result<Listed> {
    let name = name_or_caller(cx, input.user_name)?;
    let user = cx.state.user(&cx.scope.account, &name).ok_or_else(|| Kind::User.missing(&name))?;
    let keys = user.ssh_keys.iter().map(|(id, key)| (id.clone(), shape(&user.entity.name, id, key, false)));
    let (keys, rest) = page(keys, input.marker, input.max_items)?;
    Ok(Listed { keys, rest })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    user_name: String,
    #[serde(rename = "SSHPublicKeyId")]
    id: String,
    status: String,
}

fn update(cx: &mut Cx<Directory>, input: Update) -> Result<Empty> {
    let user = cx.state.user_mut(&cx.scope.account, &input.user_name)?;
    user.ssh_keys.get_mut(&input.id).ok_or_else(|| missing(&input.id))?.active = input.status == "Active";
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Of {
    user_name: String,
    #[serde(rename = "SSHPublicKeyId")]
    id: String,
}

fn delete(cx: &mut Cx<Directory>, input: Of) -> Result<Empty> {
    let user = cx.state.user_mut(&cx.scope.account, &input.user_name)?;
    user.ssh_keys.remove(&input.id).map(|_| Empty {}).ok_or_else(|| missing(&input.id))
}
