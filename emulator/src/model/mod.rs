//! The facts of AWS's service models that drive the wire.
//!
//! `emulator/models/<service>.json` is distilled from botocore by `cargo xtask models`; here it is read, once and
//! only when a service is first spoken of: a start must not pay for services that nobody calls.

use std::collections::BTreeMap;
use std::sync::OnceLock;

mod corrections;
mod load;
pub mod names;
mod operation;
pub mod pattern;
mod shape;
#[cfg(test)]
mod tests;

pub use operation::{Http, HttpChecksum, OperationModel, Paginator, Segment, UriTemplate};
pub use shape::{ErrorFacts, Kind, Location, Member, Shape, ShapeId, Structure, TimestampFormat, XmlNamespace};

/// What detection needs to know of a service before its model is read. A test holds it against the models.
struct Entry {
    service: &'static str,
    /// Names in SigV4's credential scope: the model's signing name first.
    signing: &'static [&'static str],
    endpoint: &'static str,
    target: Option<&'static str>,
    /// Set where the query protocol, or EC2's, is spoken: the value of `Version`.
    query: Option<&'static str>,
    text: &'static str,
    model: OnceLock<Model>,
}

macro_rules! entry {
    ($service:literal, $signing:expr, $endpoint:literal, $target:expr, $query:expr) => {
        Entry {
            service: $service,
            signing: &$signing,
            endpoint: $endpoint,
            target: $target,
            query: $query,
            text: include_str!(concat!("../../models/", $service, ".json")),
            model: OnceLock::new(),
        }
    };
}

static ENTRIES: [Entry; 23] = [
    entry!("s3", ["s3", "s3express", "s3-object-lambda"], "s3", None, None),
    entry!("logs", ["logs"], "logs", Some("Logs_20140328"), None),
    entry!("cloudwatch", ["monitoring"], "monitoring", Some("GraniteServiceVersion20100801"), Some("2010-08-01")),
    entry!("lambda", ["lambda"], "lambda", None, None),
    entry!("scheduler", ["scheduler"], "scheduler", None, None),
    entry!("iam", ["iam"], "iam", None, Some("2010-05-08")),
    entry!("sts", ["sts"], "sts", None, Some("2011-06-15")),
    entry!("cloudformation", ["cloudformation"], "cloudformation", None, Some("2010-05-15")),
    entry!("sqs", ["sqs"], "sqs", Some("AmazonSQS"), Some("2012-11-05")),
    entry!("kinesis", ["kinesis"], "kinesis", Some("Kinesis_20131202"), None),
    entry!("kms", ["kms"], "kms", Some("TrentService"), None),
    entry!("dynamodb", ["dynamodb"], "dynamodb", Some("DynamoDB_20120810"), None),
    entry!("dynamodbstreams", ["dynamodb"], "streams.dynamodb", Some("DynamoDBStreams_20120810"), None),
    entry!("secretsmanager", ["secretsmanager"], "secretsmanager", Some("secretsmanager"), None),
    entry!("apigateway", ["apigateway"], "apigateway", None, None),
    entry!("apigatewayv2", ["apigateway"], "apigateway", None, None),
    entry!("apigatewaymanagementapi", ["execute-api"], "execute-api", None, None),
    entry!("ssm", ["ssm"], "ssm", Some("AmazonSSM"), None),
    entry!("sns", ["sns"], "sns", None, Some("2010-03-31")),
    entry!("events", ["events"], "events", Some("AWSEvents"), None),
    entry!("glacier", ["glacier"], "glacier", None, None),
    entry!("ecr", ["ecr"], "api.ecr", Some("AmazonEC2ContainerRegistry_V20150921"), None),
    entry!("ec2", ["ec2"], "ec2", None, Some("2016-11-15")),
];

impl Entry {
    fn model(&'static self) -> &'static Model {
        self.model.get_or_init(|| match load::load(self.service, self.text) {
            Ok(model) => model,
            // The text is part of this program and every model is read by a test.
            Err(error) => panic!("emulator/models/{}.json: {error}", self.service),
        })
    }
}

/// The model of one service.
#[derive(Debug)]
pub struct Model {
    /// Our name for the service, `cloudwatch`; it is also the AWS CLI's.
    pub service: &'static str,
    /// Protocols, names and versions.
    pub metadata: Metadata,
    /// By name.
    operations: Vec<OperationModel>,
    /// The names of operations whose facts are not carried along: none of them is offered. Sorted.
    others: Vec<&'static str>,
    /// Their places, by the method of HTTP that carries them: of those whose address has no query, and of those whose has.
    by_method: BTreeMap<&'static str, [Vec<usize>; 2]>,
    shapes: Vec<Shape>,
    by_name: BTreeMap<&'static str, ShapeId>,
}

/// What a model says of the service as a whole.
#[derive(Debug)]
pub struct Metadata {
    /// The version, `2010-08-01`.
    pub api_version: &'static str,
    /// Whether JSON and CBOR answers carry the query protocol's error code in a header.
    pub query_compatible: bool,
    /// The first label of the service's host name.
    pub endpoint_prefix: &'static str,
    /// `1.0` or `1.1`, for awsJson.
    pub json_version: &'static str,
    /// The protocols, the preferred one first, as botocore names them.
    pub protocols: Vec<&'static str>,
    /// The name by which SDKs know it, `CloudWatch Logs`.
    pub service_id: &'static str,
    /// The service's name in SigV4's credential scope.
    pub signing_name: &'static str,
    /// What `X-Amz-Target` begins with.
    pub target_prefix: Option<&'static str>,
    /// The namespace of XML answers.
    pub xml_namespace: Option<&'static str>,
}

impl Model {
    /// The model of a service by our name for it.
    pub fn of(service: &str) -> Option<&'static Self> {
        ENTRIES.iter().find(|entry| entry.service == service).map(Entry::model)
    }

    /// Every model. Reads those that nobody has asked for yet.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        ENTRIES.iter().map(Entry::model)
    }

    /// The names of all services, without reading a model.
    pub fn services() -> impl Iterator<Item = &'static str> {
        ENTRIES.iter().map(|entry| entry.service)
    }

    /// The model that a SigV4 credential scope names.
    pub fn by_signing_name(name: &str) -> Option<&'static Self> {
        ENTRIES.iter().find(|entry| entry.signing.contains(&name)).map(Entry::model)
    }

    /// The model whose `X-Amz-Target` begins with this (`Logs_20140328`).
    pub fn by_target_prefix(prefix: &str) -> Option<&'static Self> {
        ENTRIES.iter().find(|entry| entry.target == Some(prefix)).map(Entry::model)
    }

    /// The model whose host name begins with this label (`monitoring`).
    pub fn by_endpoint_prefix(prefix: &str) -> Option<&'static Self> {
        ENTRIES.iter().find(|entry| entry.endpoint == prefix).map(Entry::model)
    }

    /// The models that speak the query protocol in this version and have the operation.
    pub fn by_query(action: &str, version: &str) -> Option<&'static Self> {
        let entries = ENTRIES.iter().filter(|entry| entry.query == Some(version));
        entries.map(Entry::model).find(|model| model.operation(action).is_some())
    }

    /// The only model of a query protocol's version, whatever the action: no two of our services share one.
    pub fn by_query_version(version: &str) -> Option<&'static Self> {
        ENTRIES.iter().find(|entry| entry.query == Some(version)).map(Entry::model)
    }

    /// The operation of this name.
    pub fn operation(&self, name: &str) -> Option<&OperationModel> {
        let place = self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        self.operations.get(place)
    }

    /// Whether the service has an operation of this name at AWS, of which nothing but the name is known here.
    pub fn only_names(&self, name: &str) -> bool {
        self.others.binary_search(&name).is_ok()
    }

    /// The operation that the AWS CLI knows by this name, `filter-log-events`.
    pub fn operation_by_cli_name(&self, name: &str) -> Option<&OperationModel> {
        self.operations.iter().find(|operation| operation.cli_name() == name)
    }

    /// All operations, by name.
    pub fn operations(&self) -> impl Iterator<Item = &OperationModel> {
        self.operations.iter()
    }

    /// The operations that this method of HTTP may carry, by name: first those whose address has no query, then those whose has.
    pub fn operations_of(&self, method: &str) -> [impl Iterator<Item = &OperationModel>; 2] {
        let places = self.by_method.get(method).map_or([&[][..]; 2], |[bare, queried]| [bare, queried]);
        places.map(|places| places.iter().filter_map(|place| self.operations.get(*place)))
    }

    /// The shape at this place of this model.
    pub fn shape(&self, id: ShapeId) -> &Shape {
        // Places are made by this model's loader and there is no way to make another.
        &self.shapes[id.0 as usize]
    }

    /// The shape of this name.
    pub fn shape_named(&self, name: &str) -> Option<&Shape> {
        self.by_name.get(name).map(|id| self.shape(*id))
    }

    /// All shapes, by name.
    pub fn shapes(&self) -> impl Iterator<Item = &Shape> {
        self.shapes.iter()
    }

    /// The error shape that answers with this code: by the model's code first, by the shape's name else.
    pub fn error_shape(&self, code: &str) -> Option<&Shape> {
        let errors = || self.shapes.iter().filter(|shape| shape.exception || shape.error.is_some());
        errors().find(|shape| shape.name == code).or_else(|| errors().find(|shape| shape.error_code() == code))
    }
}
