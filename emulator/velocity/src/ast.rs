//! What a template consists of.

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Text(String),
    Reference(Reference),
    Set { target: Reference, value: Expression },
    If { branches: Vec<(Expression, Vec<Node>)>, otherwise: Vec<Node> },
    Foreach { variable: String, list: Expression, body: Vec<Node> },
    Break,
    Stop,
}

/// `$!{name.property.method(arguments)[index]}`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reference {
    pub name: String,
    pub steps: Vec<Step>,
    /// `$!`: nothing instead of the source where there is no value.
    pub quiet: bool,
    /// What is printed where there is no value.
    pub source: String,
    /// Backslashes before it: with an odd number of them it prints itself.
    pub backslashes: usize,
}

/// What follows a reference's name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Property(String),
    Method(String, Vec<Expression>),
    Index(Expression),
}

/// An expression within parentheses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    /// A text in single quotes.
    Text(String),
    /// A text in double quotes: a template of its own.
    Interpolated(Vec<Node>),
    Reference(Reference),
    List(Vec<Expression>),
    Range(Box<Expression>, Box<Expression>),
    Map(Vec<(Expression, Expression)>),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
}

/// An operator between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    Different,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}
