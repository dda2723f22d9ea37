//! The IAM service through the front door.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::{Directory, Principal};
use crate::Error;
use crate::cloud::{Call, Caller, Cloud};

const ACCOUNT: &str = "123456789012";
const BASIC: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

async fn call(cloud: &Cloud, operation: &str, input: Value) -> Result<Value, Error> {
    let call = Call::new("iam", operation, Caller::root(ACCOUNT), cloud.scope().clone(), input);
    cloud.call(call).await.map(|reply| reply.output)
}

async fn ok(cloud: &Cloud, operation: &str, input: Value) -> Value {
    call(cloud, operation, input).await.unwrap()
}

async fn refused(cloud: &Cloud, operation: &str, input: Value) -> (u16, String, String) {
    let error = call(cloud, operation, input).await.unwrap_err();
    (error.status(), error.code().to_owned(), error.message().to_owned())
}

fn trust() -> String {
    let statement =
        json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn policy(action: &str) -> String {
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

async fn create_role(cloud: &Cloud, name: &str) -> Value {
    ok(cloud, "CreateRole", json!({"RoleName": name, "AssumeRolePolicyDocument": trust()})).await
}

/// The directory as the world is saved.
fn directory(cloud: &Cloud) -> Directory {
    let world = serde_json::to_value(cloud.save().unwrap()).unwrap();
    serde_json::from_value(world["services"]["iam"]["states"][0][1].clone()).unwrap()
}

#[tokio::test]
async fn a_role_from_creation_to_deletion() {
    let cloud = Cloud::builder().build();
    let input = json!({
        "RoleName": "fn", "Path": "/team/", "AssumeRolePolicyDocument": trust(), "Description": "d",
        "MaxSessionDuration": 7200, "Tags": [{"Key": "a", "Value": "1"}],
    });
    let created = ok(&cloud, "CreateRole", input.clone()).await;
    assert_eq!(created["Role"]["Arn"], "arn:aws:iam::123456789012:role/team/fn");
    let exists = (409, "EntityAlreadyExists".to_owned(), "Role with name fn already exists.".to_owned());
    assert_eq!(refused(&cloud, "CreateRole", input).await, exists);
    let got = ok(&cloud, "GetRole", json!({"RoleName": "fn"})).await;
    let document = got["Role"]["AssumeRolePolicyDocument"].as_str().unwrap();
    assert!(document.starts_with("%7B%22Version%22%3A%222012-10-17%22%2C"), "{document}");
    assert_eq!(got["Role"]["Tags"], json!([{"Key": "a", "Value": "1"}]));
    assert_eq!(got["Role"]["RoleLastUsed"], json!({}));
    ok(&cloud, "UpdateRole", json!({"RoleName": "fn", "Description": "e"})).await;
    ok(&cloud, "TagRole", json!({"RoleName": "fn", "Tags": [{"Key": "A", "Value": "2"}, {"Key": "b", "Value": ""}]}))
        .await;
    ok(&cloud, "UntagRole", json!({"RoleName": "fn", "TagKeys": ["B"]})).await;
    let tags = ok(&cloud, "ListRoleTags", json!({"RoleName": "fn"})).await;
    assert_eq!(tags, json!({"Tags": [{"Key": "A", "Value": "2"}], "IsTruncated": false}));
    ok(&cloud, "AttachRolePolicy", json!({"RoleName": "fn", "PolicyArn": BASIC})).await;
    ok(&cloud, "PutRolePolicy", json!({"RoleName": "fn", "PolicyName": "p", "PolicyDocument": policy("s3:*")})).await;
    let conflict = |text: &str| (409, "DeleteConflict".to_owned(), text.to_owned());
    let first = refused(&cloud, "DeleteRole", json!({"RoleName": "fn"})).await;
    assert_eq!(first, conflict("Cannot delete entity, must detach all policies first."));
    ok(&cloud, "DetachRolePolicy", json!({"RoleName": "fn", "PolicyArn": BASIC})).await;
    let second = refused(&cloud, "DeleteRole", json!({"RoleName": "fn"})).await;
    assert_eq!(second, conflict("Cannot delete entity, must delete policies first."));
    ok(&cloud, "DeleteRolePolicy", json!({"RoleName": "fn", "PolicyName": "p"})).await;
    ok(&cloud, "DeleteRole", json!({"RoleName": "fn"})).await;
    let gone = (404, "NoSuchEntity".to_owned(), "The role with name fn cannot be found.".to_owned());
    assert_eq!(refused(&cloud, "GetRole", json!({"RoleName": "fn"})).await, gone);
}

#[tokio::test]
async fn lists_have_prefixes_and_pages() {
    let cloud = Cloud::builder().build();
    for name in ["c", "a", "b"] {
        create_role(&cloud, name).await;
    }
    ok(&cloud, "CreateRole", json!({"RoleName": "d", "Path": "/x/", "AssumeRolePolicyDocument": trust()})).await;
    let names = |answer: &Value| -> Vec<String> {
        let name = |role: &Value| role["RoleName"].as_str().unwrap().to_owned();
        answer["Roles"].as_array().unwrap().iter().map(name).collect()
    };
    let first = ok(&cloud, "ListRoles", json!({"MaxItems": 3})).await;
    assert_eq!((names(&first), &first["IsTruncated"]), (vec!["a".into(), "b".into(), "c".into()], &json!(true)));
    let second = ok(&cloud, "ListRoles", json!({"MaxItems": 3, "Marker": first["Marker"]})).await;
    assert_eq!((names(&second), &second["IsTruncated"]), (vec!["d".into()], &json!(false)));
    assert_eq!(names(&ok(&cloud, "ListRoles", json!({"PathPrefix": "/x/"})).await), ["d"]);
    let error = refused(&cloud, "ListRoles", json!({"Marker": "?"})).await;
    assert_eq!(error.1, "ValidationError");
}

#[tokio::test]
async fn policies_of_a_principal_are_what_the_front_door_needs() {
    let cloud = Cloud::builder().build();
    let role = create_role(&cloud, "fn").await;
    ok(&cloud, "PutRolePolicy", json!({"RoleName": "fn", "PolicyName": "p", "PolicyDocument": policy("s3:*")})).await;
    ok(&cloud, "AttachRolePolicy", json!({"RoleName": "fn", "PolicyArn": BASIC})).await;
    let own = ok(&cloud, "CreatePolicy", json!({"PolicyName": "edge", "PolicyDocument": policy("s3:Get*")})).await;
    let boundary = json!({"RoleName": "fn", "PermissionsBoundary": own["Policy"]["Arn"]});
    ok(&cloud, "PutRolePermissionsBoundary", boundary).await;
    let session = |id: &str| Principal::AssumedRole {
        account: ACCOUNT.into(),
        role_name: "fn".into(),
        role_path: "/".into(),
        role_id: id.into(),
        session_name: "s".into(),
    };
    let found = directory(&cloud).policies_of(&session(role["Role"]["RoleId"].as_str().unwrap()));
    let names: Vec<&str> = found.identity.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["p", BASIC]);
    assert_eq!(found.boundary.unwrap().text(), policy("s3:Get*"));
    assert!(directory(&cloud).policies_of(&session("AROAOTHER")).identity.is_empty());
    assert_eq!(directory(&cloud).role_by_arn("arn:aws:iam::123456789012:role/fn").unwrap().name, "fn");
    assert!(directory(&cloud).role_by_arn("arn:aws:iam::123456789012:role/x/fn").is_none());
    ok(&cloud, "DeleteRolePermissionsBoundary", json!({"RoleName": "fn"})).await;
    let after = directory(&cloud).policies_of(&session(role["Role"]["RoleId"].as_str().unwrap()));
    assert!(after.boundary.is_none());
}

#[tokio::test]
async fn documents_names_and_sizes_that_are_refused() {
    let cloud = Cloud::builder().build();
    create_role(&cloud, "fn").await;
    let put = |document: String| json!({"RoleName": "fn", "PolicyName": "p", "PolicyDocument": document});
    let long = policy(&format!("s3:{}", "x".repeat(10_240)));
    let stranger =
        trust().replace(r#""Service":"lambda.amazonaws.com""#, r#""AWS":"arn:aws:iam::123456789012:role/no""#);
    let cases = [
        ("PutRolePolicy", put("{}".into()), "MalformedPolicyDocument", "Syntax errors in policy."),
        ("PutRolePolicy", put(long), "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role fn"),
        (
            "GetRolePolicy",
            json!({"RoleName": "fn", "PolicyName": "no"}),
            "NoSuchEntity",
            "The role policy with name no cannot be found.",
        ),
        (
            "AttachRolePolicy",
            json!({"RoleName": "fn", "PolicyArn": "arn:aws:iam::aws:policy/NotThere"}),
            "NoSuchEntity",
            "Policy arn:aws:iam::aws:policy/NotThere does not exist or is not attachable.",
        ),
        (
            "AttachRolePolicy",
            json!({"RoleName": "fn", "PolicyArn": "AmazonS3ReadOnlyAccess"}),
            "ValidationError",
            "Invalid ARN:  Could not be parsed!",
        ),
        (
            "DetachRolePolicy",
            json!({"RoleName": "fn", "PolicyArn": BASIC}),
            "NoSuchEntity",
            "Policy arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole was not found.",
        ),
        (
            "UpdateAssumeRolePolicy",
            json!({"RoleName": "fn", "PolicyDocument": stranger}),
            "MalformedPolicyDocument",
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:role/no\"",
        ),
        (
            "TagRole",
            json!({"RoleName": "fn", "Tags": [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]}),
            "InvalidInput",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ),
        (
            "CreateUser",
            json!({"UserName": "u", "PermissionsBoundary": "arn:aws:iam::aws:policy/Nope"}),
            "NoSuchEntity",
            "Scope ARN: arn:aws:iam::aws:policy/Nope does not exist or is not attachable.",
        ),
    ];
    for (operation, input, code, message) in cases {
        let (_, got, text) = refused(&cloud, operation, input).await;
        assert_eq!((&*got, &*text), (code, message), "{operation}");
    }
    let listed = ok(&cloud, "ListRolePolicies", json!({"RoleName": "fn"})).await;
    assert_eq!(listed["PolicyNames"], json!([]));
}

#[tokio::test]
async fn a_user_and_its_keys() {
    let cloud = Cloud::builder().build();
    ok(&cloud, "CreateUser", json!({"UserName": "ana"})).await;
    let key = ok(&cloud, "CreateAccessKey", json!({"UserName": "ana"})).await["AccessKey"].clone();
    let id = key["AccessKeyId"].as_str().unwrap();
    assert!(id.starts_with("AKIA") && id.len() == 20);
    let (principal, secret, active) = directory(&cloud).access_key(id).unwrap();
    assert_eq!(principal.arn(), "arn:aws:iam::123456789012:user/ana");
    assert_eq!((secret.as_str(), active), (key["SecretAccessKey"].as_str().unwrap(), true));
    ok(&cloud, "UpdateAccessKey", json!({"UserName": "ana", "AccessKeyId": id, "Status": "Inactive"})).await;
    assert!(!directory(&cloud).access_key(id).unwrap().2);
    let listed = ok(&cloud, "ListAccessKeys", json!({"UserName": "ana"})).await;
    assert_eq!(listed["AccessKeyMetadata"][0]["Status"], "Inactive");
    assert_eq!(listed["AccessKeyMetadata"][0].get("SecretAccessKey"), None);
    ok(&cloud, "CreateAccessKey", json!({"UserName": "ana"})).await;
    let third = refused(&cloud, "CreateAccessKey", json!({"UserName": "ana"})).await;
    assert_eq!(third, (409, "LimitExceeded".into(), "Cannot exceed quota for AccessKeysPerUser: 2".into()));
    let conflict = refused(&cloud, "DeleteUser", json!({"UserName": "ana"})).await;
    assert_eq!(conflict.2, "Cannot delete entity, must delete access keys first.");
    for key in ok(&cloud, "ListAccessKeys", json!({"UserName": "ana"})).await["AccessKeyMetadata"].as_array().unwrap() {
        ok(&cloud, "DeleteAccessKey", json!({"UserName": "ana", "AccessKeyId": key["AccessKeyId"]})).await;
    }
    assert!(directory(&cloud).access_key(id).is_none());
    let missing = refused(&cloud, "DeleteAccessKey", json!({"UserName": "ana", "AccessKeyId": id})).await;
    assert_eq!(missing.2, format!("The Access Key with id {id} cannot be found."));
    ok(&cloud, "DeleteUser", json!({"UserName": "ana"})).await;
    let gone = refused(&cloud, "GetUser", json!({"UserName": "ana"})).await;
    assert_eq!(gone.2, "The user with name ana cannot be found.");
}

#[tokio::test]
async fn managed_policies_and_their_versions() {
    let cloud = Cloud::builder().build();
    let create = json!({"PolicyName": "p", "PolicyDocument": policy("s3:Get*"), "Description": "d"});
    let arn = ok(&cloud, "CreatePolicy", create.clone()).await["Policy"]["Arn"].clone();
    let exists = refused(&cloud, "CreatePolicy", create).await;
    assert_eq!(exists.2, "A policy called p already exists. Duplicate names are not allowed.");
    for number in 2..=5 {
        let version = json!({"PolicyArn": arn, "PolicyDocument": policy("s3:*"), "SetAsDefault": number == 5});
        let made = ok(&cloud, "CreatePolicyVersion", version).await;
        assert_eq!(made["PolicyVersion"]["VersionId"], format!("v{number}"));
    }
    let sixth = json!({"PolicyArn": arn, "PolicyDocument": policy("s3:*")});
    assert_eq!(refused(&cloud, "CreatePolicyVersion", sixth).await.1, "LimitExceeded");
    let versions = ok(&cloud, "ListPolicyVersions", json!({"PolicyArn": arn})).await;
    let ids: Vec<_> =
        versions["Versions"].as_array().unwrap().iter().map(|one| one["VersionId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["v5", "v4", "v3", "v2", "v1"]);
    let default = refused(&cloud, "DeletePolicyVersion", json!({"PolicyArn": arn, "VersionId": "v5"})).await;
    assert_eq!(default.2, "Cannot delete the default version of a policy.");
    ok(&cloud, "SetDefaultPolicyVersion", json!({"PolicyArn": arn, "VersionId": "v1"})).await;
    assert_eq!(refused(&cloud, "DeletePolicy", json!({"PolicyArn": arn})).await.1, "DeleteConflict");
    for number in 2..=5 {
        ok(&cloud, "DeletePolicyVersion", json!({"PolicyArn": arn, "VersionId": format!("v{number}")})).await;
    }
    let no = refused(&cloud, "GetPolicyVersion", json!({"PolicyArn": arn, "VersionId": "v2"})).await;
    assert_eq!(no.2, "Policy arn:aws:iam::123456789012:policy/p version v2 does not exist or is not attachable.");
    create_role(&cloud, "fn").await;
    ok(&cloud, "AttachRolePolicy", json!({"RoleName": "fn", "PolicyArn": arn})).await;
    let got = ok(&cloud, "GetPolicy", json!({"PolicyArn": arn})).await;
    assert_eq!((&got["Policy"]["AttachmentCount"], &got["Policy"]["Description"]), (&json!(1), &json!("d")));
    let attached = refused(&cloud, "DeletePolicy", json!({"PolicyArn": arn})).await;
    assert_eq!(attached.2, "Cannot delete a policy attached to entities.");
    let listed = ok(&cloud, "ListAttachedRolePolicies", json!({"RoleName": "fn"})).await;
    assert_eq!(listed["AttachedPolicies"], json!([{"PolicyName": "p", "PolicyArn": arn}]));
    assert_eq!(ok(&cloud, "ListPolicies", json!({"Scope": "Local"})).await["Policies"].as_array().unwrap().len(), 1);
    let used = ok(&cloud, "ListPolicies", json!({"OnlyAttached": true})).await;
    assert_eq!(used["Policies"].as_array().unwrap().len(), 1);
    ok(&cloud, "DetachRolePolicy", json!({"RoleName": "fn", "PolicyArn": arn})).await;
    ok(&cloud, "DeletePolicy", json!({"PolicyArn": arn})).await;
    let gone = refused(&cloud, "GetPolicy", json!({"PolicyArn": arn})).await;
    assert_eq!(gone.2, "Policy arn:aws:iam::123456789012:policy/p was not found.");
    let awss = refused(&cloud, "DeletePolicy", json!({"PolicyArn": BASIC})).await;
    assert_eq!((awss.0, &*awss.1), (403, "AccessDenied"));
}

#[tokio::test]
async fn permissions_are_enforced_from_the_directory() {
    let cloud = Cloud::builder().build();
    let user = ok(&cloud, "CreateUser", json!({"UserName": "ana"})).await;
    let ana = Caller::new(Principal::User {
        account: ACCOUNT.into(),
        path: "/".into(),
        name: "ana".into(),
        id: user["User"]["UserId"].as_str().unwrap().into(),
    });
    let get = Call::new("iam", "GetUser", ana, cloud.scope().clone(), json!({"UserName": "ana"}));
    let denied = cloud.call(get.clone()).await.unwrap_err();
    assert_eq!(
        denied.message(),
        "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: iam:GetUser on resource: \
         arn:aws:iam::123456789012:user/ana because no identity-based policy allows the iam:GetUser action"
    );
    let put = json!({"UserName": "ana", "PolicyName": "p", "PolicyDocument": policy("iam:Get*")});
    ok(&cloud, "PutUserPolicy", put).await;
    assert_eq!(cloud.call(get).await.unwrap().output["User"]["UserName"], "ana");
}
