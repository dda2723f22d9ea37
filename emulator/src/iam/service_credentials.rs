//! Credentials of users for single services, which are no access keys.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html>

use serde::{Deserialize, Serialize};

use super::directory::{Directory, Kind, ServiceCredential, no_such_entity, quota};
use super::shapes::Empty;
use super::users::name_or_caller;
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

/// The services that know such credentials.
const SERVICES: [&str; 2] = ["codecommit.amazonaws.com", "cassandra.amazonaws.com"];
/// A user has so many for one service.
const LIMIT: usize = 2;
/// Characters of a password.
const PASSWORD: usize = 44;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    pub user_name: String,
    service_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    pub user_name: Option<String>,
    service_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfCredential {
    pub user_name: Option<String>,
    service_specific_credential_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    pub user_name: Option<String>,
    service_specific_credential_id: String,
    status: String,
}

/// `ServiceSpecificCredential` and its metadata: only the first has a password.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shape {
    create_date: Timestamp,
    service_name: String,
    service_user_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_password: Option<String>,
    service_specific_credential_id: String,
    user_name: String,
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Answer {
    service_specific_credential: Shape,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    service_specific_credentials: Vec<Shape>,
}

fn shape(user: &str, id: &str, credential: &ServiceCredential, password: Option<String>) -> Shape {
    Shape {
        create_date: credential.created,
        service_name: credential.service.clone(),
        service_user_name: credential.user_name.clone(),
        service_password: password,
        service_specific_credential_id: id.to_owned(),
        user_name: user.to_owned(),
        status: if credential.active { "Active" } else { "Inactive" },
    }
}

fn check_service(name: &str) -> Result<()> {
    if SERVICES.contains(&name) {
        return Ok(());
    }
    Err(no_such_entity(format!("No such service {name} is supported for Service Specific Credentials")))
}

/// The password is given out once and kept nowhere, for nothing here asks for it.
pub(super) fn create(cx: &mut Cx<Directory>, input: Create) -> Result<Answer> {
    let account = cx.scope.account.clone();
    let user = cx.state.user(&account, &input.user_name).ok_or_else(|| Kind::User.missing(&input.user_name))?;
    check_service(&input.service_name)?;
    let of_service = user.credentials.values().filter(|one| one.service == input.service_name).count();
    if of_service >= LIMIT {
        return Err(quota("ServiceSpecificCredentialsPerUser", LIMIT));
    }
    let first = of_service == 0;
    let user_name = format!("{}{}-at-{account}", input.user_name, if first { "" } else { "+1" });
    let (id, password) = (format!("ACCA{}", cx.ids().upper(17)), cx.ids().mixed(PASSWORD));
    let credential = ServiceCredential { service: input.service_name, user_name, active: true, created: cx.now };
    let answer = shape(&input.user_name, &id, &credential, Some(password));
    cx.state.user_mut(&account, &input.user_name)?.credentials.insert(id, credential);
    Ok(Answer { service_specific_credential: answer })
}

pub(super) fn list(cx: &mut Cx<Directory>, input: List) -> Result<Listed> {
    let name = name_or_caller(cx, input.user_name)?;
    let user = cx.state.user(&cx.scope.account, &name).ok_or_else(|| Kind::User.missing(&name))?;
    if let Some(service) = &input.service_name {
        check_service(service)?;
    }
    let wanted = |one: &ServiceCredential| input.service_name.as_ref().is_none_or(|service| *service == one.service);
    let found = user.credentials.iter().filter(|(_, one)| wanted(one));
    Ok(Listed { service_specific_credentials: found.map(|(id, one)| shape(&name, id, one, None)).collect() })
}

/// The credential of an id, which must be the user's.
fn find_mut<'a>(
    cx: &'a mut Cx<Directory>,
    user: Option<String>,
    id: &str,
) -> Result<(String, &'a mut ServiceCredential)> {
    let name = name_or_caller(cx, user)?;
    let account = cx.scope.account.clone();
    let user = cx.state.user_mut(&account, &name)?;
    let found = user.credentials.get_mut(id).ok_or_else(|| no_credential(id))?;
    Ok((name, found))
}

fn no_credential(id: &str) -> Error {
    no_such_entity(format!("No such credential {id} exists"))
}

pub(super) fn update(cx: &mut Cx<Directory>, input: Update) -> Result<Empty> {
    let active = match input.status.as_str() {
        "Active" => true,
        "Inactive" => false,
        other => return Err(Error::not_implemented(format!("the status {other} of service-specific credentials"))),
    };
    find_mut(cx, input.user_name, &input.service_specific_credential_id)?.1.active = active;
    Ok(Empty {})
}

pub(super) fn reset(cx: &mut Cx<Directory>, input: OfCredential) -> Result<Answer> {
    let password = cx.ids().mixed(PASSWORD);
    let id = input.service_specific_credential_id;
    let (name, credential) = find_mut(cx, input.user_name, &id)?;
    Ok(Answer { service_specific_credential: shape(&name, &id, credential, Some(password)) })
}

pub(super) fn delete(cx: &mut Cx<Directory>, input: OfCredential) -> Result<Empty> {
    let name = name_or_caller(cx, input.user_name)?;
    let account = cx.scope.account.clone();
    let user = cx.state.user_mut(&account, &name)?;
    let id = input.service_specific_credential_id;
    user.credentials.remove(&id).map(drop).ok_or_else(|| no_credential(&id))?;
    Ok(Empty {})
}
