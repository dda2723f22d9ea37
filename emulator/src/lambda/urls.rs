//! Function URLs: HTTP endpoints of functions and aliases. Requests to them are answered in `url_door.rs`.
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html>

use serde::{Deserialize, Serialize};

use super::functions::{Function, ListOfFunction, bare_name, invalid, reachable};
use super::qualifier::{absent, qualifier};
use super::versions::PAGE;
use super::{Functions, on};
use crate::apigatewayv2::Cors;
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// The length of the name that a URL begins with.
const ID_LENGTH: usize = 32;
/// What no function has been given.
const MISSING: &str = "The resource you requested does not exist.";
/// What a URL cannot be made for.
const NO_FUNCTION: &str = "Function does not exist";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .op("CreateFunctionUrlConfig", |at, i: &Settings| on(at, &i.function_name), create)
        .op("UpdateFunctionUrlConfig", |at, i: &Settings| on(at, &i.function_name), update)
        .op("GetFunctionUrlConfig", |at, i: &Named| on(at, &i.function_name), get)
        .op("DeleteFunctionUrlConfig", |at, i: &Named| on(at, &i.function_name), delete)
        .op("ListFunctionUrlConfigs", |at, i: &ListOfFunction| on(at, &i.function_name), list)
}

/// A URL as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FunctionUrl {
    pub id: String,
    /// The function's bare name.
    pub function: String,
    /// The alias; none for the function itself.
    pub qualifier: Option<String>,
    /// Whether requests must be signed.
    pub auth_type: AuthType,
    pub cors: Option<Cors>,
    created: Timestamp,
    modified: Timestamp,
    /// As it was said, if it was.
    invoke_mode: Option<String>,
}

/// `AuthType`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AuthType {
    None,
    AwsIam,
}

impl AuthType {
    /// As policies' condition keys name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::AwsIam => "AWS_IAM",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    function_name: String,
    qualifier: Option<String>,
    auth_type: Option<AuthType>,
    cors: Option<Cors>,
    invoke_mode: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    function_name: String,
    qualifier: Option<String>,
}

/// `FunctionUrlConfig`, and what the operations answer of it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    function_url: String,
    function_arn: String,
    auth_type: AuthType,
    #[serde(skip_serializing_if = "Option::is_none")]
    cors: Option<Cors>,
    creation_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoke_mode: Option<String>,
}

/// A URL is a function's or an alias's, and no version's. The model's pattern looks ahead, which is not checked elsewhere.
fn check_qualifier(given: Option<&str>) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match given {
        Some(given) if !given.bytes().all(is_plain) || given.bytes().all(|byte| byte.is_ascii_digit()) => {
            let text = format!(
                "1 validation error detected: Value '{given}' at 'qualifier' failed to satisfy constraint: Member must satisfy \
                 regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"
            );
            Err(Error::client("ValidationException", text))
        }
        _ => Ok(()),
    }
}

/// The URL of a function or an alias.
fn find<'a>(cx: &'a Cx<'_, Functions>, name: &str, given: Option<&str>) -> Result<&'a FunctionUrl> {
    check_qualifier(given)?;
    let place = qualifier(name, given)?;
    let function = cx.state.functions.get(reachable(cx.scope, name)?);
    let id = function.and_then(|function| function.urls.get(place.unwrap_or_default()));
    id.and_then(|id| cx.state.urls.get(id)).ok_or_else(|| absent(MISSING))
}

fn shown(cx: &Cx<'_, Functions>, url: &FunctionUrl) -> Shown {
    let name = &url.function;
    let arn = cx.scope.arn("lambda", format_args!("function:{name}"));
    Shown {
        function_url: address(cx, &url.id),
        function_arn: url.qualifier.as_ref().map_or_else(|| arn.clone(), |place| format!("{arn}:{place}")),
        auth_type: url.auth_type,
        cors: url.cors.clone(),
        creation_time: url.created.to_iso_millis(),
        last_modified_time: Some(url.modified.to_iso_millis()),
        invoke_mode: Some(url.invoke_mode.clone().unwrap_or_else(|| "BUFFERED".to_owned())),
    }
}

/// The URL itself: below `localhost`, with the port of this cloud, for who reaches it at a port; AWS's name for all others.
fn address(cx: &Cx<'_, Functions>, id: &str) -> String {
    let region = &cx.scope.region;
    match cx.endpoint() {
        None => format!("https://{id}.lambda-url.{region}.on.aws/"),
        Some(endpoint) => {
            let port = endpoint.rsplit_once(':').map(|(_, port)| port).filter(|port| port.parse::<u16>().is_ok());
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("http://{id}.lambda-url.{region}.localhost{port}/")
        }
    }
}

fn check_mode(mode: Option<&str>) -> Result<()> {
    match mode {
        Some("RESPONSE_STREAM") => {
            Err(Error::not_implemented("function URLs that stream (InvokeMode=RESPONSE_STREAM)"))
        }
        _ => Ok(()),
    }
}

fn create(cx: &mut Cx<Functions>, input: Settings) -> Result<Shown> {
    let id = cx.ids().lower(ID_LENGTH);
    let now = cx.now;
    check_qualifier(input.qualifier.as_deref())?;
    check_mode(input.invoke_mode.as_deref())?;
    let place = qualifier(&input.function_name, input.qualifier.as_deref())?.unwrap_or_default().to_owned();
    let name = reachable(cx.scope, &input.function_name)?.to_owned();
    let arn = cx.scope.arn("lambda", format_args!("function:{name}"));
    let function = cx.state.functions.get_mut(&name).ok_or_else(|| absent(NO_FUNCTION))?;
    if !place.is_empty() && !function.aliases.contains_key(&place) {
        return Err(absent(NO_FUNCTION));
    }
    if function.urls.contains_key(&place) {
        let arn = if place.is_empty() { arn } else { format!("{arn}:{place}") };
        let text = format!(
            "Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for this \
             Lambda function"
        );
        return Err(Error::new(409, "ResourceConflictException", text).with("Type", "User"));
    }
    // The model requires it.
    let auth_type = input.auth_type.ok_or_else(|| invalid("AuthType is mandatory."))?;
    function.urls.insert(place.clone(), id.clone());
    let url = FunctionUrl {
        id: id.clone(),
        function: name,
        qualifier: (!place.is_empty()).then_some(place),
        auth_type,
        cors: input.cors,
        created: now,
        modified: now,
        invoke_mode: input.invoke_mode.clone(),
    };
    let answer = Shown { last_modified_time: None, invoke_mode: input.invoke_mode, ..shown(cx, &url) };
    cx.state.urls.insert(id, url);
    Ok(answer)
}

fn update(cx: &mut Cx<Functions>, input: Settings) -> Result<Shown> {
    let now = cx.now;
    check_mode(input.invoke_mode.as_deref())?;
    check_qualifier(input.qualifier.as_deref())?;
    let place = qualifier(&input.function_name, input.qualifier.as_deref())?.unwrap_or_default();
    let function = cx.state.functions.get(reachable(cx.scope, &input.function_name)?);
    if !function.is_some_and(|function| place.is_empty() || function.aliases.contains_key(place)) {
        return Err(absent(NO_FUNCTION));
    }
    let mut url = find(cx, &input.function_name, input.qualifier.as_deref())?.clone();
    url.auth_type = input.auth_type.unwrap_or(url.auth_type);
    url.cors = input.cors.or(url.cors);
    url.invoke_mode = input.invoke_mode.or(url.invoke_mode);
    url.modified = now;
    let answer = Shown { invoke_mode: url.invoke_mode.clone(), ..shown(cx, &url) };
    cx.state.urls.insert(url.id.clone(), url);
    Ok(answer)
}

fn get(cx: &mut Cx<Functions>, input: Named) -> Result<Shown> {
    let url = find(cx, &input.function_name, input.qualifier.as_deref())?;
    Ok(shown(cx, url))
}

fn delete(cx: &mut Cx<Functions>, input: Named) -> Result<()> {
    let url = find(cx, &input.function_name, input.qualifier.as_deref())?.clone();
    cx.state.urls.remove(&url.id);
    if let Some(function) = cx.state.functions.get_mut(&url.function) {
        function.urls.remove(&url.qualifier.unwrap_or_default());
    }
    cx.answer_status(204);
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    function_url_configs: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

fn list(cx: &mut Cx<Functions>, input: ListOfFunction) -> Result<Listed> {
    let name = reachable(cx.scope, &input.function_name)?;
    let function: &Function = cx.state.functions.get(name).ok_or_else(|| absent(NO_FUNCTION))?;
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    let mut found = function.urls.range(input.marker.unwrap_or_default()..);
    let ids: Vec<String> = found.by_ref().take(size).map(|(_, id)| id.clone()).collect();
    let next_marker = found.next().map(|(place, _)| place.clone());
    let urls = ids.iter().filter_map(|id| cx.state.urls.get(id));
    Ok(Listed { function_url_configs: urls.map(|url| shown(cx, url)).collect(), next_marker })
}

impl Functions {
    /// A function that is deleted has no URLs any more.
    pub(super) fn forget_urls(&mut self, name: &str) {
        let urls = self.functions.get(bare_name(name)).map(|function| function.urls.clone()).unwrap_or_default();
        for id in urls.values() {
            self.urls.remove(id);
        }
    }
}
