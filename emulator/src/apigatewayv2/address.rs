//! Requests that are addressed to an API of this service: whose they are, and who signed them.

use bytes::Bytes;
use http::request::Parts;

use super::Apis;
use super::authorize::{INVOKE, Verdict};
use super::state::Api;
use crate::cloud::{Caller, IamMode, Inner, Scope, Target};
use crate::execute_api::{Address, Form};
use crate::sigv4::Dialect;
use crate::wire;

/// Where the API of an address is, and whether it is a WebSocket API.
pub(crate) fn owner(inner: &Inner, address: &Address) -> Option<(Scope, bool)> {
    let here = |scope: &Scope| address.region.as_deref().is_none_or(|region| region == &*scope.region);
    inner.running::<Apis>("apigatewayv2")?.find(|scope, apis| {
        let api = apis.apis.get(&address.api).filter(|_| here(scope))?;
        Some((scope.clone(), api.is_websocket()))
    })
}

/// Whether an API is closed to an address: its default endpoint is, where it is disabled.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-disable-default-endpoint.html>
pub(super) fn is_closed(api: &Api, address: &Address) -> bool {
    api.definition.disable_execute_api_endpoint == Some(true) && address.form != Form::Custom
}

/// The host name by which clients reach the API: `requestContext.domainName`. A local one has its port, so that
/// `http://{domainName}/{stage}` leads back here.
pub(super) fn domain_name(address: &Address, head: &Parts) -> String {
    let host = wire::host(head).to_ascii_lowercase();
    if address.form != Form::Path {
        return host;
    }
    // The API is not in the host name. What the host has beyond its name is its port.
    let port = host.strip_prefix(&*address.domain).unwrap_or_default();
    format!("{}.execute-api.localhost{port}", address.api)
}

/// Whether who signed a request may invoke this route: `AWS_IAM`.
pub(super) fn signed(inner: &Inner, scope: &Scope, request: (&Parts, &Bytes), resource: &str) -> Verdict {
    let (head, body) = request;
    let caller = match inner.signer(head, body, Dialect::Json { rest: true }) {
        Ok(Some((caller, _))) => caller,
        Ok(None) if inner.iam == IamMode::Enforce => return Verdict::Forbidden,
        Ok(None) => Caller::root(&scope.account),
        Err(error) => {
            tracing::debug!(%error, "a signature was refused");
            return Verdict::Forbidden;
        }
    };
    let target = Target::on(resource).owner(&*scope.account);
    if inner.access_in(&caller, scope).may_on(INVOKE, &target) { Verdict::Allowed(None) } else { Verdict::Forbidden }
}
