//! Domain names of one's own, and their mappings, by which the data plane finds APIs: `execute_api/domains.rs`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{Asked, Page, page};
use super::part::{PART_ID, bad_request, changed, conflict, new_id};
use super::state::{ApiMapping, Domain, DomainName, Texts};
use super::{Apis, arn, tags};
use crate::cloud::{Answer, At, Cx, Question, Service, Step, Target};
use crate::execute_api::domains::{HasDomains, Mapped};
use crate::{Error, Result};

/// Domain names in an account and region at most, and mappings of one.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const DOMAIN_LIMIT: usize = 120;
const MAPPING_LIMIT: usize = 200;
/// How the key of a mapping that has none may be written.
const NONE: &str = "(none)";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Apis>) -> Service<Apis> {
    service
        .op("CreateDomainName", |at, _: &DomainName| arn::on(at, "POST", "domainnames"), create)
        .op("GetDomainNames", |at, _: &GetDomainNames| arn::on(at, "GET", "domainnames"), list)
        .op("GetDomainName", |at, i: &OfDomain| one(at, "GET", &i.domain_name), get)
        .op(
            "UpdateDomainName",
            |at, i: &DomainName| one(at, "PATCH", i.domain_name.as_deref().unwrap_or_default()),
            update,
        )
        .op("DeleteDomainName", |at, i: &OfDomain| one(at, "DELETE", &i.domain_name), delete)
        .waiting_op(
            "CreateApiMapping",
            |at, i: &ApiMapping| one(at, "POST", i.domain_name.as_deref().unwrap_or_default()),
            create_mapping,
        )
        .op("GetApiMappings", |at, i: &GetApiMappings| one(at, "GET", &i.domain_name), list_mappings)
        .op("GetApiMapping", |at, i: &OfMapping| one(at, "GET", &i.domain_name), get_mapping)
        .op(
            "UpdateApiMapping",
            |at, i: &ApiMapping| one(at, "PATCH", i.domain_name.as_deref().unwrap_or_default()),
            update_mapping,
        )
        .op("DeleteApiMapping", |at, i: &OfMapping| one(at, "DELETE", &i.domain_name), delete_mapping)
}

fn one(at: &At<Apis>, method: &str, name: &str) -> Target {
    arn::on(at, method, format_args!("domainnames/{name}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfDomain {
    domain_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfMapping {
    domain_name: String,
    api_mapping_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetDomainNames {
    max_results: Option<String>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetApiMappings {
    domain_name: String,
    max_results: Option<String>,
    next_token: Option<String>,
}

fn domain<'a>(cx: &'a mut Cx<Apis>, name: &str) -> Result<&'a mut Domain> {
    cx.state.domains.get_mut(name).ok_or_else(|| {
        Error::new(404, "NotFoundException", "The domain name resource specified in the request was not found.")
    })
}

impl HasDomains for Apis {
    fn mapped(&self, name: &str) -> Option<Vec<Mapped>> {
        let mapped = self.domains.get(name)?.mappings.values().map(|mapping| Mapped {
            base: mapping.api_mapping_key.clone().filter(|key| key != NONE).unwrap_or_default(),
            api: mapping.api_id.clone().unwrap_or_default(),
            stage: mapping.stage.clone(),
        });
        Some(mapped.collect())
    }

    fn borrows(&self, name: &str) -> bool {
        self.domains.get(name).is_some_and(|domain| domain.borrowed)
    }
}

fn no_mapping() -> Error {
    Error::new(404, "NotFoundException", "The api mapping resource specified in the request was not found.")
}

fn create(cx: &mut Cx<Apis>, input: DomainName) -> Result<DomainName> {
    let name = input.domain_name.clone().unwrap_or_default();
    tags::check(input.tags.as_ref())?;
    if cx.state.domains.contains_key(&name) {
        return Err(conflict("The domain name resource already exists."));
    }
    if cx.state.domains.len() >= DOMAIN_LIMIT {
        return Err(conflict("Domain name limit exceeded"));
    }
    let configurations = input.domain_name_configurations.unwrap_or_default();
    let id = cx.ids().lower(10);
    let configurations = configurations.into_iter().map(|given| configuration(cx, &id, given)).collect();
    let domain_name = DomainName {
        api_mapping_selection_expression: Some("$request.basepath".to_owned()),
        domain_name_arn: Some(arn::of(cx.scope, format_args!("domainnames/{name}"))),
        domain_name_configurations: Some(configurations),
        mutual_tls_authentication: input.mutual_tls_authentication.or_else(|| Some(json!({}))),
        tags: input.tags.or_else(|| Some(Texts::new())),
        ..input
    };
    cx.state.domains.insert(name, Domain { name: domain_name.clone(), ..Domain::default() });
    Ok(domain_name)
}

/// A configuration with what AWS fills in.
fn configuration(cx: &Cx<Apis>, id: &str, mut given: Value) -> Value {
    if let Some(members) = given.as_object_mut() {
        let name = format!("d-{id}.execute-api.{}.amazonaws.com", cx.scope.region);
        members.entry("ApiGatewayDomainName").or_insert_with(|| name.into());
        members.entry("DomainNameStatus").or_insert_with(|| "AVAILABLE".into());
        members.entry("EndpointType").or_insert_with(|| "REGIONAL".into());
        members.entry("SecurityPolicy").or_insert_with(|| "TLS_1_2".into());
    }
    given
}

fn list(cx: &mut Cx<Apis>, input: GetDomainNames) -> Result<Page<DomainName>> {
    let asked = Asked { max_results: input.max_results.as_deref(), next_token: input.next_token.as_deref() };
    page(&cx.state.domains, asked, |_, domain| Some(domain.name.clone()))
}

fn get(cx: &mut Cx<Apis>, input: OfDomain) -> Result<DomainName> {
    Ok(domain(cx, &input.domain_name)?.name.clone())
}

fn update(cx: &mut Cx<Apis>, input: DomainName) -> Result<DomainName> {
    let name = input.domain_name.clone().unwrap_or_default();
    let old = domain(cx, &name)?.name.clone();
    let mut new = changed(&old, &input)?;
    if let Some(given) = input.domain_name_configurations {
        // What AWS fills in stays what it was.
        let there = old.domain_name_configurations.unwrap_or_default();
        let address = there.first().and_then(|first| first["ApiGatewayDomainName"].as_str());
        let id = address.and_then(|name| name.strip_prefix("d-")?.split('.').next()).unwrap_or_default().to_owned();
        new.domain_name_configurations = Some(given.into_iter().map(|given| configuration(cx, &id, given)).collect());
    }
    domain(cx, &name)?.name = new.clone();
    Ok(new)
}

fn delete(cx: &mut Cx<Apis>, input: OfDomain) -> Result<()> {
    domain(cx, &input.domain_name)?;
    cx.state.domains.remove(&input.domain_name);
    Ok(())
}

/// `is_known` says that there is the API, which may be one of the other service's.
fn check_mapping(cx: &mut Cx<Apis>, mapping: &ApiMapping, is_known: bool) -> Result<()> {
    let key = mapping.api_mapping_key.as_deref().unwrap_or_default();
    if key.starts_with('/') || key.contains("//") {
        return Err(bad_request("API mapping key should not start with a '/' or have consecutive '/'s."));
    }
    if key.ends_with('/') {
        return Err(bad_request("API mapping key should not end with a '/'."));
    }
    let api = cx.state.apis.get(mapping.api_id.as_deref().unwrap_or_default());
    if api.is_none() && !is_known {
        return Err(Error::new(404, "NotFoundException", "Invalid API identifier specified"));
    }
    let found = domain(cx, mapping.domain_name.as_deref().unwrap_or_default())?;
    let own = mapping.api_mapping_id.as_ref();
    let taken = found
        .mappings
        .iter()
        .any(|(id, other)| Some(id) != own && other.api_mapping_key.as_deref().unwrap_or_default() == key);
    if taken {
        return Err(conflict("ApiMapping key already exists for this domain name"));
    }
    Ok(())
}

/// What the API of REST APIs knows of a mapping: AWS keeps APIs and domain names of both in one place.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html>
fn questions(cx: &Cx<Apis>, mapping: &ApiMapping) -> Vec<Question> {
    let question = |operation: &str, input: Value| Question {
        service: "apigateway".to_owned(),
        operation: operation.to_owned(),
        input,
        caller: cx.caller.clone(),
        scope: None,
    };
    vec![
        question("GetRestApi", json!({ "restApiId": mapping.api_id })),
        question("GetDomainName", json!({ "domainName": mapping.domain_name })),
    ]
}

/// A domain name that was made for REST APIs, as the second API tells it.
fn borrowed(cx: &Cx<Apis>, name: &str, known: &Value) -> Domain {
    let configuration = json!({
        "ApiGatewayDomainName": known["regionalDomainName"],
        "CertificateArn": known["regionalCertificateArn"],
        "DomainNameStatus": known["domainNameStatus"],
        "EndpointType": known["endpointConfiguration"]["types"][0],
        "SecurityPolicy": known["securityPolicy"],
    });
    let name = DomainName {
        api_mapping_selection_expression: Some("$request.basepath".to_owned()),
        domain_name: Some(name.to_owned()),
        domain_name_arn: Some(arn::of(cx.scope, format_args!("domainnames/{name}"))),
        domain_name_configurations: Some(vec![configuration]),
        tags: Some(Texts::new()),
        ..DomainName::default()
    };
    Domain { name, borrowed: true, ..Domain::default() }
}

fn create_mapping(cx: &mut Cx<Apis>, input: &ApiMapping) -> Result<Step<ApiMapping>> {
    let name = input.domain_name.clone().unwrap_or_default();
    let is_own = cx.state.apis.contains_key(input.api_id.as_deref().unwrap_or_default());
    let mut is_rest = false;
    match cx.answers()? {
        None if is_own && cx.state.domains.contains_key(&name) => {}
        None => {
            let questions = questions(cx, input);
            return cx.ask(questions).map(Step::Later);
        }
        Some(answers) => {
            let mut answers = answers.into_iter().map(Answer::into_result);
            is_rest = answers.next().is_some_and(|answer| answer.is_ok());
            if let Some(Ok(known)) = answers.next()
                && (is_own || is_rest)
                && !cx.state.domains.contains_key(&name)
            {
                let domain = borrowed(cx, &name, &known);
                cx.state.domains.insert(name, domain);
            }
        }
    }
    make_mapping(cx, input.clone(), is_rest).map(Step::Done)
}

fn make_mapping(cx: &mut Cx<Apis>, input: ApiMapping, is_known: bool) -> Result<ApiMapping> {
    check_mapping(cx, &input, is_known)?;
    let name = input.domain_name.clone().unwrap_or_default();
    let taken = domain(cx, &name)?.mappings.clone();
    if taken.len() >= MAPPING_LIMIT {
        return Err(conflict("API mapping limit exceeded"));
    }
    let id = new_id(cx.ids(), PART_ID, &taken);
    let key = input.api_mapping_key.clone().unwrap_or_default();
    let mapping = ApiMapping { api_mapping_id: Some(id.clone()), api_mapping_key: Some(key), ..input };
    domain(cx, &name)?.mappings.insert(id, mapping.clone());
    Ok(mapping)
}

fn list_mappings(cx: &mut Cx<Apis>, input: GetApiMappings) -> Result<Page<ApiMapping>> {
    let asked = Asked { max_results: input.max_results.as_deref(), next_token: input.next_token.as_deref() };
    page(&domain(cx, &input.domain_name)?.mappings, asked, |_, mapping| Some(mapping.clone()))
}

fn get_mapping(cx: &mut Cx<Apis>, input: OfMapping) -> Result<ApiMapping> {
    domain(cx, &input.domain_name)?.mappings.get(&input.api_mapping_id).cloned().ok_or_else(no_mapping)
}

fn update_mapping(cx: &mut Cx<Apis>, input: ApiMapping) -> Result<ApiMapping> {
    let name = input.domain_name.clone().unwrap_or_default();
    let id = input.api_mapping_id.clone().unwrap_or_default();
    let old = domain(cx, &name)?.mappings.get(&id).cloned().ok_or_else(no_mapping)?;
    let mapping = changed(&old, &input)?;
    let is_known = mapping.api_id == old.api_id;
    check_mapping(cx, &mapping, is_known)?;
    domain(cx, &name)?.mappings.insert(id, mapping.clone());
    Ok(mapping)
}

fn delete_mapping(cx: &mut Cx<Apis>, input: OfMapping) -> Result<()> {
    let found = domain(cx, &input.domain_name)?;
    found.mappings.remove(&input.api_mapping_id).ok_or_else(no_mapping)?;
    if found.borrowed && found.mappings.is_empty() {
        cx.state.domains.remove(&input.domain_name);
    }
    Ok(())
}
