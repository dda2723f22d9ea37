//! DynamoDB's attribute values and expressions, without its tables: what conditions, filters, projections, keys and
//! updates mean.
//!
//! One request goes through it in AWS's order: [`Placeholders::new`] reads `ExpressionAttributeNames` and `…Values`,
//! then `UpdateExpression`, `ConditionExpression`, `KeyConditionExpression`, `FilterExpression` and
//! `ProjectionExpression` are parsed in this order, then [`Placeholders::finish`] refuses what none of them used.
//! The legacy parameters (`Expected`, `QueryFilter`, …) end in the same structures. Every error carries AWS's text.
//!
//! Model: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>

mod condition;
mod error;
mod json;
mod key;
mod key_condition;
mod lexer;
mod number;
mod operand;
mod path;
mod placeholders;
mod projection;
mod reserved;
mod size;
mod update;
mod value;

pub use condition::{Condition, ExpressionKind};
pub use error::{Error, Result};
pub use json::{item_from_json, item_to_json};
pub use key::{KeyType, KeyValue};
pub use key_condition::{KeyCondition, KeyConditions, KeyElement, SortCondition};
pub use number::Number;
pub use placeholders::Placeholders;
pub use projection::Projection;
pub use size::item_size;
pub use update::Update;
pub use value::{AttributeValue, Item};
