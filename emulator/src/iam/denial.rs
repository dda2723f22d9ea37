//! What AWS says to a caller whom policies stop: code, status and text per service.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html> and texts seen in public logs.

use crate::Error;
use crate::iam::policy::{Decision, PolicyKind, Request};
use crate::iam::principal::Principal;

/// How one service words a denial.
struct Wording {
    /// The service as actions name it.
    service: &'static str,
    code: &'static str,
    status: u16,
    /// Whether the resource stands in double quotes.
    quoted: bool,
    /// How the action is written.
    action: Case,
    /// Whether the text says `on resource: *` for actions without a resource.
    says_star: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    AsIs,
    /// SQS names its actions in lower case: `sqs:sendmessage`.
    Lower,
    /// SNS names its vendor in upper case: `SNS:Publish`.
    UpperVendor,
}

const fn wording(service: &'static str, code: &'static str, status: u16) -> Wording {
    Wording { service, code, status, quoted: false, action: Case::AsIs, says_star: true }
}

/// Query and XML services answer `AccessDenied` with 403; JSON services `AccessDeniedException`, with 400 for awsJson
/// and 403 for restJson.
const WORDINGS: [Wording; 25] = [
    Wording { quoted: true, says_star: false, ..wording("s3", "AccessDenied", 403) },
    wording("iam", "AccessDenied", 403),
    wording("sts", "AccessDenied", 403),
    Wording { action: Case::Lower, ..wording("sqs", "AccessDenied", 403) },
    Wording { action: Case::UpperVendor, ..wording("sns", "AuthorizationError", 403) },
    wording("cloudformation", "AccessDenied", 403),
    Wording { says_star: false, ..wording("cloudwatch", "AccessDenied", 403) },
    wording("lambda", "AccessDeniedException", 403),
    wording("scheduler", "AccessDeniedException", 403),
    wording("apigateway", "AccessDeniedException", 403),
    wording("execute-api", "AccessDeniedException", 403),
    wording("glacier", "AccessDeniedException", 403),
    wording("bedrock", "AccessDeniedException", 403),
    wording("logs", "AccessDeniedException", 400),
    wording("dynamodb", "AccessDeniedException", 400),
    wording("events", "AccessDeniedException", 400),
    wording("states", "AccessDeniedException", 400),
    wording("secretsmanager", "AccessDeniedException", 400),
    wording("ssm", "AccessDeniedException", 400),
    wording("kms", "AccessDeniedException", 400),
    wording("ecr", "AccessDeniedException", 400),
    Wording { says_star: false, ..wording("ec2", "UnauthorizedOperation", 403) },
    wording("kinesis", "AccessDeniedException", 400),
    wording("athena", "AccessDeniedException", 400),
    wording("glue", "AccessDeniedException", 400),
];

/// Services that are not in the table: awsJson, as most of AWS's services are.
const OTHERS: Wording = wording("", "AccessDeniedException", 400);

/// The answer to a denied request. Call it for denials only; for an allowed decision it says that nothing denies, as
/// an internal failure.
pub fn denial(request: &Request, decision: &Decision) -> Error {
    let (vendor, name) = request.action.split_once(':').unwrap_or(("", &request.action));
    let wording = WORDINGS.iter().find(|one| one.service.eq_ignore_ascii_case(vendor)).unwrap_or(&OTHERS);
    let own = request.principal.account() == Some(request.resource_account.as_str());
    // S3 explains a denial to its own account's principals only.
    if wording.service == "s3" && !own {
        return Error::new(wording.status, wording.code, "Access Denied");
    }
    let action = match wording.action {
        Case::AsIs => request.action.clone(),
        Case::Lower => request.action.to_ascii_lowercase(),
        Case::UpperVendor => format!("{}:{name}", vendor.to_ascii_uppercase()),
    };
    let Some(reason) = reason(decision, &action) else {
        return Error::internal(format!("a denial of {action} was asked for, and policies allow it"));
    };
    let resource = match (request.resource.as_str(), wording.quoted) {
        ("*", _) if !wording.says_star => String::new(),
        (arn, true) => format!(" on resource: \"{arn}\""),
        (arn, false) => format!(" on resource: {arn}"),
    };
    let user = match &request.principal {
        Principal::Anonymous => "anonymous".to_owned(),
        other => other.arn(),
    };
    let lead = if wording.service == "ec2" { "You are not authorized to perform this operation. " } else { "" };
    let message = format!("{lead}User: {user} is not authorized to perform: {action}{resource}{reason}");
    Error::new(wording.status, wording.code, message)
}

fn reason(decision: &Decision, action: &str) -> Option<String> {
    match decision {
        Decision::Allowed { .. } => None,
        Decision::ExplicitDeny { kind, by } => {
            let policy = match kind {
                PolicyKind::Identity => "an identity-based policy",
                PolicyKind::Resource => "a resource-based policy",
                PolicyKind::Trust => "the role trust policy",
                PolicyKind::Boundary => "a permissions boundary",
                PolicyKind::Session => "a session policy",
            };
            // Since 2026 AWS names the denying policy where it is a managed one.
            let names_it = matches!(kind, PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session);
            let arn =
                if names_it && by.policy.starts_with("arn:") { format!(": {}", by.policy) } else { String::new() };
            Some(format!(" with an explicit deny in {policy}{arn}"))
        }
        Decision::ImplicitDeny { missing } => {
            let policy = match missing {
                PolicyKind::Identity => "identity-based policy",
                PolicyKind::Resource => "resource-based policy",
                PolicyKind::Boundary => "permissions boundary",
                PolicyKind::Session => "session policy",
                // STS does not explain a trust policy that lacks a permission, whatever the documentation shows.
                PolicyKind::Trust => return Some(String::new()),
            };
            Some(format!(" because no {policy} allows the {action} action"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::iam::policy::StatementRef;

    fn request(action: &str, resource: &str) -> Request {
        Request {
            principal: Principal::AssumedRole {
                account: "123456789012".into(),
                role_name: "pix-role".into(),
                role_path: "/".into(),
                role_id: "AROAEXAMPLE".into(),
                session_name: "pix-monitor".into(),
            },
            resource_account: "123456789012".into(),
            action: action.into(),
            resource: resource.into(),
            context: Default::default(),
        }
    }

    fn implicit(missing: PolicyKind) -> Decision {
        Decision::ImplicitDeny { missing }
    }

    fn explicit(kind: PolicyKind, policy: &str) -> Decision {
        Decision::ExplicitDeny { kind, by: StatementRef { policy: policy.into(), sid: None, index: 0 } }
    }

    type Case = (&'static str, &'static str, Decision, &'static str, u16, &'static str);

    fn check(cases: &[Case]) {
        const USER: &str =
            "User: arn:aws:sts::123456789012:assumed-role/pix-role/pix-monitor is not authorized to perform: ";
        for (action, resource, decision, code, status, text) in cases {
            let error = denial(&request(action, resource), decision);
            assert_eq!((error.code(), error.status()), (*code, *status), "{action}");
            assert_eq!(error.message(), format!("{USER}{text}"));
        }
    }

    #[test]
    fn texts_where_nothing_allows() {
        check(&[
            (
                "s3:GetObject",
                "arn:aws:s3:::b/k",
                implicit(PolicyKind::Identity),
                "AccessDenied",
                403,
                "s3:GetObject on resource: \"arn:aws:s3:::b/k\" because no identity-based policy allows the s3:GetObject action",
            ),
            (
                "s3:ListAllMyBuckets",
                "*",
                implicit(PolicyKind::Identity),
                "AccessDenied",
                403,
                "s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action",
            ),
            (
                "dynamodb:GetItem",
                "arn:aws:dynamodb:r:1:table/t",
                implicit(PolicyKind::Session),
                "AccessDeniedException",
                400,
                "dynamodb:GetItem on resource: arn:aws:dynamodb:r:1:table/t because no session policy allows the dynamodb:GetItem action",
            ),
            (
                "sqs:SendMessage",
                "arn:aws:sqs:r:1:q",
                implicit(PolicyKind::Boundary),
                "AccessDenied",
                403,
                "sqs:sendmessage on resource: arn:aws:sqs:r:1:q because no permissions boundary allows the sqs:sendmessage action",
            ),
            (
                "sns:Publish",
                "arn:aws:sns:r:1:t",
                implicit(PolicyKind::Resource),
                "AuthorizationError",
                403,
                "SNS:Publish on resource: arn:aws:sns:r:1:t because no resource-based policy allows the SNS:Publish action",
            ),
        ]);
    }

    #[test]
    fn texts_where_a_policy_denies_or_trust_lacks() {
        let managed = "arn:aws:iam::123456789012:policy/No";
        check(&[
            (
                "lambda:ListFunctions",
                "*",
                explicit(PolicyKind::Identity, managed),
                "AccessDeniedException",
                403,
                "lambda:ListFunctions on resource: * with an explicit deny in an identity-based policy: arn:aws:iam::123456789012:policy/No",
            ),
            (
                "s3:PutObject",
                "arn:aws:s3:::b/k",
                explicit(PolicyKind::Resource, "b"),
                "AccessDenied",
                403,
                "s3:PutObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a resource-based policy",
            ),
            (
                "sts:AssumeRole",
                "arn:aws:iam::1:role/r",
                implicit(PolicyKind::Trust),
                "AccessDenied",
                403,
                "sts:AssumeRole on resource: arn:aws:iam::1:role/r",
            ),
            (
                "logs:PutLogEvents",
                "arn:aws:logs:r:1:log-group:g:log-stream:s",
                explicit(PolicyKind::Session, "inline"),
                "AccessDeniedException",
                400,
                "logs:PutLogEvents on resource: arn:aws:logs:r:1:log-group:g:log-stream:s with an explicit deny in a session policy",
            ),
        ]);
    }

    #[test]
    fn s3_tells_strangers_nothing() {
        let mut anonymous = request("s3:GetObject", "arn:aws:s3:::b/k");
        anonymous.principal = Principal::Anonymous;
        assert_eq!(denial(&anonymous, &implicit(PolicyKind::Resource)).message(), "Access Denied");
    }

    #[test]
    fn an_allowed_request_has_no_denial() {
        let allowed = Decision::Allowed { kind: PolicyKind::Identity, by: None };
        assert_eq!(denial(&request("s3:GetObject", "*"), &allowed).status(), 500);
    }
}
