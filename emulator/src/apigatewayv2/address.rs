//! Requests that are addressed to an API of this service: whose they are, and who signed them.

use bytes::Bytes;
use http::header::HOST;
use http::request::Parts;

use super::Apis;
use super::authorize::Verdict;
use crate::cloud::{Inner, Scope};
use crate::execute_api::Address;

/// Where the API of an address is, and whether it is a WebSocket API.
pub(crate) fn owner(inner: &Inner, address: &Address) -> Option<(Scope, bool)> {
    let here = |scope: &Scope| address.region.as_deref().is_none_or(|region| region == &*scope.region);
    inner.running::<Apis>("apigatewayv2")?.find(|scope, apis| {
        let api = apis.apis.get(&address.api).filter(|_| here(scope))?;
        Some((scope.clone(), api.is_websocket()))
    })
}

/// The host name by which clients reach the API: `requestContext.domainName`. A local one has its port, so that
/// `http://{domainName}/{stage}` leads back here.
pub(super) fn domain_name(address: &Address, head: &Parts) -> String {
    let header = head.headers.get(HOST).and_then(|value| value.to_str().ok());
    let host = header.or_else(|| head.uri.authority().map(|authority| authority.as_str())).unwrap_or_default();
    let host = host.to_ascii_lowercase();
    if address.stage.is_none() {
        return host;
    }
    // A path form: the API is not in the host name.
    let port = host.rsplit_once(':').map(|(_, port)| port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}.execute-api.localhost{port}", address.api)
}

/// Whether who signed a request may invoke this route.
pub(super) fn signed(_inner: &Inner, _scope: &Scope, _head: &Parts, _body: &Bytes, _resource: &str) -> Verdict {
    Verdict::Failed
}
