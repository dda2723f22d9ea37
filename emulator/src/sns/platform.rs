//! Mobile push: applications of a platform, and the devices' endpoints in them. No notification leaves.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-application-as-subscriber.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::errors::{because, check_arn, invalid, not_found};
use super::lists::{self, Page};
use super::topic::Topics;
use crate::cloud::{Cx, Scope, Service, Target};
use crate::{Error, Result};

/// The platforms that there are.
const PLATFORMS: [&str; 9] =
    ["ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "BAIDU", "GCM", "MACOS", "MPNS"];
/// The longest name of an application.
const NAME_LIMIT: usize = 256;
/// The most that may be known of a user, in bytes.
const USER_DATA_LIMIT: usize = 2048;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    service
        .op("CreatePlatformApplication", |_, _: &CreateApplication| Target::any(), create)
        .op("DeletePlatformApplication", |_, i: &OfApplication| Target::on(&i.platform_application_arn), delete)
        .op("GetPlatformApplicationAttributes", |_, i: &OfApplication| Target::on(&i.platform_application_arn), get)
        .op("SetPlatformApplicationAttributes", |_, i: &SetApplication| Target::on(&i.platform_application_arn), set)
        .op("ListPlatformApplications", |_, _: &List| Target::any(), list)
        .op("CreatePlatformEndpoint", |_, i: &CreateEndpoint| Target::on(&i.platform_application_arn), create_endpoint)
        .op("DeleteEndpoint", |_, i: &OfEndpoint| Target::on(&i.endpoint_arn), delete_endpoint)
        .op("GetEndpointAttributes", |_, i: &OfEndpoint| Target::on(&i.endpoint_arn), get_endpoint)
        .op("SetEndpointAttributes", |_, i: &SetEndpoint| Target::on(&i.endpoint_arn), set_endpoint)
        .op(
            "ListEndpointsByPlatformApplication",
            |_, i: &ListEndpoints| Target::on(&i.platform_application_arn),
            list_endpoints,
        )
}

/// An application. Credentials are taken and never told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Application {
    attributes: OrdMap<String, String>,
}

/// The endpoint of a device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Endpoint {
    attributes: OrdMap<String, String>,
}

impl Application {
    fn told(&self) -> OrdMap<String, String> {
        let secret = |name: &str| matches!(name, "PlatformCredential" | "PlatformPrincipal");
        self.attributes.iter().filter(|(name, _)| !secret(name)).map(|(k, v)| (k.clone(), v.clone())).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateApplication {
    name: String,
    platform: String,
    attributes: OrdMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ApplicationArn {
    platform_application_arn: String,
}

fn create(cx: &mut Cx<Topics>, input: CreateApplication) -> Result<ApplicationArn> {
    let CreateApplication { name, platform, attributes } = input;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.is_empty() {
        return Err(because(&name, "cannot be empty"));
    }
    if name.len() > NAME_LIMIT {
        return Err(because(&name, format!("must be at most {NAME_LIMIT} characters long")));
    }
    if !name.bytes().all(allowed) {
        let reason = "must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'";
        return Err(because(&name, reason));
    }
    if !PLATFORMS.contains(&platform.as_str()) {
        return Err(because("Platform", format!("{platform} is not supported")));
    }
    let has = |name: &str| attributes.contains_key(name);
    match (has("PlatformPrincipal"), has("PlatformCredential")) {
        (true, false) => {
            let reason = "PlatformPrincipal attribute provided without PlatformCredential";
            return Err(because("Attributes", reason));
        }
        // Google's and Baidu's keys stand alone.
        (false, true) if !matches!(platform.as_str(), "GCM" | "BAIDU") => {
            let reason = "PlatformCredential attribute provided without PlatformPrincipal";
            return Err(because("Attributes", reason));
        }
        _ => {}
    }
    let arn = cx.scope.arn("sns", format_args!("app/{platform}/{name}"));
    let attributes = attributes.union(OrdMap::unit("Enabled".to_owned(), "true".to_owned()));
    cx.state.applications.entry(arn.clone()).or_insert(Application { attributes });
    Ok(ApplicationArn { platform_application_arn: arn })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfApplication {
    platform_application_arn: String,
}

/// Deletes an application and its endpoints. One that is not there counts as deleted.
fn delete(cx: &mut Cx<Topics>, input: OfApplication) -> Result<()> {
    check_arn("PlatformApplicationArn", &input.platform_application_arn)?;
    let prefix = endpoints_of(&input.platform_application_arn);
    let gone: Vec<String> = cx
        .state
        .endpoints
        .range(prefix.clone()..)
        .map(|(arn, _)| arn.clone())
        .take_while(|arn| arn.starts_with(&prefix))
        .collect();
    for arn in gone {
        cx.state.endpoints.remove(&arn);
    }
    cx.state.applications.remove(&input.platform_application_arn);
    Ok(())
}

/// What the ARNs of an application's endpoints begin with.
fn endpoints_of(application: &str) -> String {
    format!("{}/", application.replacen(":app/", ":endpoint/", 1))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    attributes: OrdMap<String, String>,
}

fn find<'a>(cx: &'a mut Cx<Topics>, arn: &str) -> Result<&'a mut Application> {
    check_arn("PlatformApplicationArn", arn)?;
    cx.state.applications.get_mut(arn).ok_or_else(|| not_found("PlatformApplication"))
}

fn get(cx: &mut Cx<Topics>, input: OfApplication) -> Result<Attributes> {
    Ok(Attributes { attributes: find(cx, &input.platform_application_arn)?.told() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetApplication {
    platform_application_arn: String,
    attributes: Option<OrdMap<String, String>>,
}

/// AWS looks at the ARN before it misses the attributes, and at what it names afterwards.
fn set(cx: &mut Cx<Topics>, input: SetApplication) -> Result<()> {
    check_arn("PlatformApplicationArn", &input.platform_application_arn)?;
    let Some(attributes) = input.attributes else {
        return Err(Error::client(
            "ValidationError",
            "1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must not be null",
        ));
    };
    let application = find(cx, &input.platform_application_arn)?;
    application.attributes = attributes.union(application.attributes.clone());
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedApplication {
    platform_application_arn: String,
    attributes: OrdMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Applications {
    platform_applications: Vec<ListedApplication>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list(cx: &mut Cx<Topics>, input: List) -> Result<Applications> {
    let prefix = cx.scope.arn("sns", "app/");
    let Page { items, next_token } =
        lists::page(&cx.state.applications, &prefix, input.next_token.as_deref(), |_| true)?;
    let listed = |(arn, application): (&String, &Application)| ListedApplication {
        platform_application_arn: arn.clone(),
        attributes: application.told(),
    };
    Ok(Applications { platform_applications: items.into_iter().map(listed).collect(), next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateEndpoint {
    platform_application_arn: String,
    token: String,
    custom_user_data: Option<String>,
    #[serde(default)]
    attributes: OrdMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EndpointArn {
    endpoint_arn: String,
}

fn create_endpoint(cx: &mut Cx<Topics>, input: CreateEndpoint) -> Result<EndpointArn> {
    find(cx, &input.platform_application_arn)?;
    let mut attributes =
        OrdMap::from_iter([("Enabled".to_owned(), "true".to_owned()), ("Token".to_owned(), input.token.clone())]);
    attributes.extend(input.custom_user_data.map(|data| ("CustomUserData".to_owned(), data)));
    attributes = input.attributes.union(attributes);
    check_endpoint_attributes(&attributes)?;
    let prefix = endpoints_of(&input.platform_application_arn);
    let endpoints = cx.state.endpoints.range(prefix.clone()..).take_while(|(arn, _)| arn.starts_with(&prefix));
    let mut same = endpoints.filter(|(_, endpoint)| endpoint.attributes.get("Token") == Some(&input.token));
    if let Some((arn, endpoint)) = same.next() {
        if endpoint.attributes != attributes {
            let reason = format!("Endpoint {arn} already exists with the same Token, but different attributes.");
            return Err(because("Token", reason));
        }
        return Ok(EndpointArn { endpoint_arn: arn.clone() });
    }
    let arn = format!("{prefix}{}", cx.ids().uuid());
    cx.state.endpoints.insert(arn.clone(), Endpoint { attributes });
    Ok(EndpointArn { endpoint_arn: arn })
}

fn check_endpoint_attributes(attributes: &OrdMap<String, String>) -> Result<()> {
    for (name, value) in attributes {
        match name.as_str() {
            "Enabled" if !matches!(value.to_ascii_lowercase().as_str(), "true" | "false") => {
                return Err(because("Attributes", "Invalid value for attribute: Enabled: must be true or false"));
            }
            "CustomUserData" if value.len() > USER_DATA_LIMIT => {
                let reason = format!(
                    "Invalid value for attribute: CustomUserData: must be at most {USER_DATA_LIMIT} bytes long in UTF-8 encoding"
                );
                return Err(because("Attributes", reason));
            }
            "Enabled" | "CustomUserData" | "Token" => {}
            other => return Err(because("Attributes", format!("Invalid attribute name: {other}"))),
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfEndpoint {
    endpoint_arn: String,
}

fn delete_endpoint(cx: &mut Cx<Topics>, input: OfEndpoint) -> Result<()> {
    check_arn("EndpointArn", &input.endpoint_arn)?;
    cx.state.endpoints.remove(&input.endpoint_arn);
    Ok(())
}

fn find_endpoint<'a>(cx: &'a mut Cx<Topics>, arn: &str) -> Result<&'a mut Endpoint> {
    check_arn("EndpointArn", arn)?;
    if arn.matches('/').count() != 3 {
        return Err(because("EndpointArn", "Wrong number of slashes in relative portion of the ARN."));
    }
    cx.state.endpoints.get_mut(arn).ok_or_else(|| not_found("Endpoint"))
}

fn get_endpoint(cx: &mut Cx<Topics>, input: OfEndpoint) -> Result<Attributes> {
    Ok(Attributes { attributes: find_endpoint(cx, &input.endpoint_arn)?.attributes.clone() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetEndpoint {
    endpoint_arn: String,
    attributes: OrdMap<String, String>,
}

fn set_endpoint(cx: &mut Cx<Topics>, input: SetEndpoint) -> Result<()> {
    let endpoint = find_endpoint(cx, &input.endpoint_arn)?;
    check_endpoint_attributes(&input.attributes)?;
    endpoint.attributes = input.attributes.union(endpoint.attributes.clone());
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListEndpoints {
    platform_application_arn: String,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedEndpoint {
    endpoint_arn: String,
    attributes: OrdMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoints {
    endpoints: Vec<ListedEndpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list_endpoints(cx: &mut Cx<Topics>, input: ListEndpoints) -> Result<Endpoints> {
    find(cx, &input.platform_application_arn)?;
    let prefix = endpoints_of(&input.platform_application_arn);
    let Page { items, next_token } = lists::page(&cx.state.endpoints, &prefix, input.next_token.as_deref(), |_| true)?;
    let listed = |(arn, endpoint): (&String, &Endpoint)| ListedEndpoint {
        endpoint_arn: arn.clone(),
        attributes: endpoint.attributes.clone(),
    };
    Ok(Endpoints { endpoints: items.into_iter().map(listed).collect(), next_token })
}

/// Whether a message may be published to an endpoint.
pub(super) fn check_target(cx: &Cx<Topics>, arn: &str) -> Result<()> {
    if Scope::of_arn(arn).region != cx.scope.region {
        return Err(invalid("TargetArn"));
    }
    match cx.state.endpoints.get(arn) {
        Some(endpoint)
            if endpoint.attributes.get("Enabled").is_some_and(|value| value.eq_ignore_ascii_case("true")) =>
        {
            Ok(())
        }
        Some(_) => Err(Error::client("EndpointDisabled", "Endpoint is disabled")),
        None => Err(because("TargetArn", "No endpoint found for the target arn specified")),
    }
}
