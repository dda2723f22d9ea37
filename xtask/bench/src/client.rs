//! One connection to a server, and requests as SDKs make them.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::Failure;

/// A signature of the right form; none of the servers has a secret to check it by.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=123456789012/20260302/us-east-1/SERVICE/aws4_request, \
    SignedHeaders=content-type;host;x-amz-date;x-amz-target, \
    Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// One keep-alive connection.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let stream = tokio::net::TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // An error of the connection shows in the request that is under way.
        tokio::spawn(connection);
        Ok(Self { sender, address })
    }

    /// Calls an operation; whatever is not 200 is an error.
    pub async fn call(&mut self, target: &str, body: Bytes) -> Result<Bytes, Failure> {
        let (service, content_type) = match target.split_once('_').map_or(target, |(service, _)| service) {
            "Logs" => ("logs", "application/x-amz-json-1.1"),
            "DynamoDB" => ("dynamodb", "application/x-amz-json-1.0"),
            _ => ("sqs", "application/x-amz-json-1.0"),
        };
        let request = Request::post("/")
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, content_type)
            .header("x-amz-target", target)
            .header("x-amz-date", "20260302T120000Z")
            .header(header::AUTHORIZATION, AUTHORIZATION.replace("SERVICE", service))
            .header(header::USER_AGENT, "aws-sdk-rust/1.0")
            .body(Full::new(body))?;
        let (status, answer) = self.send(request).await?;
        if status == StatusCode::OK {
            return Ok(answer);
        }
        Err(format!("{target}: {status}: {}", String::from_utf8_lossy(&answer)).into())
    }

    /// Sends a request of a service that speaks REST.
    pub async fn rest(
        &mut self,
        service: &str,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header("x-amz-date", "20260302T120000Z")
            .header(header::AUTHORIZATION, AUTHORIZATION.replace("SERVICE", service))
            .header(header::USER_AGENT, "aws-sdk-rust/1.0")
            .body(Full::new(body))?;
        self.send(request).await
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure> {
        // A server that closes after each answer, as moto's does, is connected to again: that is part of its cost.
        if self.sender.ready().await.is_err() {
            *self = Self::connect(self.address).await?;
        }
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// The same with JSON.
    pub async fn json(&mut self, target: &str, body: Value) -> Result<Value, Failure> {
        Ok(serde_json::from_slice(&self.call(target, body.to_string().into()).await?)?)
    }
}
