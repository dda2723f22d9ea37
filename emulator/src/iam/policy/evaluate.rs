//! Whether policies allow a request, by AWS's evaluation logic.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>: an explicit deny
//! anywhere wins. Within an account an identity-based or a resource-based policy may allow; between accounts both
//! must. A permissions boundary and session policies only take away. There are no organisations in Garoa, hence no
//! service or resource control policies.

use serde::{Deserialize, Serialize};

use super::pattern::{Context, Pattern, Style};
use super::{Either, Policy, Statement};
use crate::iam::principal::{Breadth, Principal};

/// What is asked: who wants to do what to which resource, in which circumstances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// The account that owns the resource.
    pub resource_account: String,
    /// The action with its service, such as `s3:GetObject`.
    pub action: String,
    /// The resource's ARN, or `*` for actions that have none.
    pub resource: String,
    /// Condition keys, such as `aws:SourceIp`, with their values.
    pub context: Context,
}

/// A policy under the name by which a decision shall tell of it: an inline policy's name, a managed policy's ARN.
#[derive(Clone, Copy, Debug)]
pub struct Attached<'a> {
    /// The name or ARN.
    pub name: &'a str,
    /// The document.
    pub policy: &'a Policy,
}

/// Which of a request's policies allowed or denied it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PolicyKind {
    /// Policies of the user, its groups, or the role.
    Identity,
    /// The policy of the resource.
    Resource,
    /// The trust policy of a role, which is the resource policy of `sts:AssumeRole`.
    Trust,
    /// The permissions boundary of the user or role.
    Boundary,
    /// The policies passed to `AssumeRole`.
    Session,
}

/// A statement that decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatementRef {
    /// The policy's name or ARN.
    pub policy: String,
    /// The statement's `Sid`, where it has one.
    pub sid: Option<String>,
    /// The statement's place in the document, from 0.
    pub index: usize,
}

/// What the policies say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Allowed. `by` is none for an account's root, which needs no policy.
    Allowed {
        /// The kind of policy that granted.
        kind: PolicyKind,
        /// The statement that granted.
        by: Option<StatementRef>,
    },
    /// A statement denies.
    ExplicitDeny {
        /// The kind of policy that denies.
        kind: PolicyKind,
        /// The statement that denies.
        by: StatementRef,
    },
    /// A policy that would have to allow does not.
    ImplicitDeny {
        /// The first kind of policy that lacks a permission.
        missing: PolicyKind,
    },
}

impl Decision {
    /// Whether the request may go on.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// Decides a request. `session` is empty where no session policies were passed; `resource` is none where the
/// resource has no policy.
pub fn evaluate(
    request: &Request,
    identity: &[Attached<'_>],
    boundary: Option<Attached<'_>>,
    session: &[Attached<'_>],
    resource: Option<Attached<'_>>,
) -> Decision {
    let of_resource = if is_assume_role(&request.action) { PolicyKind::Trust } else { PolicyKind::Resource };
    let everything = [
        (PolicyKind::Identity, identity),
        (of_resource, resource.as_slice()),
        (PolicyKind::Boundary, boundary.as_slice()),
        (PolicyKind::Session, session),
    ];
    for (kind, policies) in everything {
        if let Some(by) = policies.iter().find_map(|policy| denied(request, *policy)) {
            return Decision::ExplicitDeny { kind, by };
        }
    }
    let granted = resource.and_then(|policy| granted_by_resource(request, policy)).map(|(by, breadth)| Grant {
        kind: of_resource,
        by,
        breadth,
    });
    match request.principal.account() {
        // A service, or nobody, has no policies of its own.
        None => granted.map_or(Decision::ImplicitDeny { missing: of_resource }, Grant::allowed),
        Some(account) if account == request.resource_account => {
            within_account(request, identity, boundary, session, granted, of_resource)
        }
        Some(_) => match (from_identity(request, identity, boundary, session), granted) {
            (Err(missing), _) => Decision::ImplicitDeny { missing },
            (Ok(_), None) => Decision::ImplicitDeny { missing: of_resource },
            (Ok(by), Some(_)) => Decision::Allowed { kind: PolicyKind::Identity, by },
        },
    }
}

/// What the resource's policy grants, and how narrowly it names the principal.
struct Grant {
    kind: PolicyKind,
    by: StatementRef,
    breadth: Breadth,
}

impl Grant {
    fn allowed(self) -> Decision {
        Decision::Allowed { kind: self.kind, by: Some(self.by) }
    }
}

fn within_account(
    request: &Request,
    identity: &[Attached<'_>],
    boundary: Option<Attached<'_>>,
    session: &[Attached<'_>],
    granted: Option<Grant>,
    of_resource: PolicyKind,
) -> Decision {
    let root = matches!(request.principal, Principal::AccountRoot { .. });
    if granted.is_none() && needs_resource_policy(request) {
        return Decision::ImplicitDeny { missing: of_resource };
    }
    let escapes = |grant: &Grant| match (grant.breadth, &request.principal) {
        (Breadth::Account, _) => root,
        (Breadth::Exact, _) | (_, Principal::User { .. } | Principal::AccountRoot { .. }) => true,
        // A grant to the role, or to everybody, stays within what boundary and session policies leave.
        (Breadth::Role | Breadth::Everyone, _) => limits(request, boundary, session).is_ok(),
    };
    let by_identity = from_identity(request, identity, boundary, session);
    match (granted.filter(escapes), by_identity) {
        (Some(grant), _) => grant.allowed(),
        (None, Ok(by)) => Decision::Allowed { kind: PolicyKind::Identity, by },
        (None, Err(missing)) => Decision::ImplicitDeny { missing },
    }
}

/// Identity-based policies within boundary and session policies. Only an account's root needs none.
fn from_identity(
    request: &Request,
    identity: &[Attached<'_>],
    boundary: Option<Attached<'_>>,
    session: &[Attached<'_>],
) -> Result<Option<StatementRef>, PolicyKind> {
    // A federated user whom the root made is limited by what was passed alone.
    let root =
        matches!(request.principal, Principal::AccountRoot { .. } | Principal::FederatedUser { issuer: None, .. });
    let by = identity.iter().find_map(|policy| allowed(request, *policy));
    if by.is_none() && !root {
        return Err(PolicyKind::Identity);
    }
    limits(request, boundary, session)?;
    Ok(by)
}

fn limits(request: &Request, boundary: Option<Attached<'_>>, session: &[Attached<'_>]) -> Result<(), PolicyKind> {
    if boundary.is_some_and(|policy| allowed(request, policy).is_none()) {
        return Err(PolicyKind::Boundary);
    }
    if !session.is_empty() && !session.iter().any(|policy| allowed(request, *policy).is_some()) {
        return Err(PolicyKind::Session);
    }
    Ok(())
}

/// `sts:AssumeRole` and its kin, whose resource policy is the role's trust policy.
pub fn is_assume_role(action: &str) -> bool {
    const PREFIXES: [&str; 3] = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];
    PREFIXES.iter().any(|prefix| action.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
}

/// Actions that the resource's own policy must allow even within the account: assuming roles, and those on keys of KMS. Its
/// aliases, and what is on no key in particular, have no policy.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>
fn needs_resource_policy(request: &Request) -> bool {
    let kms = request.action.get(..4).is_some_and(|vendor| vendor.eq_ignore_ascii_case("kms:"));
    is_assume_role(&request.action) || (kms && request.resource.contains(":key/"))
}

/// The places of all statements of a policy that apply to a request, and allow it, or deny it. A statement that names
/// principals must name the request's.
pub fn applying(request: &Request, attached: Attached<'_>, deny: bool) -> Vec<usize> {
    let statements = attached.policy.document().statements.iter().enumerate();
    let applies = |statement: &Statement| {
        statement.deny == deny && concerns(statement, request) && covers(statement, attached.policy, request)
    };
    statements.filter(|(_, statement)| applies(statement)).map(|(index, _)| index).collect()
}

/// Whether a statement is about who asks: one without principals is about whom it is attached to.
fn concerns(statement: &Statement, request: &Request) -> bool {
    match &statement.principal {
        None => true,
        Some(Either::Is(element)) => element.matches(&request.principal).is_some(),
        Some(Either::Not(element)) => element.matches(&request.principal).is_none(),
    }
}

fn denied(request: &Request, attached: Attached<'_>) -> Option<StatementRef> {
    find(attached, |statement| {
        statement.deny && concerns(statement, request) && covers(statement, attached.policy, request)
    })
}

fn allowed(request: &Request, attached: Attached<'_>) -> Option<StatementRef> {
    find(attached, |statement| !statement.deny && covers(statement, attached.policy, request))
}

/// The narrowest grant of a resource's policy.
fn granted_by_resource(request: &Request, attached: Attached<'_>) -> Option<(StatementRef, Breadth)> {
    let mut best: Option<(StatementRef, Breadth)> = None;
    for (index, statement) in attached.policy.document().statements.iter().enumerate() {
        let breadth = match &statement.principal {
            Some(Either::Is(element)) => element.matches(&request.principal),
            // AWS refuses Allow with NotPrincipal; a document read back leniently grants nothing by it.
            Some(Either::Not(_)) | None => None,
        };
        let Some(breadth) = breadth else { continue };
        let better = best.as_ref().is_none_or(|(_, known)| *known < breadth);
        if better && !statement.deny && covers(statement, attached.policy, request) {
            best = Some((reference(attached, index, statement), breadth));
        }
    }
    best
}

fn find(attached: Attached<'_>, applies: impl Fn(&Statement) -> bool) -> Option<StatementRef> {
    let mut statements = attached.policy.document().statements.iter().enumerate();
    let (index, statement) = statements.find(|(_, statement)| applies(statement))?;
    Some(reference(attached, index, statement))
}

fn reference(attached: Attached<'_>, index: usize, statement: &Statement) -> StatementRef {
    StatementRef { policy: attached.name.to_owned(), sid: statement.sid.clone(), index }
}

/// Whether action, resource and conditions of a statement fit the request. A trust policy has no resource: its role is it.
fn covers(statement: &Statement, policy: &Policy, request: &Request) -> bool {
    let variables = policy.has_variables();
    let context = variables.then_some(&request.context);
    let any = |patterns: &[String], style, subject: &str| {
        patterns
            .iter()
            .filter_map(|text| Pattern::compile(text, style, if style == Style::Action { None } else { context }))
            .any(|pattern| pattern.matches(subject))
    };
    let action = match &statement.action {
        Some(Either::Is(patterns)) => any(patterns, Style::Action, &request.action),
        Some(Either::Not(patterns)) => !any(patterns, Style::Action, &request.action),
        None => false,
    };
    let resource = || match &statement.resource {
        Some(Either::Is(patterns)) => any(patterns, Style::Resource, &request.resource),
        Some(Either::Not(patterns)) => !any(patterns, Style::Resource, &request.resource),
        None => true,
    };
    action && resource() && statement.conditions.iter().all(|one| one.holds(&request.context, variables))
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
