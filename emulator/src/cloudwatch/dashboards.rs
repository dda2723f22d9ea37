//! Dashboards: documents that are kept. Nothing is drawn here.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html>

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Empty, Metrics, invalid_value, read_place};
use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::token;
use crate::{Error, Result, Timestamp};

/// A page holds so many.
const PAGE: usize = 1000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Metrics>) -> Service<Metrics> {
    service
        .op("PutDashboard", |at, i: &Put| on(at, &i.dashboard_name), put)
        .op("GetDashboard", |at, i: &Get| on(at, &i.dashboard_name), get)
        .op("ListDashboards", |_, _: &List| Target::any(), list)
        .op("DeleteDashboards", |at, i: &Delete| i.target(at), delete)
}

/// A dashboard; its name is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dashboard {
    body: String,
    modified: Timestamp,
}

/// Dashboards belong to an account, and to no region.
fn arn(scope: &Scope, name: &str) -> String {
    format!("arn:aws:cloudwatch::{}:dashboard/{name}", scope.account)
}

fn on(at: &At<Metrics>, name: &str) -> Target {
    Target::on(arn(at.scope, name))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    dashboard_name: String,
    dashboard_body: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PutOutput {
    /// What a widget has that makes no sense is not looked for.
    dashboard_validation_messages: [(); 0],
}

fn put(cx: &mut Cx<Metrics>, input: Put) -> Result<PutOutput> {
    let name = input.dashboard_name;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Err(invalid_value(
            "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) and \
             underscore (_).\n",
        ));
    }
    let body: Result<Value, _> = serde_json::from_str(&input.dashboard_body);
    if !body.is_ok_and(|body| body.is_object()) {
        let text = "The field DashboardBody must be a valid JSON object";
        return Err(Error::client("InvalidParameterInput", text)
            .with("dashboardValidationMessages", serde_json::json!([{ "DataPath": "/", "Message": text }])));
    }
    let dashboard = Dashboard { body: input.dashboard_body, modified: cx.now };
    cx.state.dashboards.insert(name, dashboard);
    Ok(PutOutput { dashboard_validation_messages: [] })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    dashboard_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetOutput {
    dashboard_arn: String,
    dashboard_body: String,
    dashboard_name: String,
}

fn not_found(name: &str) -> Error {
    Error::new(404, "ResourceNotFound", format!("Dashboard {name} does not exist"))
}

fn get(cx: &mut Cx<Metrics>, input: Get) -> Result<GetOutput> {
    let name = input.dashboard_name;
    let dashboard = cx.state.dashboards.get(&name).ok_or_else(|| not_found(&name))?;
    Ok(GetOutput { dashboard_arn: arn(cx.scope, &name), dashboard_body: dashboard.body.clone(), dashboard_name: name })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    dashboard_name_prefix: Option<String>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    dashboard_entries: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `DashboardEntry` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    dashboard_name: String,
    dashboard_arn: String,
    last_modified: Timestamp,
    size: usize,
}

fn list(cx: &mut Cx<Metrics>, input: List) -> Result<ListOutput> {
    let prefix = input.dashboard_name_prefix.unwrap_or_default();
    let last: Option<String> = input.next_token.as_deref().map(read_place).transpose()?;
    let from = last.clone().unwrap_or_else(|| prefix.clone());
    let scope = cx.scope;
    let named = cx.state.dashboards.range(from..).take_while(|(name, _)| name.starts_with(&prefix));
    let mut found = named.filter(|(name, _)| last.as_ref() != Some(*name));
    let dashboard_entries: Vec<Entry> = found
        .by_ref()
        .take(PAGE)
        .map(|(name, dashboard)| Entry {
            dashboard_name: name.clone(),
            dashboard_arn: arn(scope, name),
            last_modified: dashboard.modified,
            size: dashboard.body.len(),
        })
        .collect();
    let more = found.next().is_some();
    let last = dashboard_entries.last().filter(|_| more);
    let next_token = last.map(|last| token::of(&last.dashboard_name)).transpose()?;
    Ok(ListOutput { dashboard_entries, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    dashboard_names: Vec<String>,
}

impl Delete {
    fn target(&self, at: &At<Metrics>) -> Target {
        self.dashboard_names.first().map_or_else(Target::any, |name| on(at, name))
    }
}

/// All of them or none.
fn delete(cx: &mut Cx<Metrics>, input: Delete) -> Result<Empty> {
    if input.dashboard_names.is_empty() {
        return Err(invalid_value("Need at least one element in the list DashboardNames."));
    }
    let missing = input.dashboard_names.iter().find(|name| !cx.state.dashboards.contains_key(*name));
    if let Some(name) = missing {
        return Err(Error::new(404, "ResourceNotFound", format!("The specified dashboard does not exist. [{name}]")));
    }
    for name in &input.dashboard_names {
        cx.state.dashboards.remove(name);
    }
    Ok(Empty {})
}
