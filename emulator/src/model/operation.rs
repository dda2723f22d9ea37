//! The operations of a model: their shapes and their HTTP binding.

use super::{Member, Model, Shape, ShapeId};

/// One operation of a service.
#[derive(Debug)]
pub struct OperationModel {
    /// The service, by our name for it.
    pub service: &'static str,
    /// The name, `PutLogEvents`.
    pub name: &'static str,
    /// How HTTP carries it.
    pub http: Http,
    /// The shape of the request, if it has any member.
    pub input: Option<ShapeId>,
    /// The shape of the answer, if it has one.
    pub output: Option<ShapeId>,
    /// The element that wraps the answer in the query protocol.
    pub result_wrapper: Option<&'static str>,
    /// The errors that the operation lists.
    pub errors: Vec<ShapeId>,
    /// What checksums it takes.
    pub checksum: Option<HttpChecksum>,
    /// What SDKs put before the host, `stream-`.
    pub host_prefix: Option<&'static str>,
    /// Whether AWS advises against it; routing prefers its successor.
    pub deprecated: bool,
    /// How it pages, where SDKs and the AWS CLI do that by themselves.
    pub paginator: Option<Paginator>,
}

/// How an operation pages, from botocore's `paginators-1.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paginator {
    /// The input's members that take the tokens.
    pub input_tokens: Vec<&'static str>,
    /// Where the output holds them: a JMESPath expression for each of `input_tokens`.
    pub output_tokens: Vec<&'static str>,
    /// The output's members whose lists are joined; paths such as `DistributionList.Items` are allowed.
    pub result_keys: Vec<&'static str>,
    /// The output's member that says whether there is more, where the tokens do not.
    pub more_results: Option<&'static str>,
}

impl OperationModel {
    /// The model that the operation belongs to.
    pub fn model(&self) -> &'static Model {
        // Operations are made by `Model` only, under the name that it is found by.
        Model::of(self.service).unwrap_or_else(|| unreachable!("the operation of an unknown service"))
    }

    /// The shape of the request.
    pub fn input_shape(&self) -> Option<&'static Shape> {
        self.input.map(|id| self.model().shape(id))
    }

    /// The shape of the answer.
    pub fn output_shape(&self) -> Option<&'static Shape> {
        self.output.map(|id| self.model().shape(id))
    }

    /// The members of the request, in the model's order.
    pub fn input_members(&self) -> &'static [Member] {
        self.input_shape().and_then(Shape::structure).map_or(&[], |structure| &structure.members)
    }

    /// The name in the AWS CLI, `put-log-events`.
    pub fn cli_name(&self) -> String {
        super::names::kebab(self.name)
    }
}

/// The HTTP binding of an operation.
#[derive(Debug)]
pub struct Http {
    /// The method.
    pub method: &'static str,
    /// The status of a successful answer.
    pub status: u16,
    /// The path and the fixed query parameters.
    pub uri: UriTemplate,
    /// Query parameters that the input requires.
    pub required_query: Vec<&'static str>,
    /// Headers that the input requires.
    pub required_headers: Vec<&'static str>,
}

/// A path with labels, and the query parameters that tell operations apart.
#[derive(Debug)]
pub struct UriTemplate {
    /// The parts of the path between slashes.
    pub segments: Vec<Segment>,
    /// Fixed query parameters: a name, and the value if one is asked for (`list-type=2`).
    pub query: Vec<(&'static str, Option<&'static str>)>,
}

/// One part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Fixed text.
    Literal(&'static str),
    /// `{Name}`: any one part.
    Label(&'static str),
    /// `{Name+}`: the whole rest of the path.
    Greedy(&'static str),
}

impl UriTemplate {
    /// Reads `/{Bucket}/{Key+}?uploads`.
    pub(super) fn parse(text: &'static str) -> Self {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let segments = path.trim_start_matches('/').split('/').filter(|part| !part.is_empty()).map(|part| {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(label) => label.strip_suffix('+').map_or(Segment::Label(label), Segment::Greedy),
                None => Segment::Literal(part),
            }
        });
        let query = query.split('&').filter(|part| !part.is_empty()).map(|part| match part.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (part, None),
        });
        Self { segments: segments.collect(), query: query.collect() }
    }
}

/// What checksums an operation takes and gives.
#[derive(Clone, Copy, Debug)]
pub struct HttpChecksum {
    /// The member by which the client names its algorithm.
    pub request_algorithm_member: Option<&'static str>,
    /// Whether a request without a checksum is refused.
    pub request_checksum_required: bool,
    /// The member by which the client asks for the answer's checksum.
    pub request_validation_mode_member: Option<&'static str>,
}
