//! The IAM service: its operations and what each acts on.

use super::attachments::{self, Attach, Named, OnPolicy, PutBoundary, PutPolicy};
use super::directory::{Directory, Kind};
use super::{managed, roles, users};
use crate::cloud::{At, Service, Target};

/// The service and its operations. Groups, instance profiles, login profiles, MFA devices, federation and
/// service-linked roles do not exist.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>
pub fn service() -> Service<Directory> {
    let service = Service::new("iam").global();
    policies(user_operations(role_policies(role_operations(service))))
}

fn role_operations(service: Service<Directory>) -> Service<Directory> {
    service
        .op(
            "CreateRole",
            |at, i: &roles::CreateRole| bounded(new(at, "role", &i.path, &i.role_name), &i.permissions_boundary),
            roles::create,
        )
        .op("GetRole", role, roles::get)
        .op("ListRoles", |at, i: &roles::ListRoles| new(at, "role", &i.path_prefix, ""), roles::list)
        .op("UpdateRole", |at, i: &roles::UpdateRole| on(at, Kind::Role, &i.role_name), roles::update)
        .op(
            "UpdateAssumeRolePolicy",
            |at, i: &roles::UpdateAssumeRolePolicy| on(at, Kind::Role, &i.role_name),
            roles::update_trust,
        )
        .op("DeleteRole", role, roles::delete)
        .op("TagRole", |at, i: &roles::TagRole| on(at, Kind::Role, &i.role_name), roles::tag)
        .op("UntagRole", |at, i: &roles::UntagRole| on(at, Kind::Role, &i.role_name), roles::untag)
        .op("ListRoleTags", |at, i: &roles::ListRoleTags| on(at, Kind::Role, &i.role_name), roles::tags)
}

fn role_policies(service: Service<Directory>) -> Service<Directory> {
    use attachments as a;
    service
        .op("PutRolePolicy", |at, i: &PutPolicy| on(at, Kind::Role, &i.name), |cx, i| a::put(cx, Kind::Role, i))
        .op("GetRolePolicy", |at, i: &OnPolicy| on(at, Kind::Role, &i.name), |cx, i| a::get(cx, Kind::Role, i))
        .op("DeleteRolePolicy", |at, i: &OnPolicy| on(at, Kind::Role, &i.name), |cx, i| a::delete(cx, Kind::Role, i))
        .op(
            "ListRolePolicies",
            |at, i: &a::ListPolicies| on(at, Kind::Role, &i.name),
            |cx, i| a::list(cx, Kind::Role, i),
        )
        .op("AttachRolePolicy", |at, i| attachment(at, Kind::Role, i), |cx, i| a::attach(cx, Kind::Role, i))
        .op("DetachRolePolicy", |at, i| attachment(at, Kind::Role, i), |cx, i| a::detach(cx, Kind::Role, i))
        .op(
            "ListAttachedRolePolicies",
            |at, i: &a::ListPolicies| on(at, Kind::Role, &i.name),
            |cx, i| a::list_attached(cx, Kind::Role, i),
        )
        .op(
            "PutRolePermissionsBoundary",
            |at, i: &PutBoundary| {
                on(at, Kind::Role, &i.name).context("iam:PermissionsBoundary", &*i.permissions_boundary)
            },
            |cx, i| a::put_boundary(cx, Kind::Role, i),
        )
        .op("DeleteRolePermissionsBoundary", role, |cx, i| a::delete_boundary(cx, Kind::Role, i))
}

fn user_operations(service: Service<Directory>) -> Service<Directory> {
    use attachments as a;
    service
        .op(
            "CreateUser",
            |at, i: &users::CreateUser| bounded(new(at, "user", &i.path, &i.user_name), &i.permissions_boundary),
            users::create,
        )
        .op("GetUser", |at, i: &users::MaybeNamed| maybe(at, &i.user_name), users::get)
        .op("ListUsers", |at, i: &users::ListUsers| new(at, "user", &i.path_prefix, ""), users::list)
        .op("DeleteUser", |at, i: &Named| on(at, Kind::User, &i.name), users::delete)
        .op("PutUserPolicy", |at, i: &PutPolicy| on(at, Kind::User, &i.name), |cx, i| a::put(cx, Kind::User, i))
        .op("GetUserPolicy", |at, i: &OnPolicy| on(at, Kind::User, &i.name), |cx, i| a::get(cx, Kind::User, i))
        .op("DeleteUserPolicy", |at, i: &OnPolicy| on(at, Kind::User, &i.name), |cx, i| a::delete(cx, Kind::User, i))
        .op(
            "ListUserPolicies",
            |at, i: &a::ListPolicies| on(at, Kind::User, &i.name),
            |cx, i| a::list(cx, Kind::User, i),
        )
        .op("AttachUserPolicy", |at, i| attachment(at, Kind::User, i), |cx, i| a::attach(cx, Kind::User, i))
        .op("DetachUserPolicy", |at, i| attachment(at, Kind::User, i), |cx, i| a::detach(cx, Kind::User, i))
        .op(
            "ListAttachedUserPolicies",
            |at, i: &a::ListPolicies| on(at, Kind::User, &i.name),
            |cx, i| a::list_attached(cx, Kind::User, i),
        )
        .op("CreateAccessKey", |at, i: &users::MaybeNamed| maybe(at, &i.user_name), users::create_key)
        .op("ListAccessKeys", |at, i: &users::ListAccessKeys| maybe(at, &i.user_name), users::list_keys)
        .op("UpdateAccessKey", |at, i: &users::UpdateAccessKey| maybe(at, &i.user_name), users::update_key)
        .op("DeleteAccessKey", |at, i: &users::DeleteAccessKey| maybe(at, &i.user_name), users::delete_key)
}

fn policies(service: Service<Directory>) -> Service<Directory> {
    use managed as m;
    service
        .op("CreatePolicy", |at, i: &m::CreatePolicy| new(at, "policy", &i.path, &i.policy_name), m::create)
        .op("GetPolicy", |_, i: &m::OnArn| Target::on(&*i.policy_arn), m::get)
        .op("ListPolicies", |_, _| Target::any(), m::list)
        .op("DeletePolicy", |_, i: &m::OnArn| Target::on(&*i.policy_arn), m::delete)
        .op("GetPolicyVersion", |_, i: &m::OnVersion| Target::on(&*i.policy_arn), m::get_version)
        .op("ListPolicyVersions", |_, i: &m::ListPolicyVersions| Target::on(&*i.policy_arn), m::list_versions)
        .op("CreatePolicyVersion", |_, i: &m::CreatePolicyVersion| Target::on(&*i.policy_arn), m::create_version)
        .op("DeletePolicyVersion", |_, i: &m::OnVersion| Target::on(&*i.policy_arn), m::delete_version)
        .op("SetDefaultPolicyVersion", |_, i: &m::OnVersion| Target::on(&*i.policy_arn), m::set_default)
}

/// What does not exist yet, or all under a path.
fn new(at: &At<Directory>, kind: &str, path: &Option<String>, name: &str) -> Target {
    let path = path.as_deref().unwrap_or("/");
    Target::on(format!("arn:aws:iam::{}:{kind}{path}{name}", at.scope.account))
}

/// A role or user; where there is none, the ARN it would have without a path.
fn on(at: &At<Directory>, kind: Kind, name: &str) -> Target {
    match at.state.entity(kind, &at.scope.account, name) {
        Ok(entity) => Target::on(&*entity.arn),
        Err(_) => new(at, kind.word(), &None, name),
    }
}

fn role(at: &At<Directory>, input: &Named) -> Target {
    on(at, Kind::Role, &input.name)
}

/// A user, or the caller, whom a target cannot see.
fn maybe(at: &At<Directory>, name: &Option<String>) -> Target {
    name.as_deref().map_or_else(Target::any, |name| on(at, Kind::User, name))
}

fn attachment(at: &At<Directory>, kind: Kind, input: &Attach) -> Target {
    on(at, kind, &input.name).context("iam:PolicyARN", &*input.policy_arn)
}

fn bounded(target: Target, boundary: &Option<String>) -> Target {
    match boundary {
        Some(arn) => target.context("iam:PermissionsBoundary", &**arn),
        None => target,
    }
}
