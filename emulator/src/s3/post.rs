//! Uploads by HTML forms: the fields, the policy that its author signed, and what the browser is answered.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>. A form becomes a PutObject, whose
//! headers its fields are.

use bytes::Bytes;
use http::header::{self, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::errors;
use super::form::{self, Form, lacks};
use super::multipart::LOCATION;
use super::post_policy;
use super::web::{moved, place, refusal, unsigned};
use crate::cloud::{Arrived, Caller, Halt, Inner, Scope};
use crate::sigv4;
use crate::wire;
use crate::wire::headers::text;
use crate::{Error, Result};

/// What stays as it is in the path of a URL.
const PATH: &AsciiSet = &LOCATION.remove(b'/');
/// Fields with a standard name that become headers of the object.
const HEADERS: [&str; 6] =
    ["cache-control", "content-type", "content-disposition", "content-encoding", "content-language", "expires"];
/// Fields that are the signature's.
const SIGNING: [&str; 5] =
    ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token"];

/// Answers a form.
pub(super) async fn take(inner: &Inner, incoming: &Arrived<'_>) -> Result<Response<Bytes>, Halt> {
    let (bucket, _) = place(incoming.head);
    let content_type = text(&incoming.head.headers, CONTENT_TYPE).unwrap_or_default();
    let form = match form::read(content_type, incoming.body) {
        Ok(form) => form,
        Err(error) => return Ok(refusal(&error, incoming.request_id)),
    };
    let prepared = sender(inner, &form).and_then(|sender| {
        post_policy::check(&form, &bucket, inner.clock.now())?;
        let request = put(&form, &bucket, incoming)?;
        Ok((sender, request))
    });
    let ((mut caller, scope), request) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return Ok(refusal(&error, incoming.request_id)),
    };
    caller.source_ip = incoming.entry.source_ip;
    let response = inner.form(request, incoming.entry, incoming.request_id, (caller, scope)).await?;
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    Ok(success(&form, &bucket, incoming, response))
}

/// Who signed the form's policy; nobody where there is none.
fn sender(inner: &Inner, form: &Form) -> Result<(Caller, Scope)> {
    let Some(policy) = form.get("policy") else {
        return Ok((unsigned(inner, &inner.scope.account), inner.scope.clone()));
    };
    let second = form.get("awsaccesskeyid").is_some() || form.get("signature").is_some();
    let fourth = SIGNING.iter().any(|name| form.get(name).is_some());
    if !second && !fourth {
        return Err(errors::access_denied());
    }
    let field = |name: &str, shown: &'static str| form.get(name).ok_or_else(|| lacks(shown));
    let token = form.get("x-amz-security-token");
    if second && !fourth {
        let key = field("awsaccesskeyid", "AWSAccessKeyId")?;
        let signature = field("signature", "Signature")?;
        let (caller, secret) = inner.identify_poster(key, token)?;
        if let Some(secret) = secret
            && !sigv4::is_policy_signed_v2(&secret, policy, signature)
        {
            return Err(sigv4::s3_mismatch(key, policy, signature));
        }
        let account = caller.principal.account().unwrap_or(&inner.scope.account).to_owned();
        return Ok((caller, Scope::new(account, inner.scope.region.clone())));
    }
    let algorithm = field("x-amz-algorithm", "X-Amz-Algorithm")?;
    if algorithm != sigv4::ALGORITHM {
        let text = "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"";
        return Err(errors::invalid_argument("X-Amz-Algorithm", algorithm, text));
    }
    let credential = field("x-amz-credential", "X-Amz-Credential")?;
    field("x-amz-date", "X-Amz-Date")?;
    let signature = field("x-amz-signature", "X-Amz-Signature")?;
    let parts: Vec<&str> = credential.rsplitn(5, '/').collect();
    let ["aws4_request", service, region, date, key] = parts.as_slice() else {
        let text = "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \
                    \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
        return Err(Error::client("AuthorizationQueryParametersError", text));
    };
    let (caller, secret) = inner.identify_poster(key, token)?;
    let signed = sigv4::Scope { date: (*date).into(), region: (*region).into(), service: (*service).into() };
    if let Some(secret) = secret
        && !sigv4::is_policy_signed(&secret, &signed, policy, signature)
    {
        return Err(sigv4::s3_mismatch(key, policy, signature));
    }
    let account = caller.principal.account().unwrap_or(&inner.scope.account).to_owned();
    Ok((caller, Scope::new(account, *region)))
}

/// The same upload as a PutObject.
fn put(form: &Form, bucket: &str, incoming: &Arrived<'_>) -> Result<Request<Bytes>> {
    let key = form.key()?;
    let path = format!("/{}/{}", utf8_percent_encode(bucket, PATH), utf8_percent_encode(&key, PATH));
    let mut headers = HeaderMap::new();
    for (name, value) in &form.fields {
        let name = name.to_ascii_lowercase();
        let header = match name.as_str() {
            "acl" => "x-amz-acl",
            "tagging" => {
                headers.insert("x-amz-tagging", header_value(&form::tags(value)?)?);
                continue;
            }
            name if SIGNING.contains(&name) => continue,
            name if HEADERS.contains(&name) || name.starts_with("x-amz-") => name,
            _ => continue,
        };
        let Ok(header) = HeaderName::try_from(header) else { continue };
        headers.insert(header, header_value(value)?);
    }
    if let Some(host) = incoming.head.headers.get(HOST) {
        headers.insert("x-forwarded-host", host.clone());
    }
    let request = Request::builder().method(Method::PUT).uri(path).body(form.file.clone());
    let mut request = request.map_err(|_| Error::new(400, "InvalidURI", "Couldn't parse the specified URI."))?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| errors::invalid_argument("Header", text, "Header value cannot be represented using ISO-8859-1."))
}

/// What the form asks to be answered.
fn success(form: &Form, bucket: &str, incoming: &Arrived<'_>, stored: Response<Bytes>) -> Response<Bytes> {
    let key = form.key().unwrap_or_default();
    let etag = stored.headers().get(ETAG).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let redirect = form.get("success_action_redirect").or_else(|| form.get("redirect"));
    if let Some(url) = redirect.filter(|url| url.starts_with("http://") || url.starts_with("https://")) {
        let encode = |text: &str| utf8_percent_encode(text, LOCATION).to_string();
        let sign = if url.contains('?') { '&' } else { '?' };
        let query = format!("bucket={}&key={}&etag={}", encode(bucket), encode(&key), encode(&etag));
        let mut response = moved(303, &format!("{url}{sign}{query}"));
        if let Some(etag) = stored.headers().get(ETAG) {
            response.headers_mut().insert(ETAG, etag.clone());
        }
        return response;
    }
    let host = wire::host(incoming.head);
    let by_host = wire::bucket_of_host(incoming.head).is_some();
    let folder = if by_host { String::new() } else { format!("{bucket}/") };
    let location = format!("http://{host}/{folder}{}", utf8_percent_encode(&key, LOCATION));
    let mut response = stored;
    response.headers_mut().remove(CONTENT_TYPE);
    response.headers_mut().remove(CONTENT_LENGTH);
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    match form.get("success_action_status") {
        Some("200") => *response.status_mut() = StatusCode::OK,
        Some("201") => {
            *response.status_mut() = StatusCode::CREATED;
            let text = form::post_response(&location, bucket, &key, &etag);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            *response.body_mut() = Bytes::from(text);
        }
        _ => *response.status_mut() = StatusCode::NO_CONTENT,
    }
    response
}
