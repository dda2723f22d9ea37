//! Custom domain names and their base path mappings, by which the data plane finds APIs: `execute_api/domains.rs`.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::errors::{bad, conflict, not_found};
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::state::EndpointConfiguration;
use super::{RestApis, on};
use crate::cloud::{At, Cx, Service, Target};
use crate::execute_api::domains::{HasDomains, Mapped};
use crate::{Error, Result};

/// How AWS writes the base path of a mapping that has none.
const NONE: &str = "(none)";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateDomainName", |at, _: &CreateDomainName| on(at, "POST", "/domainnames"), create)
        .op("GetDomainName", |at, i: &OfDomain| one(at, "GET", &i.domain_name), get)
        .op("GetDomainNames", |at, _: &GetDomainNames| on(at, "GET", "/domainnames"), list)
        .op("UpdateDomainName", |at, i: &UpdateDomainName| one(at, "PATCH", &i.domain_name), update)
        .op("DeleteDomainName", |at, i: &OfDomain| one(at, "DELETE", &i.domain_name), delete)
        .op("CreateBasePathMapping", |at, i: &CreateMapping| one(at, "POST", &i.domain_name), create_mapping)
        .op("GetBasePathMapping", |at, i: &OfMapping| one(at, "GET", &i.domain_name), get_mapping)
        .op("GetBasePathMappings", |at, i: &GetMappings| one(at, "GET", &i.domain_name), list_mappings)
        .op("UpdateBasePathMapping", |at, i: &UpdateMapping| one(at, "PATCH", &i.domain_name), update_mapping)
        .op("DeleteBasePathMapping", |at, i: &OfMapping| one(at, "DELETE", &i.domain_name), delete_mapping)
}

fn one(at: &At<RestApis>, verb: &'static str, name: &str) -> Target {
    on(at, verb, format_args!("/domainnames/{name}"))
}

/// `DomainName` of the API Gateway API, with its mappings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Domain {
    domain_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regional_certificate_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regional_certificate_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regional_domain_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distribution_domain_name: Option<String>,
    domain_name_status: String,
    endpoint_configuration: EndpointConfiguration,
    security_policy: String,
    pub tags: OrdMap<String, String>,
    /// By base path.
    mappings: OrdMap<String, Mapping>,
}

/// `BasePathMapping` of the API Gateway API.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mapping {
    base_path: String,
    rest_api_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<String>,
}

impl HasDomains for RestApis {
    fn mapped(&self, name: &str) -> Option<Vec<Mapped>> {
        let mapped = self.domains.get(name)?.mappings.values().map(|mapping| Mapped {
            base: Some(mapping.base_path.clone()).filter(|base| base != NONE).unwrap_or_default(),
            api: mapping.rest_api_id.clone(),
            stage: mapping.stage.clone().filter(|stage| stage != NONE),
        });
        Some(mapped.collect())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateDomainName {
    domain_name: String,
    certificate_name: Option<String>,
    certificate_arn: Option<String>,
    regional_certificate_name: Option<String>,
    regional_certificate_arn: Option<String>,
    // Certificates are taken and not kept: nothing here ends a TLS connection.
    #[serde(rename = "certificateBody")]
    _certificate_body: Option<String>,
    #[serde(rename = "certificatePrivateKey")]
    _certificate_private_key: Option<String>,
    #[serde(rename = "certificateChain")]
    _certificate_chain: Option<String>,
    endpoint_configuration: Option<EndpointConfiguration>,
    security_policy: Option<String>,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

fn create(cx: &mut Cx<RestApis>, input: CreateDomainName) -> Result<Domain> {
    let (edge, regional) = (cx.ids().lower(13), cx.ids().lower(10));
    if input.domain_name.is_empty() {
        return Err(bad("No Domain Name specified"));
    }
    if cx.state.domains.contains_key(&input.domain_name) {
        return Err(bad("The domain name you provided already exists."));
    }
    let endpoint = input.endpoint_configuration.unwrap_or_default();
    let is_regional = endpoint.types.iter().any(|kind| kind == "REGIONAL");
    let types = if endpoint.types.is_empty() { vec!["EDGE".to_owned()] } else { endpoint.types };
    let domain = Domain {
        domain_name: input.domain_name.clone(),
        certificate_name: input.certificate_name,
        certificate_arn: input.certificate_arn,
        regional_certificate_name: input.regional_certificate_name,
        regional_certificate_arn: input.regional_certificate_arn,
        regional_domain_name: is_regional
            .then(|| format!("d-{regional}.execute-api.{}.amazonaws.com", cx.scope.region)),
        distribution_domain_name: (!is_regional).then(|| format!("d{edge}.cloudfront.net")),
        domain_name_status: "AVAILABLE".to_owned(),
        endpoint_configuration: EndpointConfiguration { types, ..endpoint },
        security_policy: input.security_policy.unwrap_or_else(|| "TLS_1_2".to_owned()),
        tags: input.tags,
        mappings: OrdMap::new(),
    };
    cx.state.domains.insert(input.domain_name, domain.clone());
    Ok(domain)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfDomain {
    domain_name: String,
}

fn missing() -> Error {
    not_found("Invalid domain name identifier specified")
}

fn get(cx: &mut Cx<RestApis>, input: OfDomain) -> Result<Domain> {
    cx.state.domains.get(&input.domain_name).cloned().ok_or_else(missing)
}

#[derive(Deserialize)]
struct GetDomainNames {
    position: Option<String>,
    limit: Option<i64>,
}

fn list(cx: &mut Cx<RestApis>, input: GetDomainNames) -> Result<Page<Domain>> {
    Ok(page(&cx.state.domains, input.position.as_ref(), input.limit, |domain| Some(domain.clone())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateDomainName {
    domain_name: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[
    rule("/certificateName", "replace", Kind::Text),
    rule("/certificateArn", "replace", Kind::Text),
    rule("/regionalCertificateName", "replace", Kind::Text),
    rule("/regionalCertificateArn", "replace", Kind::Text),
    rule("/securityPolicy", "replace", Kind::Text),
    rule("/endpointConfiguration/types/*", "add replace remove", Kind::Element),
];

fn update(cx: &mut Cx<RestApis>, input: UpdateDomainName) -> Result<Domain> {
    let domain = cx.state.domains.get_mut(&input.domain_name).ok_or_else(missing)?;
    *domain = patched(domain, &input.patch_operations, RULES, Wording::Plain)?;
    Ok(domain.clone())
}

fn delete(cx: &mut Cx<RestApis>, input: OfDomain) -> Result<()> {
    cx.state.domains.remove(&input.domain_name).map(|_| ()).ok_or_else(missing)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateMapping {
    domain_name: String,
    base_path: Option<String>,
    rest_api_id: String,
    stage: Option<String>,
}

fn named(base: Option<String>) -> String {
    base.filter(|base| !base.is_empty()).unwrap_or_else(|| NONE.to_owned())
}

fn create_mapping(cx: &mut Cx<RestApis>, input: CreateMapping) -> Result<Mapping> {
    let base_path = named(input.base_path);
    let mapping = Mapping { base_path: base_path.clone(), rest_api_id: input.rest_api_id, stage: input.stage };
    if base_path.contains('/') {
        return Err(bad(
            "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base path \
             mapping, use API Gateway V2.",
        ));
    }
    if !cx.state.domains.contains_key(&input.domain_name) {
        return Err(missing());
    }
    check(cx.state, &mapping)?;
    let domain = cx.state.domains.get_mut(&input.domain_name).ok_or_else(missing)?;
    if domain.mappings.contains_key(&base_path) {
        return Err(conflict("Base path already exists for this domain name"));
    }
    domain.mappings.insert(base_path, mapping.clone());
    Ok(mapping)
}

fn check(state: &RestApis, mapping: &Mapping) -> Result<()> {
    let api = state.apis.get(&mapping.rest_api_id).ok_or_else(|| bad("Invalid REST API identifier specified"))?;
    match &mapping.stage {
        Some(stage) if !api.stages.contains_key(stage) => Err(bad("Invalid stage identifier specified")),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfMapping {
    domain_name: String,
    base_path: String,
}

fn no_mapping() -> Error {
    not_found("Invalid base path mapping identifier specified")
}

fn get_mapping(cx: &mut Cx<RestApis>, input: OfMapping) -> Result<Mapping> {
    let domain = cx.state.domains.get(&input.domain_name).ok_or_else(missing)?;
    domain.mappings.get(&input.base_path).cloned().ok_or_else(no_mapping)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetMappings {
    domain_name: String,
    position: Option<String>,
    limit: Option<i64>,
}

fn list_mappings(cx: &mut Cx<RestApis>, input: GetMappings) -> Result<Page<Mapping>> {
    let domain = cx.state.domains.get(&input.domain_name).ok_or_else(missing)?;
    Ok(page(&domain.mappings, input.position.as_ref(), input.limit, |mapping| Some(mapping.clone())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateMapping {
    domain_name: String,
    base_path: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const MAPPING_RULES: &[Rule] = &[
    rule("/basePath", "replace", Kind::Text),
    rule("/restapiId", "replace", Kind::Text),
    rule("/restApiId", "replace", Kind::Text),
    rule("/stage", "replace", Kind::Text),
];

fn update_mapping(cx: &mut Cx<RestApis>, input: UpdateMapping) -> Result<Mapping> {
    let domain = cx.state.domains.get(&input.domain_name).ok_or_else(missing)?;
    let old = domain.mappings.get(&input.base_path).ok_or_else(no_mapping)?;
    // AWS's documentation writes `restapiId`.
    let spelled = input.patch_operations.into_iter().map(|operation| PatchOperation {
        path: operation.path.map(|path| if path == "/restapiId" { "/restApiId".to_owned() } else { path }),
        ..operation
    });
    let mut new: Mapping = patched(old, &spelled.collect::<Vec<_>>(), MAPPING_RULES, Wording::Plain)?;
    new.base_path = named(Some(new.base_path));
    new.stage = new.stage.filter(|stage| !stage.is_empty());
    check(cx.state, &new)?;
    let domain = cx.state.domains.get_mut(&input.domain_name).ok_or_else(missing)?;
    domain.mappings.remove(&input.base_path);
    domain.mappings.insert(new.base_path.clone(), new.clone());
    Ok(new)
}

fn delete_mapping(cx: &mut Cx<RestApis>, input: OfMapping) -> Result<()> {
    let domain = cx.state.domains.get_mut(&input.domain_name).ok_or_else(missing)?;
    domain.mappings.remove(&input.base_path).map(|_| ()).ok_or_else(no_mapping)
}
