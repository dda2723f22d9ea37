//! Requests to function URLs: from HTTP to an invocation, and from what the function returns to an answer.
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>
//!
//! `{id}.lambda-url.{region}.on.aws` as at AWS, and the same below `localhost` and `localhost.localstack.cloud`.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderName};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::urls::{AuthType, FunctionUrl};
use super::{Functions, PRINCIPAL};
use crate::apigatewayv2::{Told, headers_of, is_preflight, of_function, preflight, stamp};
use crate::cloud::{Arrived, Call, Caller, Halt, Inner, Scope, Target};
use crate::iam::Principal;
use crate::sigv4::Dialect;
use crate::wire::{host, is_nameless, without_port};

/// The label of these URLs in a host name, and what follows the region.
const LABEL: &str = "lambda-url";
const DOMAINS: [&str; 3] = ["on.aws", "localhost.localstack.cloud", "localhost"];
/// The action that policies allow, and the condition key of the URL's kind.
const ACTION: &str = "lambda:InvokeFunctionUrl";
const AUTH_KEY: &str = "lambda:FunctionUrlAuthType";
/// The one route and the one stage that events tell of.
const DEFAULT: &str = "$default";
/// The largest payload, in bytes: 6 MB, as of every synchronous invocation.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;
/// What AWS says to those who may not.
const FORBIDDEN: &str = "Forbidden. For troubleshooting Function URL authorization issues, see: \
                         https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";

/// The URL that a request is for: its id and the region.
pub(crate) struct UrlAddress {
    id: String,
    region: String,
}

/// Reads a request's host; `None` if it is no function URL.
pub(crate) fn url_address(head: &Parts) -> Option<UrlAddress> {
    let host = host(head);
    if is_nameless(host) {
        return None;
    }
    let mut labels = without_port(host).splitn(4, '.');
    let (id, label, region, rest) = (labels.next()?, labels.next()?, labels.next()?, labels.next()?);
    let is_url = label.eq_ignore_ascii_case(LABEL) && DOMAINS.iter().any(|domain| rest.eq_ignore_ascii_case(domain));
    (is_url && !id.is_empty()).then(|| UrlAddress { id: id.to_ascii_lowercase(), region: region.to_ascii_lowercase() })
}

/// A URL with what its requests are judged by.
struct Found {
    scope: Scope,
    url: FunctionUrl,
    arn: String,
    policy: std::sync::Arc<str>,
}

fn found(inner: &Inner, address: &UrlAddress) -> Option<Found> {
    inner.running::<Functions>("lambda")?.find(|scope, functions| {
        let url = functions.urls.get(&address.id).filter(|_| *scope.region == *address.region)?;
        let function = functions.functions.get(&url.function)?;
        let place = url.qualifier.as_deref().unwrap_or_default();
        let arn = &function.configuration.function_arn;
        Some(Found {
            scope: scope.clone(),
            url: url.clone(),
            arn: if place.is_empty() { arn.clone() } else { format!("{arn}:{place}") },
            // An alias that is gone is allowed to nobody.
            policy: match function.policies.get(place).filter(|_| place.is_empty() || function.has(place)) {
                Some(policy) => policy.document.clone(),
                None => super::NOTHING.clone(),
            },
        })
    })
}

/// Answers a request to a function URL.
pub(crate) async fn answer_url(
    inner: &Inner,
    address: &UrlAddress,
    arrived: &Arrived<'_>,
) -> Result<Response<Bytes>, Halt> {
    let Arrived { head, body, .. } = *arrived;
    let Some(found) = found(inner, address) else {
        return Ok(refusal(403, "AccessDeniedException", &Value::Null));
    };
    if body.len() > PAYLOAD_LIMIT {
        return Ok(refusal(413, "RequestEntityTooLargeException", &"Request Entity Too Large".into()));
    }
    if let Some(cors) = found.url.cors.as_ref().filter(|_| is_preflight(head)) {
        let mut answer = preflight(cors, head);
        *answer.status_mut() = StatusCode::OK;
        return Ok(answer);
    }
    let mut answer = match authorized(inner, &found, head, body) {
        Some(caller) => invoked(inner, &found, &caller, arrived).await?,
        None => refusal(403, "AccessDeniedException", &FORBIDDEN.into()),
    };
    if let Some(cors) = &found.url.cors {
        stamp(cors, head, answer.headers_mut());
    }
    Ok(answer)
}

/// Who calls, if they may.
fn authorized(inner: &Inner, found: &Found, head: &Parts, body: &Bytes) -> Option<Caller> {
    let signer = match found.url.auth_type {
        AuthType::None => None,
        AuthType::AwsIam => inner.signer(head, body, Dialect::Json { rest: true }).ok()?,
    };
    let caller = match signer {
        Some((caller, _)) => caller,
        None => Caller::new(Principal::Anonymous),
    };
    let target = Target::on(&found.arn)
        .policy(Some(found.policy.clone()))
        .owner(&*found.scope.account)
        .context(AUTH_KEY, found.url.auth_type.name());
    inner.access_in(&caller, &found.scope).may_on(ACTION, &target).then_some(caller)
}

async fn invoked(
    inner: &Inner,
    found: &Found,
    caller: &Caller,
    arrived: &Arrived<'_>,
) -> Result<Response<Bytes>, Halt> {
    let request_id = arrived.request_id;
    let event = event(inner, found, caller, arrived).to_string();
    let input = json!({ "FunctionName": found.arn, "InvocationType": "RequestResponse" });
    let call = Call::new("lambda", "Invoke", Caller::service(PRINCIPAL), found.scope.clone(), input).with_body(event);
    let reply = match inner.call(call, request_id).await {
        Ok(reply) => reply,
        Err(Halt::Error(error)) if error.status() == 429 => {
            return Ok(refusal(429, error.code(), &error.message().into()));
        }
        Err(Halt::Error(error)) => {
            tracing::warn!(%error, function = found.arn, "the function of a URL was not invoked");
            return Ok(failed());
        }
        Err(halt) => return Err(halt),
    };
    let payload = reply.body.unwrap_or_default();
    // A handler that returns nothing is an empty answer.
    let result = if payload.is_empty() { Ok(Value::Null) } else { serde_json::from_slice::<Value>(&payload) };
    let has_failed = reply.output.get("FunctionError").is_some_and(|error| !error.is_null());
    let mut answer = match result {
        Ok(result) if !has_failed => answer_of(&result).unwrap_or_else(failed),
        _ => failed(),
    };
    let id = reply.headers.get("x-amzn-requestid").cloned().or_else(|| HeaderValue::from_str(request_id).ok());
    if let Some(id) = id {
        answer.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    Ok(answer)
}

/// What the function's result means. Other than at an HTTP API, what it does not say is JSON.
fn answer_of(result: &Value) -> Option<Response<Bytes>> {
    let says = |name: &String| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str());
    let said = result["headers"].as_object().is_some_and(|headers| headers.keys().any(says));
    let mut answer = of_function(result, true)?;
    if !said {
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Some(answer)
}

fn event(inner: &Inner, found: &Found, caller: &Caller, arrived: &Arrived<'_>) -> Value {
    let Arrived { head, body, entry, request_id } = *arrived;
    let source_ip = entry.client();
    let mut headers = headers_of(&head.headers);
    // What concerns the connection alone ends where the connection ends.
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case(CONNECTION.as_str()));
    // Events tell of the connection that AWS would have taken the request by.
    for (name, value) in [
        ("X-Amzn-Tls-Cipher-Suite", "TLS_AES_128_GCM_SHA256"),
        ("X-Amzn-Tls-Version", "TLSv1.3"),
        ("X-Forwarded-For", &*source_ip),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ] {
        headers.push((name.to_owned(), value.to_owned()));
    }
    let is_signed = found.url.auth_type == AuthType::AwsIam;
    let identity = json!({ "iam": {
        "accessKey": caller.access_key,
        "accountId": caller.principal.account(),
        "callerId": caller.principal.user_id(),
        "cognitoIdentity": null,
        "principalOrgId": null,
        "userArn": caller.principal.arn(),
        "userId": caller.principal.user_id(),
    } });
    // AWS takes any number of leading slashes for one.
    let path = format!("/{}", head.uri.path().trim_start_matches('/'));
    let told = Told {
        account: if is_signed { &found.scope.account } else { "anonymous" },
        api_id: &found.url.id,
        domain: &host(head).to_ascii_lowercase(),
        stage: DEFAULT,
        route_key: DEFAULT,
        method: head.method.as_str(),
        sent_path: &path,
        path: &path,
        query: head.uri.query().unwrap_or_default(),
        headers: &headers,
        body,
        path_parameters: &Vec::new(),
        variables: None,
        source_ip: &source_ip,
        request_id,
        now: inner.clock.now(),
        authorizer: is_signed.then_some(&identity),
    };
    told.second()
}

/// The function has failed, or has returned what is no answer.
fn failed() -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from_static(b"Internal Server Error"));
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn refusal(status: u16, code: &str, message: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(json!({ "Message": message }).to_string()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(code) = HeaderValue::from_str(code) {
        headers.insert(HeaderName::from_static("x-amzn-errortype"), code);
    }
    answer
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn function_urls_are_known_by_their_hosts() {
        let read = |host: &str| {
            let request = http::Request::builder().uri("/").header("host", host).body(()).unwrap();
            url_address(&request.into_parts().0).map(|address| (address.id, address.region))
        };
        let expected = Some(("abc".to_owned(), "us-east-1".to_owned()));
        for host in [
            "abc.lambda-url.us-east-1.on.aws",
            "ABC.lambda-url.us-east-1.localhost:4566",
            "abc.lambda-url.us-east-1.localhost.localstack.cloud:4566",
        ] {
            assert_eq!(read(host), expected, "{host}");
        }
        for host in ["lambda.us-east-1.amazonaws.com", "abc.execute-api.localhost", "abc.lambda-url.localhost", "x"] {
            assert_eq!(read(host), None, "{host}");
        }
    }

    #[test]
    fn what_a_function_returns_is_json_unless_it_says_otherwise() {
        let kind = |result: Value| answer_of(&result).unwrap().headers()[CONTENT_TYPE].clone();
        assert_eq!(kind(json!({ "statusCode": 200, "body": "x" })), "application/json");
        assert_eq!(kind(json!({ "statusCode": "418", "body": "x" })), "application/json");
        assert_eq!(kind(json!({ "statusCode": 200, "headers": { "content-Type": "text/css" } })), "text/css");
        assert_eq!(answer_of(&json!(["a", 3])).unwrap().body(), r#"["a",3]"#);
        assert_eq!(failed().status(), 502);
    }
}
