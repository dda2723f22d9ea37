//! Tests of policy documents: what AWS refuses with which words, read-back, and arbitrary input.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn refusal(document: &Value, purpose: Purpose) -> String {
    let error = Policy::parse(&document.to_string(), purpose).unwrap_err();
    assert_eq!((error.code(), error.status()), ("MalformedPolicyDocument", 400));
    error.message().to_owned()
}

fn with(statement: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statement})
}

#[test]
fn refusals_of_identity_policies() {
    let r = "arn:aws:s3:::example_bucket";
    let cases = [
        (
            json!({"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Action": "s3:A", "Resource": r}}),
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (
            json!({"Version": "2013-10-17", "Statement": {"Effect": "Allow", "Action": "s3:A", "Resource": r}}),
            "Syntax errors in policy.",
        ),
        (json!({"Version": "2012-10-17", "Extra": 1, "Statement": []}), "Syntax errors in policy."),
        (with(json!([])), "Syntax errors in policy."),
        (with(json!({"Effect": "invalid", "Action": "s3:A", "Resource": r})), "Syntax errors in policy."),
        (with(json!({"Effect": "allow", "Action": "s3:A", "Resource": r})), "The policy failed legacy parsing"),
        (with(json!({"Effect": "Allow", "Action": "s3:A"})), "Policy statement must contain resources."),
        (
            with(json!({"Effect": "Allow", "Action": "s3:A", "Resource": []})),
            "Policy statement must contain resources.",
        ),
        (with(json!({"Effect": "Allow", "Resource": r})), "Policy statement must contain actions."),
        (with(json!({"Effect": "Allow", "Action": [], "Resource": r})), "Policy statement must contain actions."),
        (
            with(json!({"Effect": "Allow", "Action": "invalid", "Resource": r})),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (
            with(json!({"Effect": "Allow", "NotAction": "", "Resource": r})),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (with(json!({"Effect": "Allow", "Action": "a a:ListBucket", "Resource": r})), "Vendor a a is not valid"),
        (
            with(json!({"Effect": "Allow", "Action": "s3:List:Bucket", "Resource": r})),
            "Actions/Condition can contain only one colon.",
        ),
    ];
    for (document, text) in cases {
        assert_eq!(refusal(&document, Purpose::Identity), text, "{document}");
    }
    assert_eq!(Policy::parse("{", Purpose::Identity).unwrap_err().message(), "Syntax errors in policy.");
}

#[test]
fn refusals_of_resources_sids_and_conditions() {
    let r = "arn:aws:s3:::example_bucket";
    let cases = [
        (
            with(json!({"Effect": "Allow", "Action": "s3:A", "Resource": "invalid resource"})),
            "Resource invalid resource must be in ARN format or \"*\".",
        ),
        (
            with(json!({"Effect": "Allow", "Action": "s3:A", "Resource": "arn:red:s3:::b"})),
            "Partition \"red\" is not valid for resource \"arn:red:s3:::b\".",
        ),
        (
            with(json!({"Effect": "Allow", "Action": "s3:A", "Resource": "a:a:a"})),
            "Partition \"a\" is not valid for resource \"arn:a:a:*:*:*\".",
        ),
        (
            with(json!({"Effect": "Allow", "Action": "s3:A", "Resource": "arn:aws"})),
            "Resource vendor must be fully qualified and cannot contain regexes.",
        ),
        (
            with(json!({"Effect": "Allow", "Action": "s3:A", "Resource": "arn:aws:s3:us-east-1::b"})),
            "Resource arn:aws:s3:us-east-1::b can not contain region information.",
        ),
        (
            with(json!({"Effect": "Allow", "Action": "s3:A", "Resource": "arn:aws:s3::b"})),
            "The policy failed legacy parsing",
        ),
        (
            with(json!([{"Sid": "x", "Effect": "Allow", "Action": "s3:A", "Resource": r},
                     {"Sid": "x", "Effect": "Allow", "Action": "s3:A", "Resource": r}])),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            with(json!({"Effect": "Allow", "Principal": "*", "Action": "s3:A", "Resource": r})),
            "Policy document should not specify a principal.",
        ),
        (
            with(json!({"Effect": "Allow", "Action": "s3:A", "NotAction": "s3:B", "Resource": r})),
            "Syntax errors in policy.",
        ),
        (
            with(json!({"Effect": "Allow", "Action": "s3:A", "Resource": r, "Condition": {"StringEqual": {"a": "b"}}})),
            "Syntax errors in policy.",
        ),
        (
            with(
                json!({"Effect": "Allow", "Action": "s3:A", "Resource": r, "Condition": {"DateLessThan": {"a": "b"}}}),
            ),
            "The policy failed legacy parsing",
        ),
        (json!([]), "Syntax errors in policy."),
    ];
    for (document, text) in cases {
        assert_eq!(refusal(&document, Purpose::Identity), text, "{document}");
    }
}

#[test]
fn refusals_of_trust_policies() {
    let who = json!({"Service": "lambda.amazonaws.com"});
    let cases = [
        (with(json!([])), "Could not parse the policy: Statement is empty!"),
        (with(json!({"Effect": "Allow", "Action": "sts:AssumeRole"})), "Missing required field Principal"),
        (
            with(json!({"Effect": "Allow", "Principal": {}, "Action": "sts:AssumeRole"})),
            "Missing required field Principal cannot be empty!",
        ),
        (
            with(json!({"Effect": "Allow", "Principal": who, "Action": "*"})),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            with(json!({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole", "Resource": "*"})),
            "Has prohibited field Resource",
        ),
        (
            with(json!({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole", "NotResource": "*"})),
            "AssumeRole policy must not contain resources.",
        ),
        (
            with(json!({"Effect": "Allow", "NotPrincipal": who, "Action": "sts:AssumeRole"})),
            "Allow with NotPrincipal is not allowed.",
        ),
        (
            with(
                json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::12345678910:role/x"}, "Action": "sts:AssumeRole"}),
            ),
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam::12345678910:role/x\"",
        ),
    ];
    for (document, text) in cases {
        assert_eq!(refusal(&document, Purpose::Trust), text, "{document}");
    }
    assert_eq!(Policy::parse("{", Purpose::Trust).unwrap_err().message(), "This policy contains invalid Json");
}

#[test]
fn good_documents_keep_their_text() {
    let text = "{ \"Version\":\"2012-10-17\",\n\"Statement\": {\"Effect\":\"Allow\",\"Action\":[\"sts:AssumeRole\"],\
                \"Principal\":{\"Service\":[\"lambda.amazonaws.com\"]}} }";
    let policy = Policy::parse(text, Purpose::Trust).unwrap();
    assert_eq!(policy.text(), text);
    let stored = serde_json::to_string(&policy).unwrap();
    let back: Policy = serde_json::from_str(&stored).unwrap();
    assert_eq!((back.text(), back.document()), (text, policy.document()));
    for resource in ["arn:aws:iam::123456789012:role/*", "arn:aws:s3:::b/*", "*", "arn:aws:logs:*:*:*"] {
        let document = with(json!({"Sid": "", "Effect": "Allow", "Action": ["s3:*", "*"], "Resource": resource}));
        Policy::parse(&document.to_string(), Purpose::Identity).unwrap();
    }
    assert!(serde_json::from_str::<Policy>("\"{}\"").is_err());
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec!["Allow", "Deny", "*", "2012-10-17", "s3:*", "arn:aws:s3:::b/${x", "arn:aws:iam::"])
            .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "Version",
        "Id",
        "Statement",
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "StringLike",
        "DateLessThan",
        "IpAddress",
        "AWS",
        "Service",
        "k",
    ]);
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_documents_never_panic(value in json_value(), condition in json_value(), text in ".{0,80}") {
        let _ = Policy::read(&text);
        for purpose in [Purpose::Identity, Purpose::Trust, Purpose::Resource, Purpose::Session] {
            let _ = Policy::parse(&value.to_string(), purpose);
            let statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": value, "Condition": condition});
            let Ok(policy) = Policy::parse(&with(statement).to_string(), purpose) else { continue };
            let request = Request {
                principal: crate::iam::principal::Principal::Anonymous,
                resource_account: "123456789012".into(),
                action: "s3:GetObject".into(),
                resource: "arn:aws:s3:::b/k".into(),
                context: [("k".to_owned(), vec![text.clone()])].into(),
            };
            evaluate(&request, &[], None, &[], Some(Attached { name: "p", policy: &policy }));
        }
    }
}

#[test]
fn an_inline_policy_may_leave_out_its_version_and_a_managed_one_may_not() {
    let document =
        json!({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}}).to_string();
    assert!(Policy::parse(&document, Purpose::Inline).is_ok());
    assert!(Policy::parse(&document, Purpose::Identity).is_err());
}
