//! What the command line needs to know of the service models.

/// The service models, as far as commands need them. Shapes are named, because they may contain themselves.
pub trait Shapes {
    /// The services, as the models name them, such as `s3` and `logs`.
    fn services(&self) -> Vec<String>;
    /// The operations of a service, as its model names them; `None` if there is no such service.
    fn operations(&self, service: &str) -> Option<Vec<String>>;
    /// An operation.
    fn operation(&self, service: &str, operation: &str) -> Option<OperationShape>;
    /// A shape of a service.
    fn shape(&self, service: &str, shape: &str) -> Option<Shape>;
}

/// An operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationShape {
    /// The shape of its input.
    pub input: Option<String>,
    /// The shape of its output.
    pub output: Option<String>,
    /// How it pages, if the CLI pages it.
    pub paginator: Option<Paginator>,
}

/// How an operation pages, as botocore's `paginators-1.json` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paginator {
    /// The input's members that take the token.
    pub input_tokens: Vec<String>,
    /// Where the output holds it: a JMESPath expression for each of `input_tokens`.
    pub output_tokens: Vec<String>,
    /// The output's members whose lists are joined; paths such as `DistributionList.Items` are allowed.
    pub result_keys: Vec<String>,
    /// The output's member that says whether there is more, where the token does not.
    pub more_results: Option<String>,
}

/// A shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A text.
    String,
    /// A whole number of any width.
    Integer,
    /// A number with a fraction.
    Float,
    /// True or false.
    Boolean,
    /// Bytes.
    Blob,
    /// A point in time.
    Timestamp,
    /// Any JSON.
    Document,
    /// A list of a shape.
    List(String),
    /// A map from texts to a shape.
    Map(String),
    /// Members.
    Structure(Structure),
}

/// The members of a structure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// Names and shapes, in the model's order.
    pub members: Vec<(String, String)>,
    /// The members that must be given.
    pub required: Vec<String>,
    /// The member bound to the HTTP payload.
    pub payload: Option<String>,
}

impl Structure {
    /// The shape of a member.
    pub fn member(&self, name: &str) -> Option<&str> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, shape)| shape.as_str())
    }
}
