//! Values of a template as a service's model wants them: CloudFormation takes `"5"` for 5 and 5 for `"5"`.

use serde_json::{Map, Number, Value};

use crate::model::{Kind, Model, Shape, TimestampFormat};
use crate::wire::timestamps;
use crate::{Error, Result};

/// Fits a value to a shape. `path` is where it stands, as the texts of errors name it.
///
/// # Errors
/// `InvalidRequest` in the words of CloudFormation's schema validation, for a member that the shape does not have and a
/// value of another kind.
pub(super) fn fit(model: &'static Model, shape: &'static Shape, value: &Value, path: &str) -> Result<Value> {
    let wrong = |wanted: &str| {
        let found = kind_of(value);
        Error::client(
            "InvalidRequest",
            format!("Model validation failed ({path}: expected type: {wanted}, found: {found})"),
        )
    };
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    match &shape.kind {
        Kind::Structure(structure) => {
            let members = value.as_object().ok_or_else(|| wrong("JSONObject"))?;
            let mut fitted = Map::new();
            for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                let Some(member) = structure.member(name) else {
                    let text = format!("Model validation failed ({path}: extraneous key [{name}] is not permitted)");
                    return Err(Error::client("InvalidRequest", text));
                };
                let value = fit(model, model.shape(member.shape), value, &format!("{path}/{name}"))?;
                fitted.insert(name.clone(), value);
            }
            Ok(Value::Object(fitted))
        }
        Kind::List(member) => {
            let items = value.as_array().ok_or_else(|| wrong("JSONArray"))?;
            let shape = model.shape(member.shape);
            let items =
                items.iter().enumerate().map(|(index, item)| fit(model, shape, item, &format!("{path}/{index}")));
            items.collect()
        }
        Kind::Map(_, member) => {
            let members = value.as_object().ok_or_else(|| wrong("JSONObject"))?;
            let shape = model.shape(member.shape);
            let fitted = members
                .iter()
                .map(|(name, value)| Ok((name.clone(), fit(model, shape, value, &format!("{path}/{name}"))?)))
                .collect::<Result<Map<_, _>>>()?;
            Ok(Value::Object(fitted))
        }
        Kind::String | Kind::Blob => text(value).map(Value::String).ok_or_else(|| wrong("String")),
        Kind::Integer { .. } => {
            let number = text(value).and_then(|text| text.trim().parse::<i64>().ok());
            number.map(Value::from).ok_or_else(|| wrong("Integer"))
        }
        Kind::Float => {
            let number = text(value).and_then(|text| Number::from_f64(text.trim().parse().ok()?));
            number.map(Value::Number).ok_or_else(|| wrong("Number"))
        }
        Kind::Boolean => match text(value).as_deref() {
            Some("true" | "True") => Ok(true.into()),
            Some("false" | "False") => Ok(false.into()),
            _ => Err(wrong("Boolean")),
        },
        Kind::Timestamp => {
            let millis = text(value).and_then(|text| timestamps::parse(&text, TimestampFormat::Iso8601));
            millis.map(Value::from).ok_or_else(|| wrong("String"))
        }
    }
}

/// As the validator that CloudFormation uses calls them.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Array(_) => "JSONArray",
        Value::Object(_) => "JSONObject",
    }
}
