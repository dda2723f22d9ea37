//! What browsers send S3 and no SDK does: preflight requests, forms, and requests to websites.
//!
//! Forms are `post.rs`; here is which request is what, and the rest.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION, ORIGIN, SERVER};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::state::{Bucket, Buckets};
use super::website::{self, Redirect, Website};
use super::{errors, guard, post};
use crate::cloud::{Arrived, At, Call, Caller, Halt, IamMode, Inner, Reply, Scope};
use crate::iam::Principal;
use crate::wire::headers::{AMZ_SERVER_SIDE_ENCRYPTION, AMZ_TARGET, text};
use crate::wire::{self, Protocol};
use crate::{Error, Result};

/// The header by which a browser asks whether it may use a method.
const ASKED_METHOD: &str = "access-control-request-method";
/// What S3 calls itself.
const SERVER_NAME: HeaderValue = HeaderValue::from_static("AmazonS3");

/// The bucket and the key that a request is addressed to, path style or by its host name.
pub(super) fn place(head: &Parts) -> (String, String) {
    let path = head.uri.path();
    let path = path.strip_prefix('/').unwrap_or(path);
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    match wire::bucket_of_host(head) {
        Some(bucket) => (bucket, decode(path)),
        None => {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            (decode(bucket), decode(key))
        }
    }
}

/// Answers what is no call of an operation; `None` for everything else.
pub(crate) async fn answer(inner: &Inner, incoming: &Arrived<'_>) -> Option<Result<Response<Bytes>, Halt>> {
    let head = incoming.head;
    if let Some(bucket) = website_of_host(head) {
        return Some(Ok(Box::pin(serve(inner, incoming, &bucket)).await));
    }
    if head.method == Method::OPTIONS {
        let answer = preflight(inner, head).map(|headers| {
            let mut response = Response::new(Bytes::new());
            *response.headers_mut() = headers;
            wire::stamp(&mut response, Protocol::RestXml, "s3", incoming.request_id);
            response
        });
        let mut response = answer.unwrap_or_else(|error| refusal(&error, incoming.request_id));
        response.headers_mut().insert(SERVER, SERVER_NAME);
        return Some(Ok(response));
    }
    if let Some(error) = misplaced(head) {
        let mut response = refusal(&error, incoming.request_id);
        if head.method == Method::HEAD {
            *response.body_mut() = Bytes::new();
        }
        response.headers_mut().insert(SERVER, SERVER_NAME);
        return Some(Ok(response));
    }
    let form = head.headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"multipart/form-data"));
    if head.method == Method::POST && form && !head.headers.contains_key(&AMZ_TARGET) {
        return Some(Box::pin(post::take(inner, incoming)).await);
    }
    None
}

/// The header of writes that S3 refuses where an object is read. No model has it there, so that operations do not see it.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
fn misplaced(head: &Parts) -> Option<Error> {
    if head.method != Method::GET && head.method != Method::HEAD {
        return None;
    }
    let value = text(&head.headers, &AMZ_SERVER_SIDE_ENCRYPTION)?;
    if place(head).1.is_empty() {
        return None;
    }
    let name = AMZ_SERVER_SIDE_ENCRYPTION.as_str();
    Some(errors::invalid_argument(name, value, format!("{name} header is not supported for this operation.")))
}

pub(super) fn refusal(error: &Error, request_id: &str) -> Response<Bytes> {
    wire::encode_error(Protocol::RestXml, "s3", None, error, request_id)
}

/// Adds to an answer of S3 what its request decides on: who may see it across origins.
pub(crate) fn dress(inner: &Inner, head: &Parts, bucket: Option<&str>, response: &mut Response<Bytes>) {
    response.headers_mut().insert(SERVER, SERVER_NAME);
    let (Some(origin), Some(bucket)) = (text(&head.headers, ORIGIN), bucket) else { return };
    let Some(state) = inner.state_of::<Buckets>("s3", &inner.scope) else { return };
    let cors = state.buckets.get(bucket).and_then(|bucket| bucket.configuration.cors.as_ref());
    // What a preflight request asks for, S3 takes from every request that says it.
    let method = text(&head.headers, ASKED_METHOD).unwrap_or(head.method.as_str());
    if let Some(headers) = cors.and_then(|cors| cors.answer(origin, method, &asked_headers(head))) {
        response.headers_mut().extend(headers);
    }
}

/// The refusal of an upload by nobody in particular that waits for `100 Continue`: it comes before the body does. Whoever signs
/// is told when all is there, for a signature may be of the body.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonRequestHeaders.html>
pub(crate) fn refused_ahead(inner: &Inner, head: &Parts) -> Option<Response<Bytes>> {
    let signed = head.headers.contains_key(AUTHORIZATION) || head.uri.query().is_some();
    if inner.iam != IamMode::Enforce || head.method != Method::PUT || signed {
        return None;
    }
    let (bucket, key) = place(head);
    let state = inner.state_of::<Buckets>("s3", &inner.scope)?;
    if key.is_empty() || !state.buckets.contains_key(&*bucket) {
        return None;
    }
    let action = "s3:PutObject";
    let target = guard::on_object(&At { scope: &inner.scope, state: &state }, &bucket, &key, None, action);
    let denied = inner.access(&Caller::new(Principal::Anonymous)).require(action, &target).err()?;
    let mut response = refusal(&denied, &inner.next_request_id());
    response.headers_mut().insert(SERVER, SERVER_NAME);
    Some(response)
}

/// Whether the body of a request may be one that is stored as it is. Not all such requests are S3's; a digest for nothing costs
/// little.
pub(crate) fn is_upload(head: &Parts) -> bool {
    head.method == Method::PUT && !wire::chunked::is_chunked(&head.headers)
}

/// Whoever sends a request without a signature: nobody, or where permissions do not count, the account itself.
pub(super) fn unsigned(inner: &Inner, account: &str) -> Caller {
    match inner.iam {
        IamMode::Enforce => Caller::new(Principal::Anonymous),
        IamMode::Off | IamMode::Audit => Caller::root(account),
    }
}

/// The headers that a browser asks whether it may send, in lower case.
fn asked_headers(head: &Parts) -> Vec<String> {
    let headers = text(&head.headers, "access-control-request-headers").unwrap_or_default();
    let headers = headers.split(',').map(|header| header.trim().to_ascii_lowercase());
    headers.filter(|header| !header.is_empty()).collect()
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html>
fn preflight(inner: &Inner, head: &Parts) -> Result<HeaderMap> {
    let origin = text(&head.headers, ORIGIN)
        .ok_or_else(|| Error::new(400, "BadRequest", "Insufficient information. Origin request header needed."))?;
    let (bucket, key) = place(head);
    let asked = text(&head.headers, ASKED_METHOD);
    let forbidden = |text: &str, kind: &str| {
        Error::new(403, "AccessForbidden", format!("CORSResponse: {text}"))
            .with("Method", asked.unwrap_or("OPTIONS"))
            .with("ResourceType", kind)
    };
    let state = inner.state_of::<Buckets>("s3", &inner.scope).unwrap_or_default();
    let bucket = state.buckets.get(&*bucket).ok_or_else(|| forbidden("Bucket not found", "BUCKET"))?;
    let cors = bucket.configuration.cors.as_ref();
    let cors = cors.ok_or_else(|| forbidden("CORS is not enabled for this bucket.", "BUCKET"))?;
    let Some(method) = asked else {
        return Err(Error::new(400, "BadRequest", "Invalid Access-Control-Request-Method: null"));
    };
    cors.answer(origin, method, &asked_headers(head)).ok_or_else(|| {
        let text = "This CORS request is not allowed. This is usually because the evalution of Origin, request method / \
                    Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's \
                    CORS spec.";
        forbidden(text, if key.is_empty() { "BUCKET" } else { "OBJECT" })
    })
}

/// The bucket of a request to a website: `{bucket}.s3-website-{region}.amazonaws.com`, or a dot before the region, and
/// `{bucket}.s3-website` below `localhost` and `localhost.localstack.cloud`.
fn website_of_host(head: &Parts) -> Option<String> {
    let host = wire::host(head);
    if wire::is_nameless(host) {
        return None;
    }
    let at = host.find(".s3-website")?;
    let rest = host.get(at + ".s3-website".len()..)?;
    rest.starts_with(['.', '-']).then(|| host.get(..at).unwrap_or_default().to_ascii_lowercase())
}

/// A request to a website.
struct Visit<'a> {
    inner: &'a Inner,
    incoming: &'a Arrived<'a>,
    bucket: &'a Bucket,
}

async fn serve(inner: &Inner, incoming: &Arrived<'_>, name: &str) -> Response<Bytes> {
    let head = incoming.head;
    if head.method != Method::GET && head.method != Method::HEAD {
        let text = "The specified method is not allowed against this resource.";
        let error = Error::new(405, "MethodNotAllowed", text)
            .with("Method", head.method.as_str())
            .with("ResourceType", "OBJECT");
        return page(&error, incoming.request_id, None);
    }
    let state = inner.state_of::<Buckets>("s3", &inner.scope).unwrap_or_default();
    let Some(bucket) = state.buckets.get(name) else {
        return page(&errors::no_such_bucket(name), incoming.request_id, None);
    };
    let Some(website) = &bucket.configuration.website else {
        return page(&website::missing(name), incoming.request_id, None);
    };
    let path = percent_encoding::percent_decode_str(head.uri.path()).decode_utf8_lossy();
    let path = path.strip_prefix('/').unwrap_or(&path);
    Visit { inner, incoming, bucket }.answer(website, path).await
}

impl Visit<'_> {
    async fn answer(&self, website: &Website, path: &str) -> Response<Bytes> {
        if let Some(all) = &website.redirect_all_requests_to {
            let protocol = all.protocol.as_deref().unwrap_or("http");
            let query = self.incoming.head.uri.path_and_query().map_or("/", |path| path.as_str());
            return moved(301, &format!("{protocol}://{}{query}", all.host_name));
        }
        if let Some(rule) = website.rule(path, None) {
            return self.redirect(&rule.redirect, rule.prefix(), path);
        }
        let key = website.key(path);
        let error = match self.get(&key, true).await {
            Ok(reply) => return self.shown(reply),
            Err(error) if error.status() == 304 => return refusal(&error, self.incoming.request_id),
            Err(error) => error,
        };
        // A folder is asked for without its slash.
        if error.status() == 404 && !path.is_empty() && !path.ends_with('/') {
            let index = website.key(&format!("{path}/"));
            if self.bucket.objects.contains_key(index.as_str()) {
                return moved(302, &format!("/{path}/"));
            }
        }
        if let Some(rule) = website.rule(path, Some(error.status())) {
            return self.redirect(&rule.redirect, rule.prefix(), path);
        }
        let Some(document) = &website.error_document else {
            return page(&error, self.incoming.request_id, None);
        };
        match self.get(&document.key, false).await {
            Ok(reply) => {
                let mut response = self.shown(reply);
                if response.status() == StatusCode::OK {
                    *response.status_mut() = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::NOT_FOUND);
                }
                response
            }
            Err(second) => page(&error, self.incoming.request_id, Some(&second)),
        }
    }

    async fn get(&self, key: &str, conditional: bool) -> Result<Reply> {
        let mut caller = unsigned(self.inner, &self.bucket.owner);
        caller.source_ip = self.incoming.entry.source_ip;
        let scope = Scope::new(self.bucket.owner.clone(), self.bucket.region.clone());
        let mut input = json!({ "Bucket": &*self.bucket.name, "Key": key });
        if conditional {
            for (header, member) in [("if-match", "IfMatch"), ("if-none-match", "IfNoneMatch"), ("range", "Range")] {
                if let Some(value) = text(&self.incoming.head.headers, header) {
                    input[member] = value.into();
                }
            }
        }
        let call = Call::new("s3", "GetObject", caller, scope, input);
        self.inner.call(call, self.incoming.request_id).await.map_err(Halt::into_error)
    }

    /// The object, or where it says that it has gone.
    fn shown(&self, mut reply: Reply) -> Response<Bytes> {
        if let Some(to) = reply.output.get("WebsiteRedirectLocation").and_then(Value::as_str) {
            return moved(301, to);
        }
        let Some(operation) = crate::model::Model::of("s3").and_then(|model| model.operation("GetObject")) else {
            return refusal(&Error::internal("S3 has no GetObject"), self.incoming.request_id);
        };
        if self.incoming.head.method == Method::HEAD {
            reply.body = None;
        }
        let mut response = wire::encode(Protocol::RestXml, operation, &reply, self.incoming.request_id);
        response.headers_mut().insert(SERVER, SERVER_NAME);
        response
    }

    fn redirect(&self, redirect: &Redirect, prefix: &str, path: &str) -> Response<Bytes> {
        let host = wire::host(self.incoming.head);
        let host = redirect.host_name.as_deref().unwrap_or(host);
        let protocol = redirect.protocol.as_deref().unwrap_or("http");
        let key = match (&redirect.replace_key_with, &redirect.replace_key_prefix_with) {
            (Some(key), _) => key.clone(),
            (None, Some(new)) => format!("{new}{}", path.strip_prefix(prefix).unwrap_or(path)),
            (None, None) => path.to_owned(),
        };
        let code = redirect.http_redirect_code.as_deref().and_then(|code| code.parse().ok()).unwrap_or(301);
        moved(code, &format!("{protocol}://{host}/{key}"))
    }
}

/// A redirection. What cannot be a header's value is percent-encoded.
pub(super) fn moved(status: u16, to: &str) -> Response<Bytes> {
    let to: String = percent_encoding::utf8_percent_encode(to, percent_encoding::CONTROLS).to_string();
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::MOVED_PERMANENTLY);
    if let Ok(to) = HeaderValue::from_str(&to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response.headers_mut().insert(SERVER, SERVER_NAME);
    response
}

/// An error as people read it. `custom` is why the website's own document for errors is not shown.
fn page(error: &Error, request_id: &str, custom: Option<&Error>) -> Response<Bytes> {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let items = |error: &Error| {
        let mut items = format!("<li>Code: {}</li>\n<li>Message: {}</li>\n", error.code(), escape(error.message()));
        for (name, value) in error.members() {
            if name.starts_with(|first: char| first.is_ascii_uppercase()) {
                items.push_str(&format!("<li>{name}: {}</li>\n", escape(value.as_str().unwrap_or_default())));
            }
        }
        items
    };
    let custom = custom.map(|error| {
        format!(
            "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n{}</ul>\n",
            items(error)
        )
    });
    let text = format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n{}<li>RequestId: {request_id}</li>\n\
         <li>HostId: {}</li>\n</ul>\n{}<hr/>\n</body>\n</html>\n",
        items(error),
        wire::host_id(request_id),
        custom.unwrap_or_default(),
    );
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(SERVER, SERVER_NAME);
    response
}
