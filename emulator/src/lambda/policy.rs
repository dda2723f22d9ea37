//! The resource policy of a function: who but its own account's identities may invoke it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html>

use std::sync::Arc;

use imbl::Vector;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::functions::{Function, find_mut, invalid, not_found, reachable};
use super::qualifier::{LATEST, absent, qualifier};
use super::{Functions, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// The policy of a function has at most this many bytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const POLICY_LIMIT: usize = 20_480;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .op("AddPermission", |at, i: &AddPermission| on(at, &i.function_name), add)
        .op("RemovePermission", |at, i: &RemovePermission| on(at, &i.function_name), remove)
        .op("GetPolicy", |at, i: &GetPolicy| on(at, &i.function_name), get)
}

/// The statements of a function's policy, by their ids, and its revision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FunctionPolicy {
    /// By their ids, in the order in which they were added.
    statements: Vector<(String, Value)>,
    pub revision: String,
    /// All of them as a document, which every invocation is judged by. Without statements it allows nothing, as a function
    /// without a policy.
    pub document: Arc<str>,
}

impl FunctionPolicy {
    pub fn new(revision: String) -> Self {
        Self { statements: Vector::new(), revision, document: document(&Vector::new()) }
    }

    /// Takes other statements.
    fn set(&mut self, statements: Vector<(String, Value)>, revision: String) {
        self.document = document(&statements);
        (self.statements, self.revision) = (statements, revision);
    }

    /// Adds a statement.
    ///
    /// # Errors
    /// If there is one of this id, or the policy gets too long.
    pub fn add(&mut self, id: String, statement: Value, revision: String) -> Result<()> {
        if self.position(&id).is_some() {
            let text = format!(
                "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing \
                 statement."
            );
            return Err(Error::new(409, "ResourceConflictException", text).with("Type", "User"));
        }
        let mut statements = self.statements.clone();
        statements.push_back((id, statement));
        self.set(statements, revision);
        if self.document.len() > POLICY_LIMIT {
            let text = format!("The final policy size is bigger than the limit ({POLICY_LIMIT}).");
            return Err(Error::client("PolicyLengthExceededException", text).with("Type", "User"));
        }
        Ok(())
    }

    /// Takes a statement away.
    ///
    /// # Errors
    /// If there is none of this id.
    pub fn remove(&mut self, id: &str, revision: String) -> Result<()> {
        if self.is_empty() {
            return Err(absent("No policy is associated with the given resource."));
        }
        let position = self.position(id);
        let position = position.ok_or_else(|| absent(format!("Statement {id} is not found in resource policy.")))?;
        let mut statements = self.statements.clone();
        statements.remove(position);
        self.set(statements, revision);
        Ok(())
    }

    /// Whether it has no statement.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.statements.iter().position(|(other, _)| other == id)
    }
}

fn document(statements: &Vector<(String, Value)>) -> Arc<str> {
    let statements: Vec<&Value> = statements.iter().map(|(_, statement)| statement).collect();
    json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements }).to_string().into()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddPermission {
    function_name: String,
    statement_id: String,
    action: String,
    principal: String,
    source_arn: Option<String>,
    source_account: Option<String>,
    /// Of which Alexa skill the caller must be.
    event_source_token: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    principal_org_id: Option<String>,
    /// Whether the function may be invoked by its URL only.
    invoked_via_function_url: Option<bool>,
    /// Of which kind a function URL must be.
    function_url_auth_type: Option<String>,
    qualifier: Option<String>,
    revision_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Added {
    statement: String,
}

fn add(cx: &mut Cx<Functions>, input: AddPermission) -> Result<Added> {
    let revision = cx.ids().uuid();
    if qualifier(&input.function_name, input.qualifier.as_deref())? == Some(LATEST) {
        return Err(invalid("We currently do not support adding policies for $LATEST."));
    }
    let principal = input.principal()?;
    let (function, place, arn) = find(cx, &input.function_name, input.qualifier.as_deref())?;
    let mut policy = function.policy_of(&place);
    check_revision(input.revision_id.as_deref(), &policy)?;
    let statement = input.statement(principal, &arn);
    policy.add(input.statement_id, statement.clone(), revision)?;
    function.policies.insert(place, policy);
    Ok(Added { statement: statement.to_string() })
}

/// The function, the qualifier under which a policy of it is kept, and the ARN that the policy is about.
fn find<'a>(cx: &'a mut Cx<Functions>, name: &str, given: Option<&str>) -> Result<(&'a mut Function, String, String)> {
    let place = qualifier(name, given)?.unwrap_or_default().to_owned();
    let function = find_mut(cx, name)?;
    let mut arn = function.configuration.function_arn.clone();
    if !place.is_empty() {
        arn = format!("{arn}:{place}");
        if !function.has(&place) {
            let is_version = place.bytes().all(|byte| byte.is_ascii_digit()) || place.contains('$');
            return Err(if is_version { not_found(&arn) } else { absent(format!("Cannot find alias arn: {arn}")) });
        }
    }
    Ok((function, place, arn))
}

impl Function {
    /// The policy that is kept under a qualifier. As long as there is none, its revision is that of what it would be about.
    fn policy_of(&self, place: &str) -> FunctionPolicy {
        let revision = || match (self.aliases.get(place), self.version(place)) {
            (Some(alias), _) => alias.revision_id.clone(),
            (None, Some(version)) => version.configuration.revision_id.clone(),
            (None, None) => self.configuration.revision_id.clone(),
        };
        let there = self.policies.get(place).cloned();
        there.unwrap_or_else(|| FunctionPolicy::new(revision()))
    }
}

impl AddPermission {
    fn principal(&self) -> Result<Value> {
        match self.principal.as_str() {
            "*" => Ok(json!("*")),
            service if service.ends_with(".amazonaws.com") => Ok(json!({ "Service": service })),
            arn if arn.starts_with("arn:") => Ok(json!({ "AWS": arn })),
            account if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(json!({ "AWS": format!("arn:aws:iam::{account}:root") }))
            }
            _ => Err(invalid("The provided principal was invalid. Please check the principal and try again.")),
        }
    }

    fn statement(&self, principal: Value, function: &str) -> Value {
        let mut conditions = Map::new();
        let mut condition = |operator: &str, key: &str, value: &Option<String>| {
            if let Some(value) = value {
                let keys = conditions.entry(operator).or_insert_with(|| json!({}));
                keys[key] = json!(value);
            }
        };
        condition("StringEquals", "AWS:SourceAccount", &self.source_account);
        condition("StringEquals", "lambda:EventSourceToken", &self.event_source_token);
        condition("StringEquals", "aws:PrincipalOrgID", &self.principal_org_id);
        condition("StringEquals", "lambda:FunctionUrlAuthType", &self.function_url_auth_type);
        let via_url = self.invoked_via_function_url.map(|via| via.to_string());
        condition("Bool", "lambda:InvokedViaFunctionUrl", &via_url);
        condition("ArnLike", "AWS:SourceArn", &self.source_arn);
        let mut statement = json!({
            "Sid": self.statement_id,
            "Effect": "Allow",
            "Principal": principal,
            "Action": self.action,
            "Resource": function,
        });
        if !conditions.is_empty() {
            statement["Condition"] = Value::Object(conditions);
        }
        statement
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemovePermission {
    function_name: String,
    statement_id: String,
    qualifier: Option<String>,
    revision_id: Option<String>,
}

fn remove(cx: &mut Cx<Functions>, input: RemovePermission) -> Result<()> {
    let revision = cx.ids().uuid();
    let name = reachable(cx.scope, &input.function_name)?;
    if !cx.state.functions.contains_key(name) {
        let arn = cx.scope.arn("lambda", format_args!("function:{name}"));
        return Err(absent(format!("No policy found for: {arn}")));
    }
    let (function, place, _) = find(cx, &input.function_name, input.qualifier.as_deref())?;
    let mut policy = function.policy_of(&place);
    check_revision(input.revision_id.as_deref(), &policy)?;
    policy.remove(&input.statement_id, revision)?;
    function.policies.insert(place, policy);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetPolicy {
    function_name: String,
    qualifier: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    policy: Arc<str>,
    revision_id: String,
}

fn get(cx: &mut Cx<Functions>, input: GetPolicy) -> Result<Policy> {
    let place = qualifier(&input.function_name, input.qualifier.as_deref())?.unwrap_or_default();
    let function = cx.state.functions.get(reachable(cx.scope, &input.function_name)?);
    let policy = function.and_then(|function| function.policies.get(place));
    let policy = policy.filter(|policy| !policy.is_empty());
    let policy = policy.ok_or_else(|| absent("The resource you requested does not exist."))?;
    Ok(Policy { policy: policy.document.clone(), revision_id: policy.revision.clone() })
}

fn check_revision(wanted: Option<&str>, policy: &FunctionPolicy) -> Result<()> {
    match wanted {
        Some(revision) if revision != policy.revision => {
            let text = "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the \
                        latest Revision Id";
            Err(Error::new(412, "PreconditionFailedException", text).with("Type", "User"))
        }
        _ => Ok(()),
    }
}
