//! Nothing from outside panics, and what is written can be read back.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::model::{Kind, Model, Shape};
use crate::wire::{Protocol, cbor, encode, encode_error, json, likely, validate, xml};

/// Method, path and headers.
type Head = (&'static str, String, Vec<(&'static str, String)>);

/// Heads that lead into every protocol, with room for a path and an operation.
fn heads(path: &str, word: &str) -> Vec<Head> {
    let auth = |service: &str| vec![("authorization", signed(service))];
    let form = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    vec![
        ("POST", "/".to_owned(), vec![("x-amz-target", "Logs_20140328.PutLogEvents".to_owned())]),
        ("POST", "/".to_owned(), vec![("x-amz-target", word.to_owned())]),
        ("POST", "/".to_owned(), form),
        (
            "POST",
            "/service/GraniteServiceVersion20100801/operation/PutMetricData".to_owned(),
            vec![("smithy-protocol", "rpc-v2-cbor".to_owned())],
        ),
        ("PUT", format!("/b/{path}"), auth("s3")),
        ("POST", format!("/{path}?delete"), vec![("host", format!("{word}.s3.localhost"))]),
        ("POST", "/2015-03-31/functions".to_owned(), auth("lambda")),
        ("POST", "/schedules/x".to_owned(), auth("scheduler")),
        (
            "PUT",
            "/b/k".to_owned(),
            vec![("x-amz-content-sha256", "STREAMING-X".to_owned()), ("x-amz-decoded-content-length", "3".to_owned())],
        ),
        ("GET", format!("/{path}"), auth(word)),
    ]
}

fn survive(path: &str, word: &str, body: &[u8]) {
    for (method, uri, headers) in heads(path, word) {
        let mut builder = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let Ok(request) = builder.body(Bytes::copy_from_slice(body)) else { continue };
        let (parts, body) = request.into_parts();
        let (protocol, service) = likely(&parts, &body);
        match read(&(parts, body)) {
            Ok((detected, decoded)) => drop(validate(detected.operation, &decoded.input)),
            Err(error) => drop(encode_error(protocol, service, None, &error, "id")),
        }
    }
}

/// A value of a shape: what an answer might hold.
fn value_of(model: &'static Model, shape: &'static Shape, depth: u32) -> BoxedStrategy<Value> {
    match &shape.kind {
        Kind::String => "[ -~äあ\n]{0,8}".prop_map(Value::from).boxed(),
        Kind::Integer { long: false } => any::<i32>().prop_map(Value::from).boxed(),
        Kind::Integer { long: true } => any::<i64>().prop_map(Value::from).boxed(),
        Kind::Float => (-1e9..1e9_f64).prop_map(Value::from).boxed(),
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Blob => Just(Value::from("aGVsbG8=")).boxed(),
        // From 1970 to 2200: within the 53 bits in which seconds with a fraction are exact to a millisecond.
        Kind::Timestamp => (0..7_258_118_400_000_i64).prop_map(Value::from).boxed(),
        Kind::List(_) | Kind::Map(..) | Kind::Structure(_) if depth == 0 => Just(Value::Null).boxed(),
        Kind::List(element) => {
            let element = value_of(model, model.shape(element.shape), depth - 1);
            // An empty list that is flattened cannot be told from none.
            prop::collection::vec(element, 1..3).prop_map(Value::Array).boxed()
        }
        Kind::Map(_, element) => {
            let element = value_of(model, model.shape(element.shape), depth - 1);
            prop::collection::btree_map("[a-z]{1,4}", element, 1..3).prop_map(|map| map.into_iter().collect()).boxed()
        }
        Kind::Structure(structure) => {
            let members = structure.members.iter().filter(|member| member.location.is_none());
            let members: Vec<_> = members
                .map(|member| {
                    let value = value_of(model, model.shape(member.shape), depth - 1);
                    (Just(member.name), prop::option::of(value))
                })
                .collect();
            let chosen = |members: Vec<(&'static str, Option<Value>)>| {
                let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
                Value::Object(given.collect())
            };
            members.prop_map(chosen).boxed()
        }
    }
}

/// Values without nulls, and without what is empty because its contents were left out.
fn pruned(value: Value) -> Option<Value> {
    Some(match value {
        Value::Null => return None,
        Value::Array(values) => {
            let values: Vec<_> = values.into_iter().filter_map(pruned).collect();
            if values.is_empty() {
                return None;
            }
            Value::Array(values)
        }
        Value::Object(map) => {
            let map: Map<_, _> = map.into_iter().filter_map(|(name, value)| Some((name, pruned(value)?))).collect();
            if map.is_empty() {
                return None;
            }
            Value::Object(map)
        }
        value => value,
    })
}

fn output_of(service: &str, name: &str) -> BoxedStrategy<Value> {
    let shape = operation(service, name).output_shape().unwrap();
    value_of(Model::of(service).unwrap(), shape, 5).prop_map(|value| pruned(value).unwrap_or(json!({}))).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_do_not_panic(path in "[!-~]{0,20}", word in "[!-~]{0,20}", body in prop::collection::vec(any::<u8>(), 0..200)) {
        survive(&path, &word, &body);
    }

    #[test]
    fn nearly_right_bodies_do_not_panic(body in r#"(\{|\}|\[|\]|"logEvents":|"a"|,|1|null|<Delete>|</Delete>|<Object>|&a;|3\r\nabc\r\n|0\r\n|Action=|PutMetricData|&|Version=2010-08-01|MetricData\.member\.1=|%|\.){0,12}"#) {
        survive("%2F", "Logs_20140328.FilterLogEvents", body.as_bytes());
    }

    #[test]
    fn json_reads_what_it_wrote(value in output_of("logs", "DescribeLogGroups")) {
        let find = operation("logs", "DescribeLogGroups");
        let response = encode(Protocol::AwsJson11, find, &reply(value.clone()), "id");
        prop_assert_eq!(response.status().as_u16(), 200);
        let read = json::parse(find.model(), find.output_shape().unwrap(), response.body(), &mut Vec::new()).unwrap();
        prop_assert_eq!(Value::Object(read), value);
    }

    #[test]
    fn cbor_reads_what_it_wrote(value in output_of("cloudwatch", "GetMetricData")) {
        let get = operation("cloudwatch", "GetMetricData");
        let response = encode(Protocol::RpcV2Cbor, get, &reply(value.clone()), "id");
        prop_assert_eq!(response.status().as_u16(), 200);
        let structure = get.output_shape().unwrap().structure().unwrap();
        let read = cbor::parse(get.model(), structure, response.body(), &mut Vec::new()).unwrap();
        prop_assert_eq!(Value::Object(read), value);
    }

    #[test]
    fn xml_reads_what_it_wrote(value in output_of("s3", "ListObjectVersions")) {
        let list = operation("s3", "ListObjectVersions");
        let response = encode(Protocol::RestXml, list, &reply(value.clone()), "id");
        prop_assert_eq!(response.status().as_u16(), 200);
        let root = xml::parse(response.body()).unwrap().unwrap();
        let structure = list.output_shape().unwrap().structure().unwrap();
        let read = xml::read_structure(list.model(), structure, &root, &mut Vec::new()).unwrap();
        prop_assert_eq!(Value::Object(read), value);
    }
}

/// Every operation of every model can be answered emptily in its protocols, and its input validated, without a panic.
#[test]
fn every_operation_is_encodable() {
    for model in Model::all() {
        for operation in model.operations() {
            for name in &model.metadata.protocols {
                let protocol = match *name {
                    "json" => Protocol::AwsJson11,
                    "query" => Protocol::Query,
                    "ec2" => Protocol::Ec2,
                    "rest-json" => Protocol::RestJson,
                    "rest-xml" => Protocol::RestXml,
                    "smithy-rpc-v2-cbor" => Protocol::RpcV2Cbor,
                    other => panic!("the protocol {other} of {} is not spoken", model.service),
                };
                let response = encode(protocol, operation, &reply(json!({})), "id");
                assert_eq!(response.status().as_u16(), operation.http.status, "{} {}", model.service, operation.name);
            }
            let _ = validate(operation, &json!({}));
        }
    }
}
