//! `cargo xtask models`: distils the facts of AWS's service models into `emulator/models/<service>.json`.
//!
//! The source is the botocore package of PyPI, whose `data/` folder holds the models that AWS publishes for its
//! own SDK. Only facts are kept (names, types, limits, bindings); no prose. The output is stable: one operation
//! and one shape a line, so that a newer botocore shows as a readable diff.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

/// The release of botocore that the committed models come from.
const BOTOCORE: &str = "1.43.127";

/// The services whose models the emulator embeds. `emulator/src/model/mod.rs` lists the same names.
const SERVICES: &[&str] = &[
    "s3",
    "logs",
    "cloudwatch",
    "lambda",
    "scheduler",
    "iam",
    "sts",
    "cloudformation",
    "sqs",
    "kinesis",
    "kms",
    "dynamodb",
    "dynamodbstreams",
    "secretsmanager",
    "apigateway",
    "apigatewayv2",
    "apigatewaymanagementapi",
    "ssm",
    "sns",
    "events",
    "ecr",
    "glacier",
    "ec2",
];

/// Services of which only some operations are offered, because their models are too large to be carried along: those, and the
/// shapes that they need, are kept. Of all others the names remain, so that a refusal can tell what it refuses.
const PARTS: &[(&str, &[&str])] = &[("ec2", EC2)];

/// The offered operations of Amazon EC2, which has more than eight hundred.
const EC2: &[&str] = &[
    "AcceptVpcPeeringConnection",
    "AllocateAddress",
    "AssociateDhcpOptions",
    "AssociateRouteTable",
    "AttachInternetGateway",
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "CreateDhcpOptions",
    "CreateInternetGateway",
    "CreateNatGateway",
    "CreateRoute",
    "CreateRouteTable",
    "CreateSecurityGroup",
    "CreateSnapshot",
    "CreateSubnet",
    "CreateTags",
    "CreateVolume",
    "CreateVpc",
    "CreateVpcEndpoint",
    "CreateVpcPeeringConnection",
    "DeleteDhcpOptions",
    "DeleteInternetGateway",
    "DeleteKeyPair",
    "DeleteNatGateway",
    "DeleteRoute",
    "DeleteRouteTable",
    "DeleteSecurityGroup",
    "DeleteSnapshot",
    "DeleteSubnet",
    "DeleteTags",
    "DeleteVolume",
    "DeleteVpc",
    "DeleteVpcEndpoints",
    "DeleteVpcPeeringConnection",
    "DescribeAddresses",
    "DescribeAvailabilityZones",
    "DescribeDhcpOptions",
    "DescribeInstances",
    "DescribeInternetGateways",
    "DescribeKeyPairs",
    "DescribeNatGateways",
    "DescribeNetworkAcls",
    "DescribeNetworkInterfaces",
    "DescribePlacementGroups",
    "DescribeRegions",
    "DescribeRouteTables",
    "DescribeSecurityGroupRules",
    "DescribeSecurityGroups",
    "DescribeSnapshots",
    "DescribeSubnets",
    "DescribeTags",
    "DescribeVolumes",
    "DescribeVpcAttribute",
    "DescribeVpcEndpoints",
    "DescribeVpcPeeringConnections",
    "DescribeVpcs",
    "DetachInternetGateway",
    "DisassociateRouteTable",
    "ImportKeyPair",
    "ModifySubnetAttribute",
    "ModifyVpcAttribute",
    "ModifyVpcEndpoint",
    "RejectVpcPeeringConnection",
    "ReleaseAddress",
    "ReplaceRoute",
    "ReplaceRouteTableAssociation",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
];

/// What a service speaks that its model says no more: SQS's query protocol, which older SDKs and `curl` use. The names that
/// it has in that protocol come from the last release of botocore whose model was written for it.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html>
const SPOKEN_BESIDES: &[SpokenBesides] = &[SpokenBesides { service: "sqs", protocol: "query", botocore: "1.31.80" }];

/// A protocol that a service's model has lost.
struct SpokenBesides {
    service: &'static str,
    protocol: &'static str,
    /// The release whose model has the protocol's names.
    botocore: &'static str,
}

/// Names of lists that came after the protocol's model, from AWS's API reference: a shape and its elements' name.
const LATER_NAMES: &[(&str, &str)] = &[("MessageSystemAttributeList", "MessageSystemAttributeName")];

/// What is kept of a model's metadata. `protocol` is dropped in favour of the ordered `protocols`.
const METADATA: &[&str] = &[
    "apiVersion",
    "awsQueryCompatible",
    "endpointPrefix",
    "jsonVersion",
    "protocols",
    "serviceId",
    "signingName",
    "targetPrefix",
    "xmlNamespace",
];

/// What is kept of a shape besides its members.
const SHAPE: &[&str] = &[
    "type",
    "required",
    "min",
    "max",
    "pattern",
    "enum",
    "payload",
    "streaming",
    "flattened",
    "locationName",
    "xmlNamespace",
    "timestampFormat",
    "box",
    "sensitive",
    "document",
    "union",
    "eventstream",
    "event",
    "exception",
    "fault",
    "error",
];

/// What is kept of a member, a list's element, or a map's key and value.
const MEMBER: &[&str] = &[
    "shape",
    "location",
    "locationName",
    "queryName",
    "streaming",
    "flattened",
    "xmlAttribute",
    "xmlNamespace",
    "timestampFormat",
    "jsonvalue",
    "idempotencyToken",
    "box",
    "hostLabel",
    "eventpayload",
    "eventheader",
    "enum",
];

/// What is kept of how an operation pages.
const PAGINATOR: &[&str] = &["input_token", "output_token", "result_key", "more_results"];

/// Unpacks the newest version of each service's model out of the wheel, in Python because pip brings it along.
const UNPACK: &str = r#"
import gzip, pathlib, sys, zipfile
wheel, out, *services = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = archive.namelist()
    for service in services:
        endings = ('/service-2.json.gz', '/service-2.json')
        name = max(n for n in names if n.startswith(f'botocore/data/{service}/') and n.endswith(endings))
        model = archive.read(name)
        pathlib.Path(out, service + '.json').write_bytes(gzip.decompress(model) if name.endswith('.gz') else model)
        pages = name.replace('.gz', '').replace('/service-2.json', '/paginators-1.json')
        text = archive.read(pages) if pages in names else b'{"pagination":{}}'
        pathlib.Path(out, service + '.pages.json').write_bytes(text)
"#;

/// Where the models come from.
#[derive(clap::Args)]
pub struct Arguments {
    /// A botocore wheel that is on this machine already; without it pip downloads one.
    #[arg(long)]
    wheel: Option<PathBuf>,
}

/// Downloads (if need be), unpacks, distils and writes every service's model.
pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("xtask has no parent folder")?;
    let work = root.join("target/models");
    fs::create_dir_all(&work)?;
    let wheel = match &arguments.wheel {
        Some(wheel) => wheel.clone(),
        None => download(&work, BOTOCORE)?,
    };
    succeed(Command::new("python3").args(["-c", UNPACK]).arg(wheel).arg(&work).args(SERVICES))?;
    let models = root.join("emulator/models");
    fs::create_dir_all(&models)?;
    for service in SERVICES {
        let mut model: Value = serde_json::from_slice(&fs::read(work.join(format!("{service}.json")))?)?;
        if let Some(besides) = SPOKEN_BESIDES.iter().find(|besides| besides.service == *service) {
            let before = download(&work, besides.botocore)?;
            let folder = work.join(besides.botocore);
            fs::create_dir_all(&folder)?;
            succeed(Command::new("python3").args(["-c", UNPACK]).arg(before).arg(&folder).arg(service))?;
            let before: Value = serde_json::from_slice(&fs::read(folder.join(format!("{service}.json")))?)?;
            merge_query(&mut model, &before)?;
        }
        let pages: Value = serde_json::from_slice(&fs::read(work.join(format!("{service}.pages.json")))?)?;
        let text = distil(service, &model, &pages["pagination"]).map_err(|error| format!("{service}: {error}"))?;
        fs::write(models.join(format!("{service}.json")), &text)?;
        println!("{service}: {} KB", text.len() / 1024);
    }
    Ok(())
}

fn download(work: &Path, release: &str) -> Result<PathBuf, Box<dyn Error>> {
    let wheel = work.join(format!("botocore-{release}-py3-none-any.whl"));
    if !wheel.exists() {
        let package = format!("botocore=={release}");
        succeed(Command::new("pip").args(["download", &package, "--no-deps", "--quiet", "--dest"]).arg(work))?;
    }
    Ok(wheel)
}

fn succeed(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// Gives a model the names that it had in the query protocol: as `queryName`, because `locationName` is JSON's as well.
fn merge_query(model: &mut Value, before: &Value) -> Result<(), String> {
    let (then, now) = (object(&before["shapes"])?, "a model without shapes or operations");
    model["metadata"]["xmlNamespace"] = before["metadata"]["xmlNamespace"].clone();
    for (name, operation) in model["operations"].as_object_mut().ok_or(now)? {
        if let Some(wrapper) = before["operations"][name]["output"].get("resultWrapper") {
            operation["output"]["resultWrapper"] = wrapper.clone();
        }
    }
    for (name, shape) in model["shapes"].as_object_mut().ok_or(now)? {
        if let Some((_, element)) = LATER_NAMES.iter().find(|(list, _)| list == name) {
            shape["member"]["queryName"] = json!(element);
        }
        let Some(old) = then.get(name) else { continue };
        for key in ["error", "flattened"] {
            if let Some(value) = old.get(key) {
                shape[key] = value.clone();
            }
        }
        for key in ["member", "key", "value"] {
            if let Some(part) = shape.get_mut(key) {
                name_in_query(part, &old[key], then);
            }
        }
        for (name, member) in shape.get_mut("members").and_then(Value::as_object_mut).into_iter().flatten() {
            name_in_query(member, &old["members"][name], then);
        }
    }
    Ok(())
}

/// A member that does not say its own name is named by its shape.
fn name_in_query(member: &mut Value, old: &Value, shapes: &Map<String, Value>) {
    let of_shape = || shapes.get(old["shape"].as_str()?)?.get("locationName");
    if let Some(name) = old.get("locationName").or_else(of_shape) {
        member["queryName"] = name.clone();
    }
    if let Some(flattened) = old.get("flattened") {
        member["flattened"] = flattened.clone();
    }
}

/// One service's model as the emulator reads it.
fn distil(service: &str, model: &Value, pages: &Value) -> Result<String, String> {
    let operations = object(&model["operations"])?;
    let shapes = object(&model["shapes"])?;
    let mut text = String::new();
    let _ = writeln!(text, "{{\"service\":{},\"botocore\":{},", json!(service), json!(BOTOCORE));
    let _ = writeln!(text, "\"metadata\":{},", metadata(service, object(&model["metadata"])?));
    let mut lines = Vec::new();
    let mut reached = BTreeSet::new();
    let part = PARTS.iter().find(|(known, _)| *known == service).map(|(_, part)| *part);
    let (offered, others): (Vec<_>, Vec<_>) =
        operations.iter().partition(|(name, _)| part.is_none_or(|part| part.contains(&name.as_str())));
    for (name, operation) in offered {
        let mut kept = distil_operation(operation, shapes, &mut reached)?;
        if let Some(pages) = pages.get(name) {
            kept.insert("paginator".into(), Value::Object(keep(object(pages)?, PAGINATOR)));
        }
        lines.push(format!("{}:{}", json!(name), Value::Object(kept)));
    }
    let _ = writeln!(text, "\"operations\":{{\n{}\n}},", lines.join(",\n"));
    if part.is_some() {
        let names: Vec<_> = others.iter().map(|(name, _)| json!(name).to_string()).collect();
        let _ = writeln!(text, "\"others\":[\n{}\n],", names.join(",\n"));
    }
    for (name, shape) in shapes {
        // A service may answer with a modelled error that no operation lists.
        if shape.get("exception").is_some() {
            reach(name, shapes, &mut reached)?;
        }
    }
    let mut lines = Vec::new();
    for name in &reached {
        lines.push(format!("{}:{}", json!(name), distil_shape(&shapes[name.as_str()])?));
    }
    let _ = writeln!(text, "\"shapes\":{{\n{}\n}}}}", lines.join(",\n"));
    Ok(text)
}

fn metadata(service: &str, source: &Map<String, Value>) -> Value {
    let mut kept = keep(source, METADATA);
    // Models that were not regenerated lately name one protocol only.
    kept.entry("protocols").or_insert_with(|| json!([source["protocol"]]));
    if let Some(Value::Array(protocols)) = kept.get_mut("protocols") {
        let besides = SPOKEN_BESIDES.iter().filter(|besides| besides.service == service);
        protocols.extend(besides.map(|besides| json!(besides.protocol)));
    }
    Value::Object(kept)
}

fn distil_operation(
    operation: &Value,
    shapes: &Map<String, Value>,
    reached: &mut BTreeSet<String>,
) -> Result<Map<String, Value>, String> {
    let mut kept = Map::new();
    kept.insert("http".into(), operation["http"].clone());
    for key in ["input", "output"] {
        if let Some(shape) = operation[key]["shape"].as_str() {
            reach(shape, shapes, reached)?;
            kept.insert(key.into(), json!(shape));
        }
    }
    let mut errors = Vec::new();
    for error in operation["errors"].as_array().into_iter().flatten() {
        let name = error["shape"].as_str().ok_or("an error without a shape")?;
        reach(name, shapes, reached)?;
        errors.push(json!(name));
    }
    if !errors.is_empty() {
        kept.insert("errors".into(), Value::Array(errors));
    }
    if let Some(wrapper) = operation["output"].get("resultWrapper") {
        kept.insert("resultWrapper".into(), wrapper.clone());
    }
    if let Some(prefix) = operation["endpoint"].get("hostPrefix") {
        kept.insert("hostPrefix".into(), prefix.clone());
    }
    for key in ["httpChecksum", "requestcompression", "deprecated"] {
        if let Some(value) = operation.get(key) {
            kept.insert(key.into(), value.clone());
        }
    }
    Ok(kept)
}

fn distil_shape(shape: &Value) -> Result<Value, String> {
    let source = object(shape)?;
    let mut kept = keep(source, SHAPE);
    for key in ["min", "max"] {
        // The emulator holds limits as integers; a model that breaks this must not be rounded in silence.
        if let Some(limit) = kept.get_mut(key).filter(|limit| !limit.is_i64()) {
            let number = limit.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15);
            *limit = json!(number.ok_or_else(|| format!("a limit is no integer: {shape}"))? as i64);
        }
    }
    if let Some(members) = source.get("members") {
        let members: Map<_, _> = object(members)?
            .iter()
            .map(|(name, member)| Ok((name.clone(), distil_member(member)?)))
            .collect::<Result<_, String>>()?;
        kept.insert("members".into(), Value::Object(members));
    }
    for key in ["member", "key", "value"] {
        if let Some(member) = source.get(key) {
            kept.insert(key.into(), distil_member(member)?);
        }
    }
    Ok(Value::Object(kept))
}

/// A member that is nothing but its shape is written as the shape's name.
fn distil_member(member: &Value) -> Result<Value, String> {
    let kept = keep(object(member)?, MEMBER);
    Ok(if kept.len() == 1 { kept["shape"].clone() } else { Value::Object(kept) })
}

/// Collects a shape and all that it refers to.
fn reach(name: &str, shapes: &Map<String, Value>, reached: &mut BTreeSet<String>) -> Result<(), String> {
    if !reached.insert(name.to_owned()) {
        return Ok(());
    }
    let shape = shapes.get(name).ok_or_else(|| format!("no shape {name}"))?;
    let members = shape["members"].as_object().into_iter().flat_map(Map::values);
    for member in members.chain(["member", "key", "value"].iter().filter_map(|key| shape.get(key))) {
        reach(
            member["shape"].as_str().ok_or_else(|| format!("{name} has a member without a shape"))?,
            shapes,
            reached,
        )?;
    }
    Ok(())
}

/// The keys of `source` that are in `wanted`, in the order of `wanted`; what is false says nothing and goes.
fn keep(source: &Map<String, Value>, wanted: &[&str]) -> Map<String, Value> {
    let entries = wanted.iter().filter_map(|key| Some(((*key).to_owned(), source.get(*key)?.clone())));
    entries.filter(|(_, value)| *value != json!(false)).collect()
}

fn object(value: &Value) -> Result<&Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("expected an object, found {value}"))
}
