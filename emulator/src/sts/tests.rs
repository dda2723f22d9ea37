//! STS through the front door.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::Error;
use crate::cloud::{Call, Caller, Cloud};
use crate::iam::Principal;

const ACCOUNT: &str = "123456789012";

async fn call(
    cloud: &Cloud,
    caller: &Caller,
    service: &'static str,
    operation: &str,
    input: Value,
) -> Result<Value, Error> {
    let call = Call::new(service, operation, caller.clone(), cloud.scope().clone(), input);
    cloud.call(call).await.map(|reply| reply.output)
}

async fn iam(cloud: &Cloud, operation: &str, input: Value) -> Value {
    call(cloud, &Caller::root(ACCOUNT), "iam", operation, input).await.unwrap()
}

/// A cloud with a user who may assume roles, and a role that trusts the account if a word is said.
async fn cloud() -> (Cloud, Caller) {
    let cloud = Cloud::builder().build();
    let user = iam(&cloud, "CreateUser", json!({"UserName": "ana"})).await;
    let may = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}});
    iam(&cloud, "PutUserPolicy", json!({"UserName": "ana", "PolicyName": "p", "PolicyDocument": may.to_string()}))
        .await;
    let trust = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT},
        "Condition": {"StringEquals": {"sts:ExternalId": "word"}},
    }});
    iam(
        &cloud,
        "CreateRole",
        json!({"RoleName": "r", "Path": "/team/", "AssumeRolePolicyDocument": trust.to_string()}),
    )
    .await;
    let principal = Principal::User {
        account: ACCOUNT.into(),
        path: "/".into(),
        name: "ana".into(),
        id: user["User"]["UserId"].as_str().unwrap().into(),
    };
    (cloud, Caller::new(principal))
}

fn ask(changes: Value) -> Value {
    let mut ask =
        json!({"RoleArn": "arn:aws:iam::123456789012:role/team/r", "RoleSessionName": "s", "ExternalId": "word"});
    changes.as_object().unwrap().iter().for_each(|(name, value)| ask[name] = value.clone());
    ask
}

#[tokio::test]
async fn a_trusted_user_becomes_the_role_for_a_while() {
    let (cloud, ana) = cloud().await;
    let answer = call(&cloud, &ana, "sts", "AssumeRole", ask(json!({}))).await.unwrap();
    let arn = "arn:aws:sts::123456789012:assumed-role/r/s";
    assert_eq!(answer["AssumedRoleUser"]["Arn"], arn);
    let id = answer["AssumedRoleUser"]["AssumedRoleId"].as_str().unwrap();
    assert!(id.starts_with("AROA") && id.ends_with(":s"));
    assert_eq!(answer["Credentials"]["Expiration"], cloud.now().millis() + 3_600_000);
    assert_eq!(answer.get("PackedPolicySize"), None);
    let key = json!({"AccessKeyId": answer["Credentials"]["AccessKeyId"]});
    assert_eq!(call(&cloud, &ana, "sts", "GetAccessKeyInfo", key).await.unwrap()["Account"], ACCOUNT);
    let second = call(&cloud, &ana, "sts", "AssumeRole", ask(json!({}))).await.unwrap();
    assert_ne!(answer["Credentials"]["AccessKeyId"], second["Credentials"]["AccessKeyId"]);
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}});
    let narrow = ask(
        json!({"Policy": policy.to_string(), "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"}]}),
    );
    assert_eq!(call(&cloud, &ana, "sts", "AssumeRole", narrow).await.unwrap()["PackedPolicySize"], 7);
}

#[tokio::test]
async fn what_is_refused() {
    let (cloud, ana) = cloud().await;
    let not_authorized = |arn: &str| {
        format!(
            "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: sts:AssumeRole on resource: {arn}"
        )
    };
    let other = "arn:aws:iam::123456789012:role/other";
    let deny = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}});
    let cases = [
        (ask(json!({"ExternalId": "no"})), "AccessDenied", not_authorized("arn:aws:iam::123456789012:role/team/r")),
        (ask(json!({"RoleArn": other})), "AccessDenied", not_authorized(other)),
        (
            ask(json!({"RoleArn": "arn:aws:s3:::some-bucket"})),
            "ValidationError",
            "arn:aws:s3:::some-bucket is invalid".into(),
        ),
        (
            ask(json!({"DurationSeconds": 3_601})),
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".into(),
        ),
        (
            ask(json!({"Policy": deny.to_string()})),
            "MalformedPolicyDocument",
            "Policy document should not specify a principal.".into(),
        ),
    ];
    for (input, code, message) in cases {
        let error = call(&cloud, &ana, "sts", "AssumeRole", input).await.unwrap_err();
        assert_eq!((error.code(), error.message()), (code, &*message));
    }
    let tags = ask(json!({"Tags": [{"Key": "a", "Value": "b"}]}));
    let error = call(&cloud, &ana, "sts", "AssumeRole", tags).await.unwrap_err();
    assert!(error.code() == "AccessDenied" && error.message().contains("sts:TagSession"), "{error}");
    let device = ask(json!({"SerialNumber": "arn:aws:iam::123456789012:mfa/ana"}));
    let error = call(&cloud, &ana, "sts", "AssumeRole", device).await.unwrap_err();
    assert!(error.code() == "AccessDenied" && error.message().contains("one time pass code"), "{error}");
    let error = call(&cloud, &Caller::root(ACCOUNT), "sts", "AssumeRole", ask(json!({}))).await.unwrap_err();
    assert_eq!(error.message(), "Roles may not be assumed by root accounts.");
    iam(&cloud, "DeleteUserPolicy", json!({"UserName": "ana", "PolicyName": "p"})).await;
    let error = call(&cloud, &ana, "sts", "AssumeRole", ask(json!({}))).await.unwrap_err();
    assert_eq!(error.code(), "AccessDenied");
}

#[tokio::test]
async fn who_one_is() {
    let (cloud, ana) = cloud().await;
    let answer = call(&cloud, &ana, "sts", "GetCallerIdentity", json!({})).await.unwrap();
    assert_eq!((&answer["Account"], &answer["Arn"]), (&json!(ACCOUNT), &json!("arn:aws:iam::123456789012:user/ana")));
    let nobody = Caller::new(Principal::Anonymous);
    let error = call(&cloud, &nobody, "sts", "GetCallerIdentity", json!({})).await.unwrap_err();
    assert_eq!(error.code(), "MissingAuthenticationToken");
    let answer = call(&cloud, &ana, "sts", "GetSessionToken", json!({"DurationSeconds": 900})).await.unwrap();
    assert_eq!(answer["Credentials"]["Expiration"], cloud.now().millis() + 900_000);
    let mut session = ana.clone();
    session.access_key = answer["Credentials"]["AccessKeyId"].as_str().map(str::to_owned);
    let error = call(&cloud, &session, "sts", "GetSessionToken", json!({})).await.unwrap_err();
    assert_eq!(error.message(), "Cannot call GetSessionToken with session credentials");
}
