//! The values of a template: those of JSON, and objects from outside with properties and methods.

use std::cell::{Ref, RefCell, RefMut};
use std::fmt;
use std::rc::Rc;

use indexmap::IndexMap;

use crate::{DEPTH_LIMIT, Error, OUTPUT_LIMIT, STEP_LIMIT};

/// A value. Lists and maps are shared, as in Java: who holds one sees what `add` and `put` do to it.
#[derive(Clone)]
pub enum Value {
    /// Java's null. It prints nothing; a variable that there is not at all prints its own source.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(Rc<str>),
    /// A list.
    List(Rc<List>),
    /// A map; it keeps the order in which its keys came.
    Map(Rc<RefCell<IndexMap<String, Value>>>),
    /// Something with properties and methods of its own.
    Object(Rc<dyn Object>),
}

/// A list. One that comes from a JSON document prints as JSON, one that a template makes as Java prints lists: `[a, b]`.
pub struct List {
    elements: RefCell<Vec<Value>>,
    is_json: bool,
}

impl List {
    /// The elements.
    pub fn borrow(&self) -> Ref<'_, Vec<Value>> {
        self.elements.borrow()
    }

    /// The elements, to be changed.
    pub fn borrow_mut(&self) -> RefMut<'_, Vec<Value>> {
        self.elements.borrow_mut()
    }
}

/// What a template may name besides plain values, such as `$input`.
pub trait Object {
    /// What `$object.name` is; nothing where there is no such property.
    fn property(&self, name: &str) -> Option<Value>;

    /// What `$object.name(arguments)` is.
    ///
    /// # Errors
    /// [`Error::Method`] for a method that there is not, or that does not take these arguments.
    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, Error>;

    /// What `$object` prints.
    fn text(&self) -> String;
}

impl fmt::Debug for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}({})", self.kind(), self.text())
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Null, _) | (_, Self::Null) => false,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Integer(a), Self::Float(b)) | (Self::Float(b), Self::Integer(a)) => *a as f64 == *b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            // Velocity compares values of different classes by what they print, and that serves for lists and maps too.
            (a, b) => a.text() == b.text(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&serde_json::Value> for Value {
    fn from(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Boolean(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::Integer(whole),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Self::from(&**text),
            serde_json::Value::Array(elements) => {
                let elements = RefCell::new(elements.iter().map(Self::from).collect());
                Self::List(Rc::new(List { elements, is_json: true }))
            }
            serde_json::Value::Object(entries) => {
                Self::map(entries.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect())
            }
        }
    }
}

impl Value {
    /// A list of these.
    pub fn list(elements: Vec<Self>) -> Self {
        Self::List(Rc::new(List { elements: RefCell::new(elements), is_json: false }))
    }

    /// A map of these.
    pub fn map(entries: IndexMap<String, Self>) -> Self {
        Self::Map(Rc::new(RefCell::new(entries)))
    }

    /// What it counts for in a condition: null and false are false, all else is true.
    pub fn is_true(&self) -> bool {
        !matches!(self, Self::Null | Self::Boolean(false))
    }

    /// What it prints, as Java's `toString` has it: `[1, 2]`, `{a=1}`; a list of a JSON document as JSON, as API Gateway's do.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.print(&mut out, 0);
        out
    }

    /// The value as JSON, as `$util.parseJson` would read it; an object from outside is its text.
    pub fn to_json(&self) -> serde_json::Value {
        self.json(0, &mut { STEP_LIMIT })
    }

    /// A list that holds itself is possible, and one that holds another twice, and that another: depth and number of values
    /// are bounded, and null stands for what is beyond.
    fn json(&self, depth: usize, left: &mut usize) -> serde_json::Value {
        *left = left.saturating_sub(1);
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Boolean(value) => (*value).into(),
            Self::Integer(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Text(text) => (&**text).into(),
            Self::List(_) | Self::Map(_) if depth >= DEPTH_LIMIT || *left == 0 => serde_json::Value::Null,
            Self::List(elements) => elements.borrow().iter().map(|element| element.json(depth + 1, left)).collect(),
            Self::Map(entries) => {
                entries.borrow().iter().map(|(key, value)| (key.clone(), value.json(depth + 1, left))).collect()
            }
            Self::Object(object) => object.text().into(),
        }
    }

    fn print(&self, out: &mut String, depth: usize) {
        use fmt::Write as _;
        let _ = match self {
            Self::Null => write!(out, "null"),
            Self::Boolean(value) => write!(out, "{value}"),
            Self::Integer(number) => write!(out, "{number}"),
            Self::Float(number) => write!(out, "{number:?}"),
            Self::Text(text) => write!(out, "{text}"),
            Self::List(_) | Self::Map(_) if depth >= DEPTH_LIMIT || out.len() > OUTPUT_LIMIT => write!(out, "…"),
            Self::List(elements) if elements.is_json => write!(out, "{}", self.json(depth, &mut { STEP_LIMIT })),
            Self::List(elements) => {
                out.push('[');
                for (place, element) in elements.borrow().iter().enumerate() {
                    if place > 0 {
                        out.push_str(", ");
                    }
                    element.print(out, depth + 1);
                }
                write!(out, "]")
            }
            Self::Map(entries) => {
                out.push('{');
                for (place, (key, value)) in entries.borrow().iter().enumerate() {
                    if place > 0 {
                        out.push_str(", ");
                    }
                    let _ = write!(out, "{key}=");
                    value.print(out, depth + 1);
                }
                write!(out, "}}")
            }
            Self::Object(object) => write!(out, "{}", object.text()),
        };
    }

    /// What messages call it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Object(_) => "an object",
        }
    }
}
