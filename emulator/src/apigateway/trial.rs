//! `TestInvokeMethod`: a method tried out as it is now, without a deployment, without authorization and without keys; and
//! `TestInvokeAuthorizer`: the same with an authorizer.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeMethod.html>
//! <https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeAuthorizer.html>

use std::time::Duration;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::methods::{content, target};
use super::state::{Content, RestApi};
use super::{RestApis, authorizers, on};
use crate::cloud::{Cloud, Cx, JobFuture, Later, Scope, Service, Step, job_input};
use crate::{Error, Result, execute_api};

/// How long the result of a test is kept for a caller that may have gone.
const KEEP: Duration = Duration::from_secs(60);

/// Adds the operation of this file, and what it takes to wait for its end.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .waiting_op(
            "TestInvokeMethod",
            |at, i: &TestInvokeMethod| target(at, "POST", &i.rest_api_id, &i.resource_id, &i.http_method),
            test,
        )
        .waiting_op(
            "TestInvokeAuthorizer",
            |at, i: &TestInvokeAuthorizer| {
                on(at, "POST", format_args!("/restapis/{}/authorizers/{}", i.rest_api_id, i.authorizer_id))
            },
            test_authorizer,
        )
        .event("Tested", tested)
        .event("TestOver", |cx, id| {
            cx.state.tested.remove(id);
            Ok(())
        })
        .job("Test", job)
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TestInvokeMethod {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    path_with_query_string: Option<String>,
    body: Option<String>,
    headers: Option<OrdMap<String, String>>,
    multi_value_headers: Option<OrdMap<String, Vec<String>>>,
    stage_variables: Option<OrdMap<String, String>>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TestInvokeAuthorizer {
    rest_api_id: String,
    authorizer_id: String,
    path_with_query_string: Option<String>,
    body: Option<String>,
    headers: Option<OrdMap<String, String>>,
    multi_value_headers: Option<OrdMap<String, Vec<String>>>,
    stage_variables: Option<OrdMap<String, String>>,
    additional_context: Option<OrdMap<String, String>>,
}

/// What is to be tried out, with the API as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trial {
    pub request_id: String,
    pub rest: RestApi,
    pub content: Content,
    pub resource_id: String,
    /// The method's name at the resource: `ANY` has a method of another name tested.
    pub method: String,
    pub path: Option<String>,
    pub body: String,
    pub headers: Vec<(String, String)>,
    pub variables: OrdMap<String, String>,
    /// The authorizer, if it is one that is tried out.
    pub authorizer: Option<String>,
}

fn test(cx: &mut Cx<RestApis>, input: &TestInvokeMethod) -> Result<Step<Value>> {
    if let Some(result) = result(cx) {
        return result;
    }
    let input = input.clone();
    let resource = content(cx, &input.rest_api_id)?.resource(&input.resource_id)?;
    resource.method(&input.http_method).or_else(|error| resource.method("ANY").map_err(|_| error))?;
    let api = cx.state.api(cx.scope, &input.rest_api_id)?;
    let trial = Trial {
        request_id: cx.request_id.to_owned(),
        rest: api.rest.clone(),
        content: api.content.clone(),
        resource_id: input.resource_id,
        method: input.http_method,
        path: input.path_with_query_string.filter(|path| !path.is_empty()),
        body: input.body.unwrap_or_default(),
        headers: joined(input.headers, input.multi_value_headers),
        variables: input.stage_variables.unwrap_or_default(),
        authorizer: None,
    };
    begin(cx, trial)
}

fn test_authorizer(cx: &mut Cx<RestApis>, input: &TestInvokeAuthorizer) -> Result<Step<Value>> {
    if let Some(result) = result(cx) {
        return result;
    }
    let input = input.clone();
    let api = cx.state.api(cx.scope, &input.rest_api_id)?;
    let authorizer = api.content.authorizers.get(&input.authorizer_id).ok_or_else(authorizers::missing)?;
    if authorizer.kind == "COGNITO_USER_POOLS" {
        return Err(Error::not_implemented("Amazon Cognito user pools as authorizers"));
    }
    if input.additional_context.is_some_and(|context| !context.is_empty()) {
        return Err(Error::not_implemented("additionalContext of apigateway:TestInvokeAuthorizer"));
    }
    let trial = Trial {
        request_id: cx.request_id.to_owned(),
        rest: api.rest.clone(),
        content: api.content.clone(),
        resource_id: String::new(),
        method: "GET".to_owned(),
        path: input.path_with_query_string.filter(|path| !path.is_empty()),
        body: input.body.unwrap_or_default(),
        headers: joined(input.headers, input.multi_value_headers),
        variables: input.stage_variables.unwrap_or_default(),
        authorizer: Some(input.authorizer_id),
    };
    begin(cx, trial)
}

fn begin(cx: &mut Cx<RestApis>, trial: Trial) -> Result<Step<Value>> {
    cx.start("Test", &trial)?;
    let id = trial.request_id;
    Ok(Step::Later(Later { signal: signal(&id), until: None, token: id }))
}

/// What a test gave, for an operation that is called again.
fn result(cx: &mut Cx<RestApis>) -> Option<Result<Step<Value>>> {
    let resumed = cx.resumed().cloned()?;
    cx.cancel_timer("TestOver", resumed.token.clone());
    let result = cx.state.tested.remove(&resumed.token);
    Some(result.map(Step::Done).ok_or_else(|| Error::internal("a test has no result")))
}

/// Headers with one value and with several; of a name that has both, those with several.
fn joined(
    single: Option<OrdMap<String, String>>,
    multiple: Option<OrdMap<String, Vec<String>>>,
) -> Vec<(String, String)> {
    let multiple = multiple.unwrap_or_default();
    let single = single.unwrap_or_default().into_iter().filter(|(name, _)| !multiple.contains_key(name));
    let mut headers: Vec<(String, String)> = single.collect();
    headers.extend(multiple.iter().flat_map(|(name, values)| values.iter().map(|v| (name.clone(), v.clone()))));
    headers
}

fn signal(id: &str) -> String {
    format!("apigateway:tested:{id}")
}

/// What the job reports.
#[derive(Serialize, Deserialize)]
struct Report {
    id: String,
    result: Value,
}

fn tested(cx: &mut Cx<RestApis>, report: &str) -> Result<()> {
    let report: Report = serde_json::from_str(report).map_err(Error::internal)?;
    cx.set_timer("TestOver", report.id.clone(), cx.now + KEEP);
    cx.signal(signal(&report.id));
    cx.state.tested.insert(report.id, report.result);
    Ok(())
}

fn job(cloud: Cloud, scope: Scope, work: Value) -> JobFuture {
    Box::pin(async move {
        let Some(trial) = job_input::<Trial>(work) else { return };
        let id = trial.request_id.clone();
        let result = execute_api::test(&cloud.0, &scope, trial).await;
        cloud.report("apigateway", &scope, "Tested", &Report { id, result });
    })
}
