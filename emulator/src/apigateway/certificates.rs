//! Client certificates: made, and named by stages. No backend sees one, for there is no TLS to the outside.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/getting-started-client-side-ssl-authentication.html>

use imbl::OrdMap;
use rcgen::{CertificateParams, DnType, date_time_ymd};
use serde::{Deserialize, Serialize};

use super::errors::not_found;
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::{RestApis, on};
use crate::cloud::{At, Cx, Service, Target};
use crate::sinks::smtp::key_pair;
use crate::{Error, Result, Timestamp};

/// How long a certificate is good: 365 days.
const LIFETIME: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("GenerateClientCertificate", |at, _: &Generate| on(at, "POST", "/clientcertificates"), generate)
        .op("GetClientCertificate", |at, i: &OfCertificate| one(at, "GET", &i.client_certificate_id), get)
        .op("GetClientCertificates", |at, _: &GetCertificates| on(at, "GET", "/clientcertificates"), list)
        .op("UpdateClientCertificate", |at, i: &Update| one(at, "PATCH", &i.client_certificate_id), update)
        .op("DeleteClientCertificate", |at, i: &OfCertificate| one(at, "DELETE", &i.client_certificate_id), delete)
}

fn one(at: &At<RestApis>, verb: &'static str, id: &str) -> Target {
    on(at, verb, format_args!("/clientcertificates/{id}"))
}

/// `ClientCertificate` of the API Gateway API.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ClientCertificate {
    client_certificate_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    pem_encoded_certificate: String,
    created_date: Timestamp,
    expiration_date: Timestamp,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    pub tags: OrdMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generate {
    description: Option<String>,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

fn generate(cx: &mut Cx<RestApis>, input: Generate) -> Result<ClientCertificate> {
    let now = super::seconds(cx.now);
    let (id, secret) = (cx.ids().lower(6), cx.ids().bytes::<32>());
    let certificate = ClientCertificate {
        client_certificate_id: id.clone(),
        description: input.description,
        pem_encoded_certificate: made(&secret, now)?,
        created_date: now,
        expiration_date: now + LIFETIME,
        tags: input.tags,
    };
    cx.state.certificates.insert(id, certificate.clone());
    Ok(certificate)
}

/// A certificate that vouches for itself. AWS's has an RSA key; this one's follows from the run's seed, so that runs repeat.
fn made(secret: &[u8; 32], now: Timestamp) -> Result<String> {
    let mut params = CertificateParams::new(Vec::new()).map_err(Error::internal)?;
    params.distinguished_name.push(DnType::CommonName, "ApiGateway");
    let day = |time: Timestamp| {
        let date = time.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date();
        let small = |number: i8| u8::try_from(number).unwrap_or(1);
        date_time_ymd(i32::from(date.year()), small(date.month()), small(date.day()))
    };
    (params.not_before, params.not_after) = (day(now), day(now + LIFETIME));
    Ok(params.self_signed(&key_pair(secret)?).map_err(Error::internal)?.pem())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfCertificate {
    client_certificate_id: String,
}

fn missing() -> Error {
    not_found("Invalid Client Certificate identifier specified")
}

fn get(cx: &mut Cx<RestApis>, input: OfCertificate) -> Result<ClientCertificate> {
    cx.state.certificates.get(&input.client_certificate_id).cloned().ok_or_else(missing)
}

#[derive(Deserialize)]
struct GetCertificates {
    position: Option<String>,
    limit: Option<i64>,
}

fn list(cx: &mut Cx<RestApis>, input: GetCertificates) -> Result<Page<ClientCertificate>> {
    Ok(page(&cx.state.certificates, input.position.as_ref(), input.limit, |one| Some(one.clone())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    client_certificate_id: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[rule("/description", "replace", Kind::Text)];

fn update(cx: &mut Cx<RestApis>, input: Update) -> Result<ClientCertificate> {
    let certificate = cx.state.certificates.get_mut(&input.client_certificate_id).ok_or_else(missing)?;
    *certificate = patched(certificate, &input.patch_operations, RULES, Wording::Plain)?;
    Ok(certificate.clone())
}

fn delete(cx: &mut Cx<RestApis>, input: OfCertificate) -> Result<()> {
    cx.state.certificates.remove(&input.client_certificate_id).map(drop).ok_or_else(missing)
}
