//! Requests and answers as SDKs and AWS write them.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use http::Request;
use http::request::Parts;
use serde_json::Value;

use super::{Decoded, Detected, decode, detect};
use crate::cloud::reply::Reply;
use crate::{Error, Result};

mod awsjson;
mod bound;
mod chaos;
mod dynamodb;
mod restjson;
mod rpc;
mod s3;
mod s3_route;
mod sdk;
mod sqs;
mod straight;
mod validation;
mod xml_query;

/// A request as it comes off the wire: a line, headers, a body.
fn request(method: &str, uri: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> (Parts, Bytes) {
    let mut builder = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let (parts, body) = builder.body(body.into()).unwrap().into_parts();
    (parts, body)
}

/// An `Authorization` header whose credential scope names the service.
fn signed(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260302/us-east-1/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
    )
}

fn read(request: &(Parts, Bytes)) -> Result<(Detected, Decoded), Error> {
    let detected = detect(&request.0, &request.1)?;
    let decoded = decode(&detected, &request.0, &request.1)?;
    Ok((detected, decoded))
}

fn reply(output: Value) -> Reply {
    Reply::output(output)
}

fn text(response: &http::Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

fn operation(service: &str, name: &str) -> &'static crate::model::OperationModel {
    crate::model::Model::of(service).unwrap().operation(name).unwrap()
}
