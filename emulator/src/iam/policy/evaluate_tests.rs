//! Tests of the evaluation logic: AWS's documented cases, and properties over random policies.
#![allow(clippy::unwrap_used)]

use super::super::Purpose;
use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const OWN: &str = "123456789012";

fn user() -> Principal {
    Principal::User { account: OWN.into(), path: "/".into(), name: "ana".into(), id: "AIDAEXAMPLE".into() }
}

fn session_of_role() -> Principal {
    Principal::AssumedRole {
        account: OWN.into(),
        role_name: "r".into(),
        role_path: "/".into(),
        role_id: "AROAEXAMPLE".into(),
        session_name: "s".into(),
    }
}

fn request(principal: Principal) -> Request {
    Request {
        principal,
        resource_account: OWN.into(),
        action: "s3:GetObject".into(),
        resource: "arn:aws:s3:::b/k".into(),
        context: Context::from([("aws:username".into(), vec!["ana".into()])]),
    }
}

fn policy(statements: Value) -> Policy {
    Policy::read(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
}

fn allow(action: &str) -> Policy {
    policy(json!({"Sid": "Yes", "Effect": "Allow", "Action": action, "Resource": "*"}))
}

fn deny() -> Policy {
    policy(json!({"Effect": "Deny", "Action": "*", "Resource": "*"}))
}

fn grant(principal: Value) -> Policy {
    policy(json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}))
}

fn at<'a>(name: &'a str, policy: &'a Policy) -> Attached<'a> {
    Attached { name, policy }
}

struct Case {
    principal: Principal,
    identity: Option<Policy>,
    boundary: Option<Policy>,
    session: Option<Policy>,
    resource: Option<Policy>,
}

impl Case {
    fn of(principal: Principal) -> Self {
        Self { principal, identity: None, boundary: None, session: None, resource: None }
    }

    fn decide_in(&self, account: &str) -> Decision {
        let mut request = request(self.principal.clone());
        request.resource_account = account.into();
        let one = |policy: &'static str, value: &Option<Policy>| value.as_ref().map(|v| (policy, v.clone()));
        let (i, b, s, r) =
            (one("i", &self.identity), one("b", &self.boundary), one("s", &self.session), one("r", &self.resource));
        let identity: Vec<Attached<'_>> = i.iter().map(|(n, p)| at(n, p)).collect();
        let session: Vec<Attached<'_>> = s.iter().map(|(n, p)| at(n, p)).collect();
        evaluate(&request, &identity, b.as_ref().map(|(n, p)| at(n, p)), &session, r.as_ref().map(|(n, p)| at(n, p)))
    }

    fn decide(&self) -> Decision {
        self.decide_in(OWN)
    }
}

fn missing(kind: PolicyKind) -> Decision {
    Decision::ImplicitDeny { missing: kind }
}

#[test]
fn an_identity_policy_allows_and_is_named() {
    let case = Case { identity: Some(allow("s3:Get*")), ..Case::of(user()) };
    let by = StatementRef { policy: "i".into(), sid: Some("Yes".into()), index: 0 };
    assert_eq!(case.decide(), Decision::Allowed { kind: PolicyKind::Identity, by: Some(by) });
    assert_eq!(Case::of(user()).decide(), missing(PolicyKind::Identity));
}

#[test]
fn a_deny_of_any_kind_wins_and_is_named() {
    let everything = || Case {
        identity: Some(allow("*")),
        boundary: Some(allow("*")),
        session: Some(allow("*")),
        resource: Some(grant(json!("*"))),
        ..Case::of(session_of_role())
    };
    assert!(everything().decide().is_allowed());
    let kind = |case: Case| match case.decide() {
        Decision::ExplicitDeny { kind, .. } => kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(Case { identity: Some(deny()), ..everything() }), PolicyKind::Identity);
    assert_eq!(kind(Case { boundary: Some(deny()), ..everything() }), PolicyKind::Boundary);
    assert_eq!(kind(Case { session: Some(deny()), ..everything() }), PolicyKind::Session);
    let bucket = policy(json!([{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]));
    assert_eq!(kind(Case { resource: Some(bucket), ..everything() }), PolicyKind::Resource);
}

#[test]
fn boundary_and_session_take_away() {
    let base = || Case { identity: Some(allow("*")), ..Case::of(session_of_role()) };
    assert_eq!(Case { boundary: Some(allow("sqs:*")), ..base() }.decide(), missing(PolicyKind::Boundary));
    assert_eq!(Case { session: Some(allow("sqs:*")), ..base() }.decide(), missing(PolicyKind::Session));
    assert!(Case { session: Some(allow("s3:*")), boundary: Some(allow("s3:*")), ..base() }.decide().is_allowed());
}

#[test]
fn what_a_resource_policy_grants_within_the_account() {
    let with = |principal: Principal, element: Value| Case { resource: Some(grant(element)), ..Case::of(principal) };
    let narrow = || Some(allow("sqs:*"));
    // A user named by ARN needs nothing else, whatever the boundary leaves out.
    let named = with(user(), json!({"AWS": "arn:aws:iam::123456789012:user/ana"}));
    assert!(Case { boundary: narrow(), ..named }.decide().is_allowed());
    // The account delegates only.
    assert_eq!(with(user(), json!({"AWS": OWN})).decide(), missing(PolicyKind::Identity));
    // A role is limited by its boundary and session policies, its session by neither.
    let role = || with(session_of_role(), json!({"AWS": "arn:aws:iam::123456789012:role/r"}));
    assert!(role().decide().is_allowed());
    assert!(!Case { boundary: narrow(), ..role() }.decide().is_allowed());
    assert!(!Case { session: narrow(), ..role() }.decide().is_allowed());
    let session = with(session_of_role(), json!({"AWS": "arn:aws:sts::123456789012:assumed-role/r/s"}));
    assert!(Case { boundary: narrow(), session: narrow(), ..session }.decide().is_allowed());
    assert!(with(Principal::Anonymous, json!("*")).decide().is_allowed());
    assert_eq!(with(Principal::Anonymous, json!({"AWS": OWN})).decide(), missing(PolicyKind::Resource));
    let lambda = Principal::Service("lambda.amazonaws.com".into());
    assert!(with(lambda.clone(), json!({"Service": "lambda.amazonaws.com"})).decide().is_allowed());
    assert_eq!(with(lambda, json!({"Service": "sns.amazonaws.com"})).decide(), missing(PolicyKind::Resource));
}

#[test]
fn between_accounts_both_must_allow() {
    let other = "999999999999";
    let identity = || Case { identity: Some(allow("s3:*")), ..Case::of(user()) };
    assert_eq!(identity().decide_in(other), missing(PolicyKind::Resource));
    let resource = || Some(grant(json!({"AWS": OWN})));
    assert_eq!(Case { resource: resource(), ..Case::of(user()) }.decide_in(other), missing(PolicyKind::Identity));
    assert!(Case { resource: resource(), ..identity() }.decide_in(other).is_allowed());
    let bounded = Case { resource: resource(), boundary: Some(allow("sqs:*")), ..identity() };
    assert_eq!(bounded.decide_in(other), missing(PolicyKind::Boundary));
}

#[test]
fn assuming_a_role_needs_its_trust() {
    let assume = |principal: Principal, identity: &[Attached<'_>], trust: Value| {
        let trust =
            Policy::parse(&json!({"Version": "2012-10-17", "Statement": trust}).to_string(), Purpose::Trust).unwrap();
        let mut request = request(principal);
        request.action = "sts:AssumeRole".into();
        request.resource = "arn:aws:iam::123456789012:role/r".into();
        evaluate(&request, identity, None, &[], Some(at("trust", &trust)))
    };
    let trust = |who: Value| json!([{"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}]);
    let everything = allow("*");
    let admin = [at("admin", &everything)];
    let root = json!({"AWS": "arn:aws:iam::123456789012:root"});
    let lambda = json!({"Service": "lambda.amazonaws.com"});
    assert_eq!(assume(user(), &admin, trust(lambda.clone())), missing(PolicyKind::Trust));
    assert_eq!(assume(user(), &[], trust(root.clone())), missing(PolicyKind::Identity));
    assert!(assume(user(), &admin, trust(root)).is_allowed());
    assert!(assume(user(), &[], trust(json!({"AWS": "arn:aws:iam::123456789012:user/ana"}))).is_allowed());
    assert!(assume(Principal::Service("lambda.amazonaws.com".into()), &[], trust(lambda)).is_allowed());
}

#[test]
fn root_needs_no_policy_and_a_deny_stops_it() {
    let root = Principal::AccountRoot { account: OWN.into() };
    assert!(Case::of(root.clone()).decide().is_allowed());
    let bucket = policy(json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}));
    assert!(!Case { resource: Some(bucket), ..Case::of(root) }.decide().is_allowed());
}

#[test]
fn negated_elements_and_variables() {
    let identity =
        |statement: Value| Case { identity: Some(policy(statement)), ..Case::of(user()) }.decide().is_allowed();
    assert!(identity(json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})));
    assert!(!identity(json!({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"})));
    assert!(!identity(json!({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/*"})));
    assert!(!identity(json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:username}"})));
    assert!(identity(json!({"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:username": "ana"}}})));
    assert!(!identity(json!({"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:username": "ana"}, "Bool": {"aws:SecureTransport": "true"}}})));
    let but_ana = policy(json!({"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:user/ana"},
        "Action": "*", "Resource": "*"}));
    let case = |principal| Case { identity: Some(allow("*")), resource: Some(but_ana.clone()), ..Case::of(principal) };
    assert!(case(user()).decide().is_allowed());
    assert!(!case(session_of_role()).decide().is_allowed());
}

fn statement() -> impl Strategy<Value = Value> {
    let actions = prop::sample::select(vec!["s3:GetObject", "s3:*", "*", "sqs:SendMessage", "s3:Put?bject"]);
    let resources = prop::sample::select(vec!["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::c/*"]);
    let effects = prop::sample::select(vec!["Allow", "Allow", "Allow", "Deny"]);
    (effects, actions, resources).prop_map(|(e, a, r)| json!({"Effect": e, "Action": a, "Resource": r}))
}

/// The documented rule for a role session without a resource policy, spelled out with regular expressions.
fn naive(identity: &[Value], boundary: &[Value], session: &[Value]) -> bool {
    let glob = |pattern: &str, text: &str| {
        let regex = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
        regex::Regex::new(&format!("^{regex}$")).unwrap().is_match(text)
    };
    let hits = |statement: &&Value| {
        glob(statement["Action"].as_str().unwrap(), "s3:GetObject")
            && glob(statement["Resource"].as_str().unwrap(), "arn:aws:s3:::b/k")
    };
    let denies = |list: &[Value]| list.iter().filter(hits).any(|s| s["Effect"] == "Deny");
    let allows = |list: &[Value]| list.iter().filter(hits).any(|s| s["Effect"] == "Allow");
    let all = [identity, boundary, session];
    !all.iter().any(|list| denies(list)) && all.iter().all(|list| allows(list))
}

proptest! {
    #[test]
    fn agrees_with_the_naive_rule(
        identity in prop::collection::vec(statement(), 1..4),
        boundary in prop::collection::vec(statement(), 1..4),
        session in prop::collection::vec(statement(), 1..4),
    ) {
        let expected = naive(&identity, &boundary, &session);
        let case = Case {
            identity: Some(policy(json!(identity))),
            boundary: Some(policy(json!(boundary))),
            session: Some(policy(json!(session))),
            ..Case::of(session_of_role())
        };
        prop_assert_eq!(case.decide().is_allowed(), expected);
        let denied = Case { boundary: Some(deny()), ..case }.decide();
        let explicit = matches!(denied, Decision::ExplicitDeny { .. });
        prop_assert!(explicit);
    }

    #[test]
    fn a_further_deny_never_allows(
        identity in prop::collection::vec(statement(), 1..4),
        extra in statement(),
        cross in any::<bool>(),
    ) {
        let account = if cross { "999999999999" } else { OWN };
        let decide = |statements: &[Value]| Case {
            identity: Some(policy(json!(statements))),
            resource: Some(grant(json!({"AWS": OWN}))),
            ..Case::of(user())
        }.decide_in(account).is_allowed();
        let mut more = identity.clone();
        let mut extra = extra;
        extra["Effect"] = json!("Deny");
        more.push(extra);
        prop_assert!(decide(&identity) || !decide(&more));
    }
}

#[test]
fn a_federated_user_has_what_the_user_and_the_passed_policy_share() {
    let federated = |issuer: Option<&str>| Principal::FederatedUser {
        account: OWN.into(),
        name: "bob".into(),
        issuer: issuer.map(str::to_owned),
    };
    let (reads, all) = (allow("s3:Get*"), allow("s3:*"));
    let none = policy(json!({"Effect": "Deny", "Action": "none:none", "Resource": "*"}));
    let decide = |issuer: Option<&str>, identity: Option<&Policy>, session: &Policy| {
        let identity: Vec<_> = identity.into_iter().map(|policy| at("i", policy)).collect();
        evaluate(&request(federated(issuer)), &identity, None, &[at("s", session)], None).is_allowed()
    };
    assert!(decide(Some("ana"), Some(&all), &reads));
    assert!(!decide(Some("ana"), None, &reads));
    assert!(!decide(Some("ana"), Some(&all), &allow("sqs:*")));
    assert!(decide(None, None, &reads));
    assert!(!decide(None, None, &none));
    let resource = grant(json!({"AWS": "arn:aws:sts::123456789012:federated-user/bob"}));
    let by_resource = evaluate(&request(federated(None)), &[], None, &[at("s", &none)], Some(at("r", &resource)));
    assert!(by_resource.is_allowed(), "{by_resource:?}");
}

#[test]
fn tags_and_sources_of_sessions_are_the_trust_policys_to_allow() {
    for action in ["sts:TagSession", "sts:SetSourceIdentity", "sts:AssumeRole"] {
        let mut asked = request(user());
        asked.action = action.into();
        let trust = policy(json!({"Effect": "Allow", "Principal": {"AWS": OWN}, "Action": action}));
        let everything = allow("*");
        let decide = |trust: &Policy| evaluate(&asked, &[at("i", &everything)], None, &[], Some(at("t", trust)));
        assert!(decide(&trust).is_allowed(), "{action}");
        let other = policy(json!({"Effect": "Allow", "Principal": {"AWS": OWN}, "Action": "sts:Other"}));
        assert_eq!(decide(&other), Decision::ImplicitDeny { missing: PolicyKind::Trust }, "{action}");
    }
}

#[test]
fn all_statements_that_apply_are_found() {
    let mixed = policy(json!([
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"},
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"},
    ]));
    assert_eq!(applying(&request(user()), at("p", &mixed), false), [0, 3]);
    assert_eq!(applying(&request(user()), at("p", &mixed), true), [1]);
}
