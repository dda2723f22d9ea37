//! `RotateSecret` and `CancelRotateSecret`: a function makes the next version, step by step.
//!
//! <https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html>

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::stages::Changed;
use super::store::{CURRENT, PENDING, Rotation, RotationRules, Secret, Secrets, invalid_parameter, invalid_request};
use super::{Named, on};
use crate::cloud::{Call, Caller, Cloud, Cx, JobFuture, Later, Scope, Service, Step};
use crate::scheduler::expression::Expression;
use crate::{Error, Result, Timestamp};

/// Who invokes the functions.
const PRINCIPAL: &str = "secretsmanager.amazonaws.com";
/// What a function is asked to do, in this order.
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
/// What it is asked to do to try it out.
const TEST_STEPS: [&str; 1] = ["testSecret"];
const DAY: u64 = 86_400;

pub(super) fn operations(service: Service<Secrets>) -> Service<Secrets> {
    service
        .waiting_op("RotateSecret", |at, i: &RotateSecret| on(at, &i.secret_id), rotate)
        .op("CancelRotateSecret", |at, i: &Named| on(at, &i.secret_id), cancel_rotation)
        .event("Checked", checked)
        .event("Rotate", due)
        .event("Rotated", rotated)
        .job("Check", check_job)
        .job("Rotate", rotate_job)
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RotateSecret {
    secret_id: String,
    client_request_token: Option<String>,
    #[serde(rename = "RotationLambdaARN")]
    rotation_lambda_arn: Option<Arc<str>>,
    rotation_rules: Option<RotationRules>,
    rotate_immediately: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rotated {
    #[serde(rename = "ARN")]
    arn: Arc<str>,
    name: Arc<str>,
    version_id: String,
}

/// Whether the function of a rotation can be invoked: the key of the event that tells.
#[derive(Debug, Serialize, Deserialize)]
struct Check {
    request: RotateSecret,
    secret_arn: Arc<str>,
    lambda_arn: Arc<str>,
    passed: bool,
}

/// A rotation that is under way, or has ended.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    key: String,
    secret_arn: Arc<str>,
    lambda_arn: Arc<str>,
    token: String,
    /// Whether the function is only tried out.
    test: bool,
    error: Option<String>,
}

/// The function is looked at first, by a call that may fail: the answer waits for it.
fn rotate(cx: &mut Cx<Secrets>, input: &RotateSecret) -> Result<Step<Rotated>> {
    let token = input.client_request_token.as_deref().ok_or_else(|| {
        invalid_parameter("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    })?;
    if let Some(resumed) = cx.resumed() {
        let secret = cx.state.get(cx.scope, &resumed.token)?;
        let (arn, name, version_id) = (secret.arn.clone(), secret.name.clone(), token.to_owned());
        return match &secret.rotation {
            Some(rotation) if rotation.enabled && rotation.token.as_deref() == Some(token) => {
                Ok(Step::Done(Rotated { arn, name, version_id }))
            }
            _ => Err(Error::client(
                "AccessDeniedException",
                "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants \
                 access to the principal secretsmanager.amazonaws.com.",
            )),
        };
    }
    let secret = cx.state.to_change(cx.scope, &input.secret_id)?;
    if let Some(rules) = &input.rotation_rules {
        check_rules(rules)?;
    }
    let known = secret.rotation.as_ref().map(|rotation| rotation.lambda_arn.clone());
    let lambda_arn = input
        .rotation_lambda_arn
        .clone()
        .filter(|arn| !arn.is_empty())
        .or(known)
        .ok_or_else(|| invalid_request("No Lambda rotation function ARN is associated with this secret."))?;
    if unfinished(&secret).is_some_and(|pending| pending != token) {
        return Err(invalid_request("A previous rotation isn't complete. That rotation will be reattempted."));
    }
    let secret_arn = secret.arn.clone();
    cx.start("Check", &Check { request: input.clone(), secret_arn: secret_arn.clone(), lambda_arn, passed: false })?;
    Ok(Step::Later(Later { signal: signal(token), until: None, token: secret_arn.to_string() }))
}

fn signal(token: &str) -> String {
    format!("rotation/{token}")
}

fn check_rules(rules: &RotationRules) -> Result<()> {
    match (&rules.automatically_after_days, &rules.schedule_expression) {
        (Some(_), Some(_)) => Err(invalid_parameter(
            "You can't specify both AutomaticallyAfterDays and ScheduleExpression in RotationRules.",
        )),
        (None, Some(expression)) => match Expression::parse(expression) {
            Ok(parsed) if !parsed.is_one_time() => Ok(()),
            _ => Err(invalid_parameter("The ScheduleExpression in RotationRules is invalid.")),
        },
        _ => Ok(()),
    }
}

/// The version of a rotation that has not ended.
fn unfinished(secret: &Secret) -> Option<&str> {
    let pending = secret.staged(PENDING)?;
    (!pending.stages.iter().any(|stage| stage == CURRENT)).then_some(&*pending.id)
}

fn check_job(cloud: Cloud, scope: Scope, check: Value) -> JobFuture {
    Box::pin(async move {
        let told = match serde_json::from_value::<Check>(check) {
            Ok(mut check) => {
                let input = json!({ "FunctionName": check.lambda_arn, "InvocationType": "DryRun" });
                check.passed = invoke(&cloud, &scope, &check.secret_arn, input, String::new()).await.is_ok();
                tell(&cloud, &scope, "Checked", &check)
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = told {
            tracing::error!(%error, "a rotation was not begun");
        }
    })
}

fn tell(cloud: &Cloud, scope: &Scope, event: &str, what: &impl Serialize) -> Result<()> {
    cloud.0.event("secretsmanager", scope, event, &serde_json::to_string(what)?)
}

async fn invoke(cloud: &Cloud, scope: &Scope, secret: &str, input: Value, payload: String) -> Result<Value> {
    let mut caller = Caller::service(PRINCIPAL);
    caller.source_arn = Some(secret.to_owned());
    let call = Call::new("lambda", "Invoke", caller, scope.clone(), input).with_body(payload);
    cloud.call(call).await.map(|reply| reply.output)
}

/// The function was looked at: if it can be invoked, the rotation begins.
fn checked(cx: &mut Cx<Secrets>, check: &str) -> Result<()> {
    let Check { request, secret_arn, lambda_arn, passed } = serde_json::from_str(check)?;
    let token = request.client_request_token.unwrap_or_default();
    if passed && let Ok(mut secret) = cx.state.to_change(cx.scope, &secret_arn) {
        let rules = request.rotation_rules.or(secret.rotation.map(|rotation| rotation.rules)).unwrap_or_default();
        secret.rotation =
            Some(Rotation { enabled: true, lambda_arn, rules, next: None, token: Some(token.as_str().into()) });
        begin(cx, secret, &token, request.rotate_immediately == Some(false))?;
    }
    cx.signal(signal(&token));
    Ok(())
}

/// Makes the version that the function is to fill, and has it invoked.
fn begin(cx: &mut Cx<Secrets>, mut secret: Secret, token: &str, test: bool) -> Result<()> {
    if secret.version(token).is_none() {
        secret.add_version(token.into(), None, cx.now);
        secret.stage(PENDING, Some(token));
    }
    let Some(rotation) = &mut secret.rotation else { return Ok(()) };
    rotation.next = next(&rotation.rules, cx.now);
    let lambda_arn = rotation.lambda_arn.clone();
    let run = Run {
        key: secret.key(),
        secret_arn: secret.arn.clone(),
        lambda_arn,
        token: token.to_owned(),
        test,
        error: None,
    };
    cx.start("Rotate", &run)?;
    plan(cx, &secret);
    cx.state.save(secret);
    Ok(())
}

/// Sets the timer of the next rotation.
pub(super) fn plan(cx: &mut Cx<Secrets>, secret: &Secret) {
    if let Some(Rotation { enabled: true, next: Some(next), .. }) = secret.rotation {
        cx.set_timer("Rotate", secret.key(), next);
    }
}

/// There will be no further rotation.
pub(super) fn cancel(cx: &mut Cx<Secrets>, key: &str) {
    cx.cancel_timer("Rotate", key);
}

/// When the next rotation is due. Without a rule, a secret is rotated by hand alone.
fn next(rules: &RotationRules, now: Timestamp) -> Option<Timestamp> {
    match (rules.automatically_after_days, &rules.schedule_expression) {
        (Some(days), _) => Some(now + Duration::from_secs(DAY.saturating_mul(days))),
        (None, Some(expression)) => Expression::parse(expression).ok()?.next(now, &TimeZone::UTC, None, now),
        (None, None) => None,
    }
}

/// The next rotation is due. One that has not ended is tried again.
fn due(cx: &mut Cx<Secrets>, key: &str) -> Result<()> {
    let Some(secret) = cx.state.secrets.get(key).cloned() else { return Ok(()) };
    if secret.deletion.is_some() || secret.rotation.as_ref().is_none_or(|rotation| !rotation.enabled) {
        return Ok(());
    }
    let token = unfinished(&secret).map(str::to_owned).unwrap_or_else(|| cx.ids().uuid());
    begin(cx, secret, &token, false)
}

fn rotate_job(cloud: Cloud, scope: Scope, run: Value) -> JobFuture {
    Box::pin(async move {
        let told = match serde_json::from_value::<Run>(run) {
            Ok(mut run) => {
                run.error = steps(&cloud, &scope, &run).await.err().map(|error| error.to_string());
                tell(&cloud, &scope, "Rotated", &run)
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = told {
            tracing::error!(%error, "the end of a rotation was not noted");
        }
    })
}

/// The steps in their order; the first that fails is the last.
async fn steps(cloud: &Cloud, scope: &Scope, run: &Run) -> Result<()> {
    let steps: &[&str] = if run.test { &TEST_STEPS } else { &STEPS };
    for step in steps {
        let event = json!({ "Step": step, "SecretId": run.secret_arn, "ClientRequestToken": run.token });
        let input = json!({ "FunctionName": run.lambda_arn, "InvocationType": "RequestResponse" });
        let output = invoke(cloud, scope, &run.secret_arn, input, event.to_string()).await?;
        if let Some(error) = output.get("FunctionError").and_then(Value::as_str) {
            return Err(Error::internal(format!("{step}: the function failed ({error})")));
        }
    }
    Ok(())
}

/// The function has done its steps, or one of them failed.
fn rotated(cx: &mut Cx<Secrets>, run: &str) -> Result<()> {
    let run: Run = serde_json::from_str(run)?;
    if let Some(error) = &run.error {
        tracing::warn!(secret = &*run.secret_arn, error, "a secret was not rotated");
    }
    let Some(mut secret) = cx.state.secrets.get(&run.key).cloned() else { return Ok(()) };
    if run.test {
        secret
            .versions
            .retain(|version| *version.id != *run.token || version.stages.iter().any(|stage| stage == CURRENT));
    } else if run.error.is_none() {
        secret.rotated = Some(cx.now);
    }
    cx.state.save(secret);
    Ok(())
}

fn cancel_rotation(cx: &mut Cx<Secrets>, input: Named) -> Result<Changed> {
    let mut secret = cx.state.to_change(cx.scope, &input.secret_id)?;
    let Some(rotation) = &mut secret.rotation else {
        return Err(invalid_request("No Lambda rotation function ARN is associated with this secret."));
    };
    rotation.enabled = false;
    rotation.next = None;
    cancel(cx, &secret.key());
    let answer = Changed::of(&secret);
    cx.state.save(secret);
    Ok(answer)
}
