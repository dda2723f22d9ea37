//! Smithy RPC v2 CBOR: CloudWatch as today's SDKs speak it.

use ciborium::value::Value as Cbor;
use serde_json::json;

use super::*;
use crate::wire::{Protocol, encode, encode_error};

fn cbor(operation: &str, body: &Cbor) -> (Parts, Bytes) {
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).unwrap();
    raw(operation, bytes)
}

fn raw(operation: &str, bytes: Vec<u8>) -> (Parts, Bytes) {
    let uri = format!(
        "https://monitoring.us-east-1.amazonaws.com/service/GraniteServiceVersion20100801/operation/{operation}"
    );
    request("POST", &uri, &[("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")], bytes)
}

fn entry(name: &str, value: Cbor) -> (Cbor, Cbor) {
    (Cbor::from(name), value)
}

#[test]
fn put_metric_data_is_read() {
    let datum = Cbor::Map(vec![
        entry("MetricName", Cbor::from("m")),
        entry("Timestamp", Cbor::Tag(1, Box::new(Cbor::from(1_772_452_800.25)))),
        entry("Value", Cbor::from(7)),
        entry("StorageResolution", Cbor::from(60)),
        entry("Unit", Cbor::Null),
    ]);
    let body = Cbor::Map(vec![
        entry("Namespace", Cbor::from("N")),
        entry("MetricData", Cbor::Array(vec![datum])),
        entry("Odd", Cbor::Bool(true)),
    ]);
    let (detected, decoded) = read(&cbor("PutMetricData", &body)).unwrap();
    assert_eq!((detected.service, detected.protocol), ("cloudwatch", Protocol::RpcV2Cbor));
    let datum = json!({"MetricName": "m", "Timestamp": 1_772_452_800_250_i64, "Value": 7.0, "StorageResolution": 60});
    assert_eq!(decoded.input, json!({"Namespace": "N", "MetricData": [datum]}));
    assert_eq!(decoded.unknown, ["Odd"]);
}

#[test]
fn malformed_bodies_are_serialization_exceptions() {
    let deep = [vec![0x81; 100_000], vec![0x00]].concat();
    let wrong = Cbor::Map(vec![entry("Namespace", Cbor::from(5))]);
    let mut bytes = Vec::new();
    ciborium::into_writer(&wrong, &mut bytes).unwrap();
    for body in [vec![0xff], vec![0xa1, 0x61], deep, vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], bytes]
    {
        assert_eq!(read(&raw("PutMetricData", body)).unwrap_err().code(), "SerializationException");
    }
    assert_eq!(read(&raw("PutMetricData", Vec::new())).unwrap().1.input, json!({}));
}

#[test]
fn answers_carry_tagged_timestamps_and_the_protocol() {
    let output =
        json!({"Label": "m", "Datapoints": [{"Timestamp": 1_772_452_800_000_i64, "Sum": 2.5, "Unit": "Count"}]});
    let response = encode(Protocol::RpcV2Cbor, operation("cloudwatch", "GetMetricStatistics"), &reply(output), "id");
    assert_eq!(response.headers()["smithy-protocol"], "rpc-v2-cbor");
    assert_eq!(response.headers()["content-type"], "application/cbor");
    let body: Cbor = ciborium::from_reader(response.body().as_ref()).unwrap();
    let datapoint = Cbor::Map(vec![
        entry("Timestamp", Cbor::Tag(1, Box::new(Cbor::from(1_772_452_800.0)))),
        entry("Sum", Cbor::from(2.5)),
        entry("Unit", Cbor::from("Count")),
    ]);
    let expected = Cbor::Map(vec![entry("Label", Cbor::from("m")), entry("Datapoints", Cbor::Array(vec![datapoint]))]);
    assert_eq!(body, expected);
}

#[test]
fn errors_carry_the_shape_s_name_and_the_query_code() {
    let error = Error::client("InvalidParameterCombination", "no");
    let response = encode_error(Protocol::RpcV2Cbor, "cloudwatch", None, &error, "id");
    assert_eq!(response.headers()["x-amzn-query-error"], "InvalidParameterCombination;Sender");
    let body: Cbor = ciborium::from_reader(response.body().as_ref()).unwrap();
    let name = "com.amazonaws.cloudwatch#InvalidParameterCombinationException";
    let map = body.as_map().unwrap();
    assert_eq!(map[0], entry("__type", Cbor::from(name)));
    assert_eq!(map[1].1, Cbor::from("no"));
}
