//! Signing certificates of users. They are kept and told.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSigningCertificate.html>

use serde::{Deserialize, Serialize};

use super::directory::{Directory, Kind, no_such_entity, quota};
use super::pem;
use super::service::maybe;
use super::shapes::{Empty, Rest, page};
use super::users::{ListOfUser, name_or_caller};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// A user has so many.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(super) const MAX_CERTIFICATES: usize = 2;
/// Characters of an id.
const ID: usize = 32;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Directory>) -> Service<Directory> {
    service
        .op("UploadSigningCertificate", |at, i: &Upload| maybe(at, &i.user_name), upload)
        .op("ListSigningCertificates", |at, i: &ListOfUser| maybe(at, &i.user_name), list)
        .op("UpdateSigningCertificate", |at, i: &Update| maybe(at, &i.user_name), update)
        .op("DeleteSigningCertificate", |at, i: &Of| maybe(at, &i.user_name), delete)
}

/// A certificate; its id is the key of the map.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Certificate {
    body: String,
    active: bool,
    uploaded: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    user_name: Option<String>,
    certificate_body: String,
}

/// `SigningCertificate` of the IAM API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shape {
    user_name: String,
    certificate_id: String,
    certificate_body: String,
    status: &'static str,
    upload_date: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    certificate: Shape,
}

fn shape(user: &str, id: &str, certificate: &Certificate) -> Shape {
    Shape {
        user_name: user.to_owned(),
        certificate_id: id.to_owned(),
        certificate_body: certificate.body.clone(),
        status: if certificate.active { "Active" } else { "Inactive" },
        upload_date: certificate.uploaded,
    }
}

fn upload(cx: &mut Cx<Directory>, input: Upload) -> Result<Answer> {
    let name = name_or_caller(cx, input.user_name)?;
    let (id, uploaded, account) = (cx.ids().upper(ID), cx.now, cx.scope.account.clone());
    let user = cx.state.user_mut(&account, &name)?;
    pem::expiration(&input.certificate_body)?;
    if user.certificates.values().any(|known| known.body.trim() == input.certificate_body.trim()) {
        return Err(Error::new(409, "DuplicateCertificate", "The specified certificate already exists for this user."));
    }
    if user.certificates.len() >= MAX_CERTIFICATES {
        return Err(quota("CertificatesPerUser", MAX_CERTIFICATES));
    }
    let certificate = Certificate { body: input.certificate_body, active: true, uploaded };
    let answer = Answer { certificate: shape(&user.entity.name, &id, &certificate) };
    user.certificates.insert(id, certificate);
    Ok(answer)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    certificates: Vec<Shape>,
    #[serde(flatten)]
    rest: Rest,
}

fn list(cx: &mut Cx<Directory>, input: ListOfUser) -> Result<Listed> {
    let name = name_or_caller(cx, input.user_name)?;
    let user = cx.state.user(&cx.scope.account, &name).ok_or_else(|| Kind::User.missing(&name))?;
    let all = user.certificates.iter().map(|(id, one)| (id.clone(), shape(&user.entity.name, id, one)));
    let (certificates, rest) = page(all, input.marker, input.max_items)?;
    Ok(Listed { certificates, rest })
}

fn missing(id: &str) -> Error {
    no_such_entity(format!("The Certificate with id {id} cannot be found."))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    user_name: Option<String>,
    certificate_id: String,
    status: String,
}

fn update(cx: &mut Cx<Directory>, input: Update) -> Result<Empty> {
    let name = name_or_caller(cx, input.user_name)?;
    let user = cx.state.user_mut(&cx.scope.account, &name)?;
    let found = user.certificates.get_mut(&input.certificate_id).ok_or_else(|| missing(&input.certificate_id))?;
    found.active = input.status == "Active";
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Of {
    user_name: Option<String>,
    certificate_id: String,
}

fn delete(cx: &mut Cx<Directory>, input: Of) -> Result<Empty> {
    let name = name_or_caller(cx, input.user_name)?;
    let user = cx.state.user_mut(&cx.scope.account, &name)?;
    user.certificates.remove(&input.certificate_id).map(|_| Empty {}).ok_or_else(|| missing(&input.certificate_id))
}
