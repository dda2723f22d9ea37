//! From a policy's text to its statements, with AWS's refusals of bad syntax.

use serde_json::{Map, Value};

use super::condition::{Condition, ConditionError};
use super::{Document, Either, Purpose, Statement, Version};
use crate::iam::principal::{PrincipalElement, PrincipalError};
use crate::{Error, Result};

/// The longest document in characters that the IAM model accepts (shape `policyDocumentType`).
pub const MAX_DOCUMENT: usize = 131_072;

/// The refusal of a document: IAM's `MalformedPolicyDocument`. Services with resource policies wrap the text in codes of
/// their own, such as S3's `MalformedPolicy`.
pub(super) fn malformed(message: impl Into<String>) -> Error {
    Error::client("MalformedPolicyDocument", message)
}

/// What IAM says of whatever does not follow the grammar,
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.
fn syntax() -> Error {
    malformed("Syntax errors in policy.")
}

/// What passes the grammar and fails the parser behind it (seen at AWS).
pub(super) const LEGACY: &str = "The policy failed legacy parsing";

/// Managed policies are of the newest version only.
pub(super) fn old_version() -> Error {
    malformed("Policy document must be version 2012-10-17 or greater.")
}

/// Reads the members of a document.
pub(super) fn document(text: &str, purpose: Purpose) -> Result<Document> {
    if text.chars().count() > MAX_DOCUMENT {
        return Err(syntax());
    }
    let invalid_json = || match purpose {
        Purpose::Trust | Purpose::Resource => malformed("This policy contains invalid Json"),
        Purpose::Identity | Purpose::Inline | Purpose::Session => syntax(),
    };
    let value: Value = serde_json::from_str(text).map_err(|_| invalid_json())?;
    let members = value.as_object().ok_or_else(syntax)?;
    known(members, &["Version", "Id", "Statement"])?;
    let version = match members.get("Version") {
        None => None,
        Some(Value::String(version)) if version == "2012-10-17" => Some(Version::V2012),
        Some(Value::String(version)) if version == "2008-10-17" => Some(Version::V2008),
        Some(_) => return Err(syntax()),
    };
    // The grammar is looked at first, then the version, then what only the parser behind the grammar refuses.
    let outdated = purpose == Purpose::Identity && version != Some(Version::V2012);
    let read = |value: &Value| {
        statement(value, purpose)
            .map_err(|error| if outdated && error.message() == LEGACY { old_version() } else { error })
    };
    let statements = match members.get("Statement") {
        Some(Value::Array(many)) => many.iter().map(read).collect::<Result<Vec<_>>>()?,
        Some(one @ Value::Object(_)) => vec![read(one)?],
        _ => return Err(syntax()),
    };
    if statements.is_empty() {
        return Err(match purpose {
            Purpose::Trust => malformed("Could not parse the policy: Statement is empty!"),
            _ => syntax(),
        });
    }
    Ok(Document { version, id: text_member(members, "Id")?, statements })
}

fn statement(value: &Value, purpose: Purpose) -> Result<Statement> {
    let members = value.as_object().ok_or_else(syntax)?;
    let elements = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"];
    known(members, &[elements.as_slice(), &["Condition"]].concat())?;
    let deny = match members.get("Effect") {
        Some(Value::String(effect)) if effect == "Allow" => false,
        Some(Value::String(effect)) if effect == "Deny" => true,
        // The parser of trust policies takes an effect in any case (recorded at AWS).
        Some(Value::String(effect)) if purpose == Purpose::Trust && effect.eq_ignore_ascii_case("Allow") => false,
        Some(Value::String(effect)) if purpose == Purpose::Trust && effect.eq_ignore_ascii_case("Deny") => true,
        Some(Value::String(effect)) if ["allow", "deny"].contains(&effect.to_ascii_lowercase().as_str()) => {
            return Err(malformed(LEGACY));
        }
        _ => return Err(syntax()),
    };
    let conditions = match members.get("Condition") {
        Some(value) => Condition::parse(value).map_err(|error| match error {
            ConditionError::Shape => syntax(),
            // The grammar of permissions knows no other operators; trust policies are read by another parser.
            ConditionError::Operator(name) => match purpose {
                Purpose::Trust | Purpose::Resource => malformed(format!("Invalid Condition type : {name}.")),
                Purpose::Identity | Purpose::Inline | Purpose::Session => syntax(),
            },
            ConditionError::Date(_) => malformed(LEGACY),
        })?,
        None => Vec::new(),
    };
    Ok(Statement {
        sid: text_member(members, "Sid")?.filter(|sid| !sid.is_empty()),
        deny,
        principal: either(members, "Principal", "NotPrincipal", principal)?,
        action: either(members, "Action", "NotAction", texts)?,
        resource: either(members, "Resource", "NotResource", texts)?,
        conditions,
    })
}

fn known(members: &Map<String, Value>, names: &[&str]) -> Result<()> {
    if members.keys().all(|name| names.contains(&name.as_str())) { Ok(()) } else { Err(syntax()) }
}

fn text_member(members: &Map<String, Value>, name: &str) -> Result<Option<String>> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(syntax()),
    }
}

fn texts(value: &Value) -> Result<Vec<String>> {
    match value {
        Value::String(one) => Ok(vec![one.clone()]),
        Value::Array(many) => many.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(syntax)).collect(),
        _ => Err(syntax()),
    }
}

fn principal(value: &Value) -> Result<PrincipalElement> {
    PrincipalElement::parse(value).map_err(|error| match error {
        PrincipalError::Shape => syntax(),
        PrincipalError::Empty => malformed("Missing required field Principal cannot be empty!"),
        PrincipalError::Invalid(kind, value) => {
            malformed(format!("Invalid principal in policy: \"{kind}\":\"{value}\""))
        }
    })
}

fn either<T>(
    members: &Map<String, Value>,
    name: &str,
    negation: &str,
    read: impl Fn(&Value) -> Result<T>,
) -> Result<Option<Either<T>>> {
    match (members.get(name), members.get(negation)) {
        (None, None) => Ok(None),
        (Some(value), None) => Ok(Some(Either::Is(read(value)?))),
        (None, Some(value)) => Ok(Some(Either::Not(read(value)?))),
        (Some(_), Some(_)) => Err(syntax()),
    }
}
