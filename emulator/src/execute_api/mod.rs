//! The data plane of Amazon API Gateway: HTTP requests to deployed APIs.
//!
//! It is no service of its own: code beside the states, which reads what is deployed, and makes its calls through the front
//! door. `address.rs` says which API a request is for; the API's owner answers it.

mod address;

use bytes::Bytes;
use http::Response;
use http::request::Parts;

pub(crate) use address::{Address, address};

use crate::apigatewayv2;
use crate::cloud::{Entry, Halt, Inner, Scope};

/// A request to an API, on its way to the API's owner.
pub(crate) struct Incoming<'a> {
    /// Where to.
    pub address: Address,
    /// Method, URI and headers.
    pub head: &'a Parts,
    /// The body.
    pub body: &'a Bytes,
    /// How it came in.
    pub entry: &'a Entry,
    /// The id of the request, as its answer carries it.
    pub request_id: &'a str,
}

/// Which service an API belongs to.
enum Owner {
    /// `apigateway`: REST APIs.
    Rest(Scope),
    /// `apigatewayv2`: HTTP APIs, and WebSocket APIs if so.
    Second(Scope, bool),
}

/// Answers a request that is addressed to an API.
pub(crate) async fn answer(inner: &Inner, incoming: Incoming<'_>) -> Result<Response<Bytes>, Halt> {
    match owner(inner, &incoming.address) {
        Some(Owner::Rest(scope)) => Ok(plain(501, format!("REST API in {}", scope.region))),
        Some(Owner::Second(scope, is_websocket)) => apigatewayv2::answer(inner, &scope, is_websocket, incoming).await,
        // An API that does not exist has no name at AWS; its endpoint answers so to names that it does not know.
        None => Ok(plain(403, r#"{"message":"Forbidden"}"#.to_owned())),
    }
}

/// Finds the API by its id, which is unique in a region; an address without a region is looked for in all.
fn owner(inner: &Inner, address: &Address) -> Option<Owner> {
    let here = |scope: &Scope| address.region.as_deref().is_none_or(|region| region == &*scope.region);
    let rest = inner.running::<crate::apigateway::RestApis>("apigateway")?;
    rest.find(|scope, apis| (here(scope) && apis.has(&address.api)).then(|| scope.clone()))
        .map(Owner::Rest)
        .or_else(|| apigatewayv2::owner(inner, address).map(|(scope, is_websocket)| Owner::Second(scope, is_websocket)))
}

fn plain(status: u16, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
