//! The IAM service: its operations and what each acts on.

use super::attachments::{self, Attach, Named, OnPolicy, PutBoundary, PutPolicy};
use super::directory::{Directory, Kind};
use super::tagging::{self, TagInput, Tagged, TagsInput, UntagInput};
use super::{
    account, groups, linked, logins, managed, mfa, oidc, profiles, roles, saml, server_certificates,
    service_credentials, signing_certificates, simulate, ssh_keys, users,
};
use crate::cloud::{At, Service, Target};

/// The service and its operations. Reports of who used what do not exist.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>
pub fn service() -> Service<Directory> {
    let service = Service::new("iam").global().with(oidc::operations).with(saml::operations).with(mfa::operations);
    let service = service.with(ssh_keys::operations).with(signing_certificates::operations);
    let service = service.with(server_certificates::operations);
    let service = policies(user_policies(user_operations(role_policies(role_operations(service)))));
    questions(accounts(logins_and_credentials(instance_profiles(group_policies(group_operations(service))))))
}

fn group_operations(service: Service<Directory>) -> Service<Directory> {
    use groups as g;
    service
        .op("CreateGroup", |at, i: &g::CreateGroup| new(at, "group", &i.path, &i.group_name), g::create)
        .op("GetGroup", |at, i: &g::GetGroup| on(at, Kind::Group, &i.group_name), g::get)
        .op("ListGroups", |at, i: &g::ListGroups| new(at, "group", &i.path_prefix, ""), g::list)
        .op("UpdateGroup", |at, i: &g::UpdateGroup| on(at, Kind::Group, &i.group_name), g::update)
        .op("DeleteGroup", |at, i: &Named| on(at, Kind::Group, &i.name), g::delete)
        .op("AddUserToGroup", |at, i: &g::Membership| on(at, Kind::Group, &i.group_name), g::add_user)
        .op("RemoveUserFromGroup", |at, i: &g::Membership| on(at, Kind::Group, &i.group_name), g::remove_user)
        .op("ListGroupsForUser", |at, i: &g::GroupsOfUser| on(at, Kind::User, &i.user_name), g::of_user)
}

fn group_policies(service: Service<Directory>) -> Service<Directory> {
    use attachments as a;
    service
        .op("PutGroupPolicy", |at, i: &PutPolicy| on(at, Kind::Group, &i.name), |cx, i| a::put(cx, Kind::Group, i))
        .op("GetGroupPolicy", |at, i: &OnPolicy| on(at, Kind::Group, &i.name), |cx, i| a::get(cx, Kind::Group, i))
        .op("DeleteGroupPolicy", |at, i: &OnPolicy| on(at, Kind::Group, &i.name), |cx, i| a::delete(cx, Kind::Group, i))
        .op(
            "ListGroupPolicies",
            |at, i: &a::ListPolicies| on(at, Kind::Group, &i.name),
            |cx, i| a::list(cx, Kind::Group, i),
        )
        .op("AttachGroupPolicy", |at, i| attachment(at, Kind::Group, i), |cx, i| a::attach(cx, Kind::Group, i))
        .op("DetachGroupPolicy", |at, i| attachment(at, Kind::Group, i), |cx, i| a::detach(cx, Kind::Group, i))
        .op(
            "ListAttachedGroupPolicies",
            |at, i: &a::ListPolicies| on(at, Kind::Group, &i.name),
            |cx, i| a::list_attached(cx, Kind::Group, i),
        )
}

fn instance_profiles(service: Service<Directory>) -> Service<Directory> {
    use profiles as p;
    service
        .op("CreateInstanceProfile", |at, i: &p::CreateProfile| profile(at, &i.instance_profile_name), p::create)
        .op("GetInstanceProfile", |at, i: &p::OfProfile| profile(at, &i.instance_profile_name), p::get)
        .op("DeleteInstanceProfile", |at, i: &p::OfProfile| profile(at, &i.instance_profile_name), p::delete)
        .op("ListInstanceProfiles", |at, i: &p::ListProfiles| new(at, "instance-profile", &i.path_prefix, ""), p::list)
        .op("ListInstanceProfilesForRole", |at, i: &p::ProfilesOfRole| on(at, Kind::Role, &i.role_name), p::of_role)
        .op("AddRoleToInstanceProfile", |at, i: &p::RoleInProfile| profile(at, &i.instance_profile_name), p::add_role)
        .op(
            "RemoveRoleFromInstanceProfile",
            |at, i: &p::RoleInProfile| profile(at, &i.instance_profile_name),
            p::remove_role,
        )
        .op("TagInstanceProfile", |at, i: &TagInput| profile(at, &i.name), |cx, i| tagging::tag(cx, Tagged::Profile, i))
        .op(
            "UntagInstanceProfile",
            |at, i: &UntagInput| profile(at, &i.name),
            |cx, i| tagging::untag(cx, Tagged::Profile, i),
        )
        .op(
            "ListInstanceProfileTags",
            |at, i: &TagsInput| profile(at, &i.name),
            |cx, i| tagging::tags(cx, Tagged::Profile, i),
        )
}

fn logins_and_credentials(service: Service<Directory>) -> Service<Directory> {
    use service_credentials as c;
    service
        .op("CreateLoginProfile", |at, i: &logins::CreateLogin| maybe(at, &i.user_name), logins::create)
        .op("GetLoginProfile", |at, i: &users::MaybeNamed| maybe(at, &i.user_name), logins::get)
        .op("UpdateLoginProfile", |at, i: &logins::UpdateLogin| on(at, Kind::User, &i.user_name), logins::update)
        .op("DeleteLoginProfile", |at, i: &users::MaybeNamed| maybe(at, &i.user_name), logins::delete)
        .op("CreateServiceSpecificCredential", |at, i: &c::Create| on(at, Kind::User, &i.user_name), c::create)
        .op("ListServiceSpecificCredentials", |at, i: &c::List| maybe(at, &i.user_name), c::list)
        .op("UpdateServiceSpecificCredential", |at, i: &c::Update| maybe(at, &i.user_name), c::update)
        .op("ResetServiceSpecificCredential", |at, i: &c::OfCredential| maybe(at, &i.user_name), c::reset)
        .op("DeleteServiceSpecificCredential", |at, i: &c::OfCredential| maybe(at, &i.user_name), c::delete)
}

fn accounts(service: Service<Directory>) -> Service<Directory> {
    use account as a;
    service
        .op("CreateAccountAlias", |_, _: &a::OfAlias| Target::any(), a::create_alias)
        .op("DeleteAccountAlias", |_, _: &a::OfAlias| Target::any(), a::delete_alias)
        .op("ListAccountAliases", |_, _: &a::ListAliases| Target::any(), a::aliases)
        .op("UpdateAccountPasswordPolicy", |_, _| Target::any(), a::update_passwords)
        .op("GetAccountPasswordPolicy", |_, _| Target::any(), a::passwords)
        .op("DeleteAccountPasswordPolicy", |_, _| Target::any(), a::delete_passwords)
        .op("GetAccountSummary", |_, _| Target::any(), a::summary)
        .op("GetAccountAuthorizationDetails", |_, _: &a::Details| Target::any(), a::details)
        .op(
            "CreateServiceLinkedRole",
            |at, i: &linked::CreateLinked| {
                let path = Some(format!("{}{}/", linked::PATH, i.service));
                new(at, "role", &path, "*").context("iam:AWSServiceName", &*i.service)
            },
            linked::create,
        )
        .op("DeleteServiceLinkedRole", |at, i: &linked::DeleteLinked| on(at, Kind::Role, &i.role_name), linked::delete)
        .op(
            "GetServiceLinkedRoleDeletionStatus",
            |_, _: &linked::DeletionStatus| Target::any(),
            linked::deletion_status,
        )
}

fn questions(service: Service<Directory>) -> Service<Directory> {
    use simulate as s;
    service
        .op("SimulateCustomPolicy", |_, _: &s::Simulate| Target::any(), s::custom)
        .op(
            "SimulatePrincipalPolicy",
            |_, i: &s::Simulate| i.policy_source_arn.as_deref().map_or_else(Target::any, Target::on),
            s::principal,
        )
        .op("GetContextKeysForCustomPolicy", |_, _: &s::ContextKeys| Target::any(), s::context_keys)
        .op(
            "GetContextKeysForPrincipalPolicy",
            |_, i: &s::ContextKeys| i.policy_source_arn.as_deref().map_or_else(Target::any, Target::on),
            s::context_keys,
        )
}

/// An instance profile; where there is none, the ARN it would have without a path.
fn profile(at: &At<Directory>, name: &str) -> Target {
    let known = at.state.account(&at.scope.account).and_then(|account| account.profiles.get(&name.to_lowercase()));
    known.map_or_else(|| new(at, "instance-profile", &None, name), |profile| Target::on(&*profile.arn))
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
        .op(
            "UpdateRoleDescription",
            |at, i: &roles::UpdateDescription| on(at, Kind::Role, &i.role_name),
            roles::update_description,
        )
        .op("UpdateRole", |at, i: &roles::UpdateRole| on(at, Kind::Role, &i.role_name), roles::update)
        .op(
            "UpdateAssumeRolePolicy",
            |at, i: &roles::UpdateAssumeRolePolicy| on(at, Kind::Role, &i.role_name),
            roles::update_trust,
        )
        .op("DeleteRole", role, roles::delete)
        .op("TagRole", |at, i: &TagInput| on(at, Kind::Role, &i.name), |cx, i| tagging::tag(cx, Tagged::Role, i))
        .op("UntagRole", |at, i: &UntagInput| on(at, Kind::Role, &i.name), |cx, i| tagging::untag(cx, Tagged::Role, i))
        .op("ListRoleTags", |at, i: &TagsInput| on(at, Kind::Role, &i.name), |cx, i| tagging::tags(cx, Tagged::Role, i))
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
    service
        .op(
            "CreateUser",
            |at, i: &users::CreateUser| bounded(new(at, "user", &i.path, &i.user_name), &i.permissions_boundary),
            users::create,
        )
        .op("GetUser", |at, i: &users::MaybeNamed| maybe(at, &i.user_name), users::get)
        .op("ListUsers", |at, i: &users::ListUsers| new(at, "user", &i.path_prefix, ""), users::list)
        .op("UpdateUser", |at, i: &users::UpdateUser| on(at, Kind::User, &i.user_name), users::update)
        .op("DeleteUser", |at, i: &Named| on(at, Kind::User, &i.name), users::delete)
        .op("TagUser", |at, i: &TagInput| on(at, Kind::User, &i.name), |cx, i| tagging::tag(cx, Tagged::User, i))
        .op("UntagUser", |at, i: &UntagInput| on(at, Kind::User, &i.name), |cx, i| tagging::untag(cx, Tagged::User, i))
        .op("ListUserTags", |at, i: &TagsInput| on(at, Kind::User, &i.name), |cx, i| tagging::tags(cx, Tagged::User, i))
        .op("CreateAccessKey", |at, i: &users::MaybeNamed| maybe(at, &i.user_name), users::create_key)
        .op("ListAccessKeys", |at, i: &users::ListOfUser| maybe(at, &i.user_name), users::list_keys)
        .op("UpdateAccessKey", |at, i: &users::UpdateAccessKey| maybe(at, &i.user_name), users::update_key)
        .op("DeleteAccessKey", |at, i: &users::DeleteAccessKey| maybe(at, &i.user_name), users::delete_key)
}

fn user_policies(service: Service<Directory>) -> Service<Directory> {
    use attachments as a;
    service
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
        .op(
            "PutUserPermissionsBoundary",
            |at, i: &PutBoundary| {
                on(at, Kind::User, &i.name).context("iam:PermissionsBoundary", &*i.permissions_boundary)
            },
            |cx, i| a::put_boundary(cx, Kind::User, i),
        )
        .op(
            "DeleteUserPermissionsBoundary",
            |at, i: &Named| on(at, Kind::User, &i.name),
            |cx, i| a::delete_boundary(cx, Kind::User, i),
        )
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
        .op("ListEntitiesForPolicy", |_, i: &m::ListEntities| Target::on(&*i.policy_arn), m::entities)
        .op("TagPolicy", |_, i: &TagInput| Target::on(&*i.name), |cx, i| tagging::tag(cx, Tagged::Policy, i))
        .op("UntagPolicy", |_, i: &UntagInput| Target::on(&*i.name), |cx, i| tagging::untag(cx, Tagged::Policy, i))
        .op("ListPolicyTags", |_, i: &TagsInput| Target::on(&*i.name), |cx, i| tagging::tags(cx, Tagged::Policy, i))
        .op("SetDefaultPolicyVersion", |_, i: &m::OnVersion| Target::on(&*i.policy_arn), m::set_default)
}

/// What does not exist yet, or all under a path.
fn new(at: &At<Directory>, kind: &str, path: &Option<String>, name: &str) -> Target {
    let path = path.as_deref().unwrap_or("/");
    Target::on(format!("arn:aws:iam::{}:{kind}{path}{name}", at.scope.account))
}

/// A role, user or group; where there is none, the ARN it would have without a path.
pub(super) fn on(at: &At<Directory>, kind: Kind, name: &str) -> Target {
    match at.state.entity(kind, &at.scope.account, name) {
        Ok(entity) => Target::on(&*entity.arn),
        Err(_) => new(at, kind.word(), &None, name),
    }
}

fn role(at: &At<Directory>, input: &Named) -> Target {
    on(at, Kind::Role, &input.name)
}

/// A user, or the caller, whom a target cannot see.
pub(super) fn maybe(at: &At<Directory>, name: &Option<String>) -> Target {
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
