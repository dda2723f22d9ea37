//! `SimulateCustomPolicy` and `SimulatePrincipalPolicy`: what policies would say of actions that nobody performs.
//!
//! The evaluation is the front door's own.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html>

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::directory::{Directory, Kind, no_such_entity, validation};
use super::place::{Position, places};
use super::policy::pattern::{Context, lookup};
use super::policy::{Attached, Decision, Policy, Purpose, Request, applying, evaluate};
use super::principal::Principal;
use super::shapes::{PAGE, Rest, page};
use crate::cloud::Cx;
use crate::{Error, Result};

/// The most that one answer evaluates: policies for each action and resource, and the characters of policies that are compared with
/// characters of resources and keys. AWS names no such limits, but answers with fewer actions than were asked for.
const MAX_EVALUATIONS: usize = 100_000;
const MAX_COMPARED: usize = 4_000_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Simulate {
    pub policy_source_arn: Option<String>,
    #[serde(default)]
    policy_input_list: Vec<String>,
    #[serde(default)]
    permissions_boundary_policy_input_list: Vec<String>,
    action_names: Vec<String>,
    #[serde(default)]
    resource_arns: Vec<String>,
    resource_policy: Option<String>,
    resource_owner: Option<String>,
    caller_arn: Option<String>,
    #[serde(default)]
    context_entries: Vec<ContextEntry>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextEntry {
    context_key_name: Option<String>,
    #[serde(default)]
    context_key_values: Vec<String>,
    /// Whether the values are numbers, dates or the like: the operators that compare them say so themselves.
    #[serde(rename = "ContextKeyType")]
    _kind: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Simulated {
    evaluation_results: Vec<Evaluation>,
    #[serde(flatten)]
    rest: Rest,
}

/// `EvaluationResult` of the IAM API.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Evaluation {
    eval_action_name: String,
    eval_resource_name: String,
    eval_decision: &'static str,
    matched_statements: Vec<Matched>,
    missing_context_values: Vec<String>,
    organizations_decision_detail: ByOrganizations,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary_decision_detail: Option<ByBoundary>,
    eval_decision_details: Context,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_specific_results: Vec<ForResource>,
}

/// `ResourceSpecificResult` of the IAM API.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ForResource {
    eval_resource_name: String,
    eval_resource_decision: &'static str,
    matched_statements: Vec<Matched>,
    missing_context_values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary_decision_detail: Option<ByBoundary>,
}

/// There are no organisations here, which could forbid anything.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ByOrganizations {
    allowed_by_organizations: bool,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ByBoundary {
    allowed_by_permissions_boundary: bool,
}

/// `Statement` of the IAM API.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Matched {
    source_policy_id: String,
    source_policy_type: &'static str,
    start_position: Position,
    end_position: Position,
}

/// The policies of a simulation, under the names by which answers tell of them.
#[derive(Default)]
struct Policies {
    identity: Vec<(String, Policy)>,
    boundary: Vec<(String, Policy)>,
    resource: Option<(String, Policy)>,
}

pub(super) fn custom(cx: &mut Cx<Directory>, input: Simulate) -> Result<Simulated> {
    let policies = Policies {
        identity: given(&input.policy_input_list, "PolicyInputList", Purpose::Inline)?,
        boundary: given(
            &input.permissions_boundary_policy_input_list,
            "PermissionsBoundaryPolicyInputList",
            Purpose::Inline,
        )?,
        resource: resource(&input)?,
    };
    simulate(cx, policies, input)
}

pub(super) fn principal(cx: &mut Cx<Directory>, input: Simulate) -> Result<Simulated> {
    let arn = input.policy_source_arn.clone().unwrap_or_default();
    let mut policies = Policies { resource: resource(&input)?, ..of_principal(cx, &arn)? };
    policies.identity.extend(given(&input.policy_input_list, "PolicyInputList", Purpose::Inline)?);
    let boundary = &input.permissions_boundary_policy_input_list;
    if !boundary.is_empty() {
        policies.boundary = given(boundary, "PermissionsBoundaryPolicyInputList", Purpose::Inline)?;
    }
    let caller_arn = input.caller_arn.clone().or(Some(arn));
    simulate(cx, policies, Simulate { caller_arn, ..input })
}

/// The policies that a request brings along.
fn given(texts: &[String], list: &str, purpose: Purpose) -> Result<Vec<(String, Policy)>> {
    let read = |(place, text): (usize, &String)| {
        let policy = Policy::parse(text, purpose)
            .map_err(|error| Error::client("InvalidInput", format!("{list}.{}: {}", place + 1, error.message())))?;
        Ok((format!("{list}.{}", place + 1), policy))
    };
    texts.iter().enumerate().map(read).collect()
}

fn resource(input: &Simulate) -> Result<Option<(String, Policy)>> {
    let Some(text) = &input.resource_policy else { return Ok(None) };
    if input.caller_arn.is_none() && input.policy_source_arn.is_none() {
        return Err(Error::client("InvalidInput", "You must specify a CallerArn if you specify a ResourcePolicy."));
    }
    let policy = Policy::parse(text, Purpose::Resource)
        .map_err(|error| Error::client("InvalidInput", error.message().to_owned()))?;
    Ok(Some(("ResourcePolicy".to_owned(), policy)))
}

/// The policies of a user with its groups, of a group, or of a role.
fn of_principal(cx: &Cx<Directory>, arn: &str) -> Result<Policies> {
    let entity = entity(cx, arn)?;
    let kind = kind_of(arn).map_or("", Kind::word);
    let named = |owner: &str, kind: &str, (name, policy): (String, Policy)| {
        let id = match name.strip_prefix("arn:") {
            Some(_) => name.rsplit('/').next().unwrap_or_default().to_owned(),
            None => format!("{kind}_{owner}_{name}"),
        };
        (id, policy)
    };
    let mut identity: Vec<_> =
        cx.state.policies_in(entity).into_iter().map(|one| named(&entity.name, kind, one)).collect();
    if let Some(user) = cx.state.user(&cx.scope.account, &entity.name).filter(|user| user.entity.arn == entity.arn) {
        for group in cx.state.groups_of(&cx.scope.account, user) {
            identity.extend(cx.state.policies_in(group).into_iter().map(|one| named(&group.name, "group", one)));
        }
    }
    let boundary = entity.boundary.as_ref().and_then(|arn| {
        let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
        Some((name, cx.state.managed_policy(arn)?))
    });
    Ok(Policies { identity, boundary: boundary.into_iter().collect(), resource: None })
}

fn kind_of(arn: &str) -> Option<Kind> {
    match arn.split(':').nth(5)?.split('/').next()? {
        "user" => Some(Kind::User),
        "group" => Some(Kind::Group),
        "role" => Some(Kind::Role),
        _ => None,
    }
}

fn entity<'a>(cx: &'a Cx<Directory>, arn: &str) -> Result<&'a super::Entity> {
    let kind = kind_of(arn).ok_or_else(|| validation("Invalid Entity Arn: ".to_owned() + arn))?;
    let name = arn.rsplit('/').next().unwrap_or_default();
    let found = cx.state.entity(kind, &cx.scope.account, name).ok().filter(|entity| entity.arn == arn);
    found.ok_or_else(|| no_such_entity(format!("Policy source {arn} cannot be found.")))
}

/// As whom the actions are performed.
fn performer(cx: &Cx<Directory>, arn: Option<&str>) -> Result<Principal> {
    let account = cx.scope.account.to_string();
    let nobody = Principal::User {
        account: account.clone(),
        path: "/".to_owned(),
        name: "simulated".to_owned(),
        id: "AIDASIMULATED".to_owned(),
    };
    let Some(arn) = arn else { return Ok(nobody) };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, _, _, owner, resource] = parts.as_slice() else {
        return Err(validation(format!("Invalid Arn: {arn}")));
    };
    let account = (*owner).to_owned();
    let (place, name) = resource.rsplit_once('/').unwrap_or(("", resource));
    let path = place.split_once('/').map_or_else(|| "/".to_owned(), |(_, path)| format!("/{path}/"));
    Ok(match resource.split('/').next() {
        Some("user") => {
            let id = cx.state.user(&account, name).map(|user| user.entity.id.clone()).unwrap_or_default();
            Principal::User { account, path, name: name.to_owned(), id }
        }
        Some("role") => {
            let role_id = cx.state.role(&account, name).map(|role| role.entity.id.clone()).unwrap_or_default();
            let session_name = "simulated".to_owned();
            Principal::AssumedRole { account, role_name: name.to_owned(), role_path: path, role_id, session_name }
        }
        // A group performs nothing itself: its members do.
        Some("group") => nobody,
        _ => return Err(Error::client("InvalidInput", format!("Invalid caller ARN: {arn}"))),
    })
}

fn simulate(cx: &Cx<Directory>, policies: Policies, input: Simulate) -> Result<Simulated> {
    let principal = performer(cx, input.caller_arn.as_deref())?;
    let context = context(&principal, &input.context_entries);
    let all = vec!["*".to_owned()];
    let resources = if input.resource_arns.is_empty() { &all } else { &input.resource_arns };
    let owner = input.resource_owner.as_deref().and_then(|owner| match owner.starts_with("arn:") {
        true => owner.split(':').nth(4),
        false => Some(owner),
    });
    if let Some(action) = input.action_names.iter().find(|action| !action.contains(':')) {
        return Err(validation(format!("Invalid action name: {action}")));
    }
    let actions = input.action_names.iter().enumerate().map(|(number, action)| (format!("{number:06}"), action));
    let fitting = fitting(&policies, resources, &context)?;
    let (actions, rest) = page(actions, input.marker, Some(input.max_items.unwrap_or(PAGE).min(fitting)))?;
    let evaluation = |action: &String| {
        let request = |resource: &String| Request {
            principal: principal.clone(),
            resource_account: owner.unwrap_or(&cx.scope.account).to_owned(),
            action: action.clone(),
            resource: resource.clone(),
            context: context.clone(),
        };
        let parts = resources.iter().map(|resource| one(&policies, &request(resource))).collect();
        result(action, parts, !input.resource_arns.is_empty())
    };
    Ok(Simulated { evaluation_results: actions.into_iter().map(evaluation).collect(), rest })
}

/// How many actions an answer can tell of.
fn fitting(policies: &Policies, resources: &[String], context: &Context) -> Result<usize> {
    let all = || policies.identity.iter().chain(&policies.boundary).chain(&policies.resource);
    let known: usize = context.values().flatten().map(String::len).sum();
    let asked: usize = resources.iter().map(|resource| resource.len().saturating_add(known)).sum();
    let compared = asked.saturating_mul(all().map(|(_, policy)| policy.text().len()).sum());
    let evaluations = resources.len().saturating_mul(all().count());
    let fitting = (MAX_EVALUATIONS / evaluations.max(1)).min(MAX_COMPARED / compared.max(1));
    if fitting == 0 {
        return Err(Error::not_implemented("a simulation of so many policies and resources at once"));
    }
    Ok(fitting)
}

/// The caller's own keys, and those of the request, which win.
fn context(principal: &Principal, entries: &[ContextEntry]) -> Context {
    let mut context = Context::new();
    if let Some(arn) = principal.condition_arn() {
        context.insert("aws:PrincipalArn".to_owned(), vec![arn]);
    }
    if let Principal::User { name, .. } = principal {
        context.insert("aws:username".to_owned(), vec![name.clone()]);
    }
    context.insert("aws:userid".to_owned(), vec![principal.user_id()]);
    for entry in entries {
        if let Some(name) = &entry.context_key_name {
            context.retain(|known, _| !known.eq_ignore_ascii_case(name));
            context.insert(name.clone(), entry.context_key_values.clone());
        }
    }
    context
}

fn attached((name, policy): &(String, Policy)) -> Attached<'_> {
    Attached { name, policy }
}

/// What an action on one resource comes to.
fn one(policies: &Policies, request: &Request) -> ForResource {
    let limits: Vec<Attached<'_>> = policies.boundary.iter().map(attached).collect();
    let grants: Vec<Attached<'_>> = policies.identity.iter().map(attached).collect();
    let resource = policies.resource.as_ref().map(attached);
    let decision = evaluate(request, &grants, limits.first().copied(), &[], resource);
    let everything: Vec<Attached<'_>> = grants.iter().chain(&resource).copied().collect();
    let denies = matches!(decision, Decision::ExplicitDeny { .. });
    let matching = |attached: &Attached<'_>| statements(request, *attached, denies);
    let mut matched_statements: Vec<Matched> = Vec::new();
    if denies || decision.is_allowed() {
        matched_statements.extend(everything.iter().flat_map(matching));
    }
    if denies {
        matched_statements.extend(limits.iter().flat_map(matching));
    }
    let within = limits.first().map(|boundary| ByBoundary {
        allowed_by_permissions_boundary: !applying(request, *boundary, false).is_empty()
            && applying(request, *boundary, true).is_empty(),
    });
    ForResource {
        eval_resource_name: request.resource.clone(),
        eval_resource_decision: match decision {
            Decision::Allowed { .. } => "allowed",
            Decision::ExplicitDeny { .. } => "explicitDeny",
            Decision::ImplicitDeny { .. } => "implicitDeny",
        },
        matched_statements,
        missing_context_values: missing(&request.context, everything.iter().chain(&limits).map(|one| one.policy)),
        permissions_boundary_decision_detail: within,
    }
}

fn statements(request: &Request, attached: Attached<'_>, deny: bool) -> Vec<Matched> {
    let places = places(attached.policy.text());
    let matched = |index: usize| {
        let (start_position, end_position) = places.get(index).copied().unwrap_or_default();
        let source_policy_id = attached.name.to_owned();
        Matched { source_policy_id, source_policy_type: "IAM Policy", start_position, end_position }
    };
    applying(request, attached, deny).into_iter().map(matched).collect()
}

/// The condition keys that policies read and nobody gave a value.
fn missing<'a>(context: &Context, policies: impl Iterator<Item = &'a Policy>) -> Vec<String> {
    let mut keys = BTreeSet::new();
    for policy in policies {
        keys.extend(keys_of(policy).into_iter().filter(|key| lookup(context, key).is_none()));
    }
    keys.into_iter().collect()
}

/// The keys that a policy's conditions read, and its variables.
fn keys_of(policy: &Policy) -> BTreeSet<String> {
    let conditions = policy.document().statements.iter().flat_map(|statement| &statement.conditions);
    let mut keys: BTreeSet<String> = conditions.map(|condition| condition.key().to_owned()).collect();
    if policy.has_variables() {
        let names = policy.text().split("${").skip(1).filter_map(|rest| rest.split_once('}'));
        // `${*}`, `${?}` and `${$}` stand for the signs themselves; a default stands behind a comma.
        let names = names.map(|(name, _)| name.split(',').next().unwrap_or_default().trim());
        keys.extend(names.filter(|name| name.contains(':')).map(str::to_owned));
    }
    keys
}

/// Several resources come to one decision: the strictest.
fn result(action: &str, parts: Vec<ForResource>, by_resource: bool) -> Evaluation {
    let strictness = |part: &ForResource| match part.eval_resource_decision {
        "explicitDeny" => 2,
        "implicitDeny" => 1,
        _ => 0,
    };
    let strictest = parts.iter().rev().max_by_key(|part| strictness(part)).cloned();
    let ForResource {
        eval_resource_name,
        eval_resource_decision,
        matched_statements,
        missing_context_values,
        permissions_boundary_decision_detail,
    } = strictest.unwrap_or(ForResource {
        eval_resource_name: "*".to_owned(),
        eval_resource_decision: "implicitDeny",
        matched_statements: Vec::new(),
        missing_context_values: Vec::new(),
        permissions_boundary_decision_detail: None,
    });
    Evaluation {
        eval_action_name: action.to_owned(),
        eval_resource_name,
        eval_decision: eval_resource_decision,
        matched_statements,
        missing_context_values,
        organizations_decision_detail: ByOrganizations { allowed_by_organizations: true },
        permissions_boundary_decision_detail,
        eval_decision_details: Context::new(),
        resource_specific_results: if by_resource { parts } else { Vec::new() },
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContextKeys {
    pub policy_source_arn: Option<String>,
    #[serde(default)]
    policy_input_list: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContextKeysAnswer {
    context_key_names: Vec<String>,
}

/// The context keys of policies that a request brings along, and of a principal's.
pub(super) fn context_keys(cx: &mut Cx<Directory>, input: ContextKeys) -> Result<ContextKeysAnswer> {
    let mut policies = given(&input.policy_input_list, "PolicyInputList", Purpose::Inline)?;
    if let Some(arn) = &input.policy_source_arn {
        policies.extend(of_principal(cx, arn)?.identity);
    }
    let keys: BTreeSet<String> = policies.iter().flat_map(|(_, policy)| keys_of(policy)).collect();
    Ok(ContextKeysAnswer { context_key_names: keys.into_iter().collect() })
}
