//! The SDK's HTTP client: hosts of AWS are this cloud, `NAME.sink.localhost` is a sink, and there is nothing else.

use std::sync::{Arc, Weak};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::BodyExt;

use crate::clock::Activity;
use crate::cloud::{Cloud, Entry, Halt, Inner};
use crate::sinks::SINK_DOMAIN;

/// The way from an SDK client to the cloud.
#[derive(Clone)]
pub(super) struct Connector(Way);

#[derive(Clone)]
enum Way {
    /// For clients that may keep the cloud alive.
    Lasting(Cloud),
    /// For clients inside the cloud, which it owns.
    Passing(Weak<Inner>),
}

impl Connector {
    pub fn lasting(cloud: Cloud) -> Self {
        Self(Way::Lasting(cloud))
    }

    pub fn passing(cloud: &Cloud) -> Self {
        Self(Way::Passing(Arc::downgrade(&cloud.0)))
    }

    fn cloud(&self) -> Option<Cloud> {
        match &self.0 {
            Way::Lasting(cloud) => Some(cloud.clone()),
            Way::Passing(cloud) => cloud.upgrade().map(Cloud),
        }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let cloud = self.cloud();
        HttpConnectorFuture::new(async move {
            let cloud = cloud.ok_or_else(|| other("the cloud is gone"))?;
            let request = read(request).await?;
            let invocation = Activity::current().and_then(|activity| activity.invocation().cloned());
            let entry = Entry { invocation, source_ip: None };
            let host = request.uri().host().unwrap_or_default();
            let outcome = if host.ends_with(SINK_DOMAIN) {
                cloud.0.outside(request, &entry).await
            } else {
                cloud.0.http(request, &entry).await
            };
            let response = outcome.map_err(broken)?;
            let response = response.map(|body| if body.is_empty() { SdkBody::empty() } else { SdkBody::from(body) });
            HttpResponse::try_from(response).map_err(other)
        })
    }
}

async fn read(request: HttpRequest) -> Result<http::Request<Bytes>, ConnectorError> {
    let request = request.try_into_http1x().map_err(other)?;
    let (mut head, body) = request.into_parts();
    if !head.headers.contains_key(http::header::HOST)
        && let Some(authority) = head.uri.authority()
    {
        let host = http::HeaderValue::from_str(authority.as_str()).map_err(other)?;
        head.headers.insert(http::header::HOST, host);
    }
    let body = match body.bytes() {
        Some(bytes) => Bytes::copy_from_slice(bytes),
        None => body.collect().await.map_err(ConnectorError::io)?.to_bytes(),
    };
    Ok(http::Request::from_parts(head, body))
}

/// How a broken connection looks to the SDK: an error of transport, which it may retry.
fn broken(halt: Halt) -> ConnectorError {
    match halt {
        Halt::Error(error) => other(error),
        Halt::Lost => io(std::io::ErrorKind::ConnectionReset),
        Halt::Refused => io(std::io::ErrorKind::ConnectionRefused),
        Halt::Crashed => io(std::io::ErrorKind::ConnectionAborted),
    }
}

fn io(kind: std::io::ErrorKind) -> ConnectorError {
    ConnectorError::io(std::io::Error::from(kind).into())
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::other(error.into(), None)
}
