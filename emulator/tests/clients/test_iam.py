"""IAM and STS, with boto3, the AWS CLI and CloudFormation."""

import json

import pytest
from conftest import ACCOUNT, refusal


def document(effect, action, resource="*", **more):
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(principal, actions="sts:AssumeRole", **more):
    statement = {"Effect": "Allow", "Principal": principal, "Action": actions, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refused(code, call, **input):
    found, message = refusal(call, **input)
    assert found == code, message
    return message


@pytest.fixture
def iam(server):
    return server.client("iam")


def test_groups_have_members_and_policies(iam):
    group = iam.create_group(GroupName="devs", Path="/team/")["Group"]
    assert group["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/team/devs"
    refused("EntityAlreadyExists", iam.create_group, GroupName="devs")
    iam.create_user(UserName="u")
    refused("NoSuchEntity", iam.add_user_to_group, GroupName="none", UserName="u")
    refused("NoSuchEntity", iam.add_user_to_group, GroupName="devs", UserName="none")
    iam.add_user_to_group(GroupName="devs", UserName="u")
    assert [user["UserName"] for user in iam.get_group(GroupName="devs")["Users"]] == ["u"]
    iam.update_group(GroupName="devs", NewGroupName="makers")
    assert [one["GroupName"] for one in iam.list_groups_for_user(UserName="u")["Groups"]] == ["makers"]
    iam.put_group_policy(GroupName="makers", PolicyName="p", PolicyDocument=document("Allow", "s3:*"))
    assert iam.get_group_policy(GroupName="makers", PolicyName="p")["GroupName"] == "makers"
    refused("DeleteConflict", iam.delete_group, GroupName="makers")
    refused("DeleteConflict", iam.delete_user, UserName="u")
    iam.remove_user_from_group(GroupName="makers", UserName="u")
    iam.delete_group_policy(GroupName="makers", PolicyName="p")
    iam.delete_group(GroupName="makers")
    assert iam.list_groups()["Groups"] == []


def test_instance_profiles_hold_a_role(iam):
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    profile = iam.create_instance_profile(InstanceProfileName="p", Tags=[{"Key": "k", "Value": "v"}])["InstanceProfile"]
    assert (profile["Roles"], profile["Tags"]) == ([], [{"Key": "k", "Value": "v"}])
    iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")
    refused("LimitExceeded", iam.add_role_to_instance_profile, InstanceProfileName="p", RoleName="r")
    refused("DeleteConflict", iam.delete_role, RoleName="r")
    refused("DeleteConflict", iam.delete_instance_profile, InstanceProfileName="p")
    found = iam.list_instance_profiles_for_role(RoleName="r")["InstanceProfiles"]
    assert [role["RoleName"] for role in found[0]["Roles"]] == ["r"]
    iam.tag_instance_profile(InstanceProfileName="p", Tags=[{"Key": "x", "Value": "y"}])
    iam.untag_instance_profile(InstanceProfileName="p", TagKeys=["k"])
    assert iam.list_instance_profile_tags(InstanceProfileName="p")["Tags"] == [{"Key": "x", "Value": "y"}]
    iam.remove_role_from_instance_profile(InstanceProfileName="p", RoleName="r")
    iam.delete_instance_profile(InstanceProfileName="p")
    refused("NoSuchEntity", iam.get_instance_profile, InstanceProfileName="p")


def test_users_are_renamed_tagged_and_given_passwords(server, iam):
    iam.create_user(UserName="u", Tags=[{"Key": "a", "Value": "b"}])
    pair = iam.create_access_key(UserName="u")["AccessKey"]
    iam.update_user(UserName="u", NewUserName="v", NewPath="/x/")
    who = server.client("sts", pair["AccessKeyId"], pair["SecretAccessKey"]).get_caller_identity()
    assert who["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/x/v"
    iam.tag_user(UserName="v", Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_user(UserName="v", TagKeys=["a"])
    assert iam.list_user_tags(UserName="v")["Tags"] == [{"Key": "c", "Value": "d"}]
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireNumbers=True)
    refused("PasswordPolicyViolation", iam.create_login_profile, UserName="v", Password="short1")
    iam.create_login_profile(UserName="v", Password="long enough 123", PasswordResetRequired=True)
    assert iam.get_login_profile(UserName="v")["LoginProfile"]["PasswordResetRequired"]
    refused("EntityAlreadyExists", iam.create_login_profile, UserName="v", Password="long enough 123")
    iam.delete_login_profile(UserName="v")
    refused("NoSuchEntity", iam.get_login_profile, UserName="v")
    refused("NotImplemented", iam.get_access_key_last_used, AccessKeyId=pair["AccessKeyId"])


def test_accounts_have_an_alias_a_password_policy_and_a_summary(iam):
    iam.create_account_alias(AccountAlias="mine")
    assert iam.list_account_aliases()["AccountAliases"] == ["mine"]
    iam.delete_account_alias(AccountAlias="mine")
    refused("NoSuchEntity", iam.get_account_password_policy)
    iam.update_account_password_policy(MaxPasswordAge=90)
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["ExpirePasswords"]) == (6, True)
    iam.delete_account_password_policy()
    refused("NoSuchEntity", iam.delete_account_password_policy)
    iam.create_user(UserName="u")
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["Users"], summary["UsersQuota"]) == (1, 5000)


def test_details_of_an_account_are_told_page_by_page(iam):
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document("Allow", "s3:*"))["Policy"]["Arn"]
    iam.create_group(GroupName="g")
    iam.create_user(UserName="u", PermissionsBoundary=arn)
    iam.add_user_to_group(GroupName="g", UserName="u")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    pages = iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 2})
    found = pages.build_full_result()
    assert found["UserDetailList"][0]["GroupList"] == ["g"]
    assert found["UserDetailList"][0]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    assert found["RoleDetailList"][0]["AttachedManagedPolicies"][0]["PolicyArn"] == arn
    assert found["RoleDetailList"][0]["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"
    assert found["Policies"][0]["PolicyVersionList"][0]["Document"]["Statement"][0]["Action"] == "s3:*"
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert ([one["RoleName"] for one in entities["PolicyRoles"]], entities["PolicyUsers"][0]["UserName"]) == (["r"], "u")
    only = iam.get_account_authorization_details(Filter=["Group"])
    assert (len(only["GroupDetailList"]), only["RoleDetailList"]) == (1, [])


def test_service_linked_roles(iam):
    role = iam.create_service_linked_role(AWSServiceName="ops.apigateway.amazonaws.com")["Role"]
    assert role["RoleName"] == "AWSServiceRoleForAPIGateway"
    attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    assert attached[0]["PolicyArn"].endswith(":policy/aws-service-role/APIGatewayServiceRolePolicy")
    refused("InvalidInput", iam.create_service_linked_role, AWSServiceName="ops.apigateway.amazonaws.com")
    refused("InvalidInput", iam.create_service_linked_role, AWSServiceName="acm.amazonaws.com", CustomSuffix="x")
    refused("NotImplemented", iam.create_service_linked_role, AWSServiceName="nothing.amazonaws.com")
    task = iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"


def test_policies_are_simulated_with_conditions_boundaries_and_resource_policies(iam):
    def simulate(action, *policies, **more):
        results = iam.simulate_custom_policy(PolicyInputList=list(policies), ActionNames=[action], **more)
        return results["EvaluationResults"][0]

    assert simulate("s3:GetObject", document("Allow", "s3:Get*"))["EvalDecision"] == "allowed"
    assert simulate("s3:PutObject", document("Allow", "s3:Get*"))["EvalDecision"] == "implicitDeny"
    denied = simulate("s3:GetObject", document("Allow", "s3:*"), document("Deny", "s3:GetObject"))
    assert denied["EvalDecision"] == "explicitDeny"
    assert [one["SourcePolicyId"] for one in denied["MatchedStatements"]] == ["PolicyInputList.2"]

    by_address = document("Allow", "s3:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    missing = simulate("s3:GetObject", by_address)
    assert (missing["EvalDecision"], missing["MissingContextValues"]) == ("implicitDeny", ["aws:SourceIp"])
    address = {"ContextKeyName": "aws:SourceIp", "ContextKeyType": "ip", "ContextKeyValues": ["10.1.2.3"]}
    assert simulate("s3:GetObject", by_address, ContextEntries=[address])["EvalDecision"] == "allowed"

    bounded = simulate(
        "s3:PutObject",
        document("Allow", "s3:*"),
        PermissionsBoundaryPolicyInputList=[document("Allow", "s3:Get*")],
    )
    assert bounded["EvalDecision"] == "implicitDeny"
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}

    iam.create_user(UserName="u")
    caller = f"arn:aws:iam::{ACCOUNT}:user/u"
    bucket = "arn:aws:s3:::b/key"
    policy = {"Effect": "Allow", "Principal": {"AWS": caller}, "Action": "s3:GetObject", "Resource": bucket}
    by_resource = simulate(
        "s3:GetObject",
        document("Allow", "sqs:*"),
        ResourceArns=[bucket, "arn:aws:s3:::other/key"],
        ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [policy]}),
        CallerArn=caller,
    )
    decisions = [one["EvalResourceDecision"] for one in by_resource["ResourceSpecificResults"]]
    assert (by_resource["EvalDecision"], decisions) == ("implicitDeny", ["allowed", "implicitDeny"])
    refused("InvalidInput", iam.simulate_custom_policy, PolicyInputList=["{"], ActionNames=["s3:GetObject"])
    by_name = document("Allow", "s3:*", "arn:aws:s3:::${aws:username}")
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[by_address, by_name])
    assert keys["ContextKeyNames"] == ["aws:SourceIp", "aws:username"]


def test_a_principal_is_simulated_with_its_groups_and_boundary(iam):
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="read", PolicyDocument=document("Allow", "s3:*"))
    iam.create_user(UserName="u")
    iam.add_user_to_group(GroupName="g", UserName="u")
    arn = f"arn:aws:iam::{ACCOUNT}:user/u"
    results = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject", "sqs:SendMessage"])
    first, second = results["EvaluationResults"]
    assert (first["EvalDecision"], second["EvalDecision"]) == ("allowed", "implicitDeny")
    assert first["MatchedStatements"][0]["SourcePolicyId"] == "group_g_read"
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document("Allow", "sqs:*"))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="u", PermissionsBoundary=boundary)
    results = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject"])
    assert results["EvaluationResults"][0]["EvalDecision"] == "implicitDeny"
    refused("NoSuchEntity", iam.simulate_principal_policy, PolicySourceArn=arn + "x", ActionNames=["s3:GetObject"])


@pytest.fixture
def enforced(start):
    return start("--iam", "enforce")


def user(server, name):
    iam = server.client("iam")
    iam.create_user(UserName=name)
    pair = iam.create_access_key(UserName=name)["AccessKey"]
    return lambda service: server.client(service, pair["AccessKeyId"], pair["SecretAccessKey"])


def test_groups_and_boundaries_count_at_the_front_door(enforced):
    iam = enforced.client("iam")
    enforced.client("s3").create_bucket(Bucket="bkt")
    mine = user(enforced, "u")
    refused("AccessDenied", mine("s3").put_object, Bucket="bkt", Key="k", Body=b"x")
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=document("Allow", "s3:*"))
    iam.add_user_to_group(GroupName="g", UserName="u")
    mine("s3").put_object(Bucket="bkt", Key="k", Body=b"x")
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document("Allow", "s3:Get*"))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="u", PermissionsBoundary=boundary)
    refused("AccessDenied", mine("s3").put_object, Bucket="bkt", Key="k", Body=b"x")
    assert mine("s3").get_object(Bucket="bkt", Key="k")["Body"].read() == b"x"
    iam.delete_user_permissions_boundary(UserName="u")
    mine("s3").put_object(Bucket="bkt", Key="k", Body=b"x")


def assume(server, sts, role, **more):
    issued = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="session", **more)["Credentials"]
    keys = issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"]
    return lambda service: server.client(service, *keys)


def test_sessions_have_policies_tags_and_a_source(enforced):
    iam = enforced.client("iam")
    enforced.client("s3").create_bucket(Bucket="bkt")
    mine = user(enforced, "u")
    everything = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    tagged = {"StringEquals": {"aws:RequestTag/team": "red", "sts:ExternalId": "secret"}}
    for name in ["open", "next"]:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}, everything))
    iam.create_role(RoleName="tagged", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}, everything, Condition=tagged))
    iam.create_role(RoleName="tagless", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=document("Allow", everything))
    by_team = document("Allow", ["s3:*", *everything], Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})
    for role in ["open", "next"]:
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=by_team)
    red = [{"Key": "team", "Value": "red"}]

    refused("AccessDenied", assume(enforced, mine("sts"), "open")("s3").put_object, Bucket="bkt", Key="k", Body=b"")
    session = assume(enforced, mine("sts"), "open", Tags=red, TransitiveTagKeys=["team"], SourceIdentity="jane")
    session("s3").put_object(Bucket="bkt", Key="k", Body=b"")
    narrow = assume(enforced, mine("sts"), "open", Tags=red, Policy=document("Allow", "s3:Get*"))
    refused("AccessDenied", narrow("s3").put_object, Bucket="bkt", Key="k", Body=b"")
    narrow("s3").get_object(Bucket="bkt", Key="k")

    # A transitive tag goes along to the next session, and so does the source.
    assume(enforced, session("sts"), "next")("s3").put_object(Bucket="bkt", Key="k", Body=b"")
    again = {"server": enforced, "sts": session("sts"), "role": "next", "Tags": red}
    assert "conflicts" in refused("InvalidParameterValue", assume, **again)
    refused("AccessDenied", assume, server=enforced, sts=session("sts"), role="next", SourceIdentity="joe")

    refused("AccessDenied", assume, server=enforced, sts=mine("sts"), role="tagless", Tags=red)
    refused("AccessDenied", assume, server=enforced, sts=mine("sts"), role="tagged", Tags=red)
    assume(enforced, mine("sts"), "tagged", Tags=red, ExternalId="secret")
    refused("ValidationError", assume, server=enforced, sts=mine("sts"), role="open", DurationSeconds=7200)


def test_a_federated_user_may_do_what_both_the_user_and_the_policy_allow(enforced):
    iam = enforced.client("iam")
    enforced.client("s3").create_bucket(Bucket="bkt")
    mine = user(enforced, "u")
    iam.put_user_policy(
        UserName="u", PolicyName="p", PolicyDocument=document("Allow", ["s3:*", "sts:GetFederationToken"])
    )

    def federated(**more):
        answer = mine("sts").get_federation_token(Name="bob", **more)
        assert answer["FederatedUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
        issued = answer["Credentials"]
        keys = issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"]
        return lambda service: enforced.client(service, *keys)

    policy = document("Allow", ["s3:GetObject", "s3:PutObject", "sqs:*"])
    session = federated(Policy=policy)
    assert session("sts").get_caller_identity()["UserId"] == f"{ACCOUNT}:bob"
    session("s3").put_object(Bucket="bkt", Key="k", Body=b"")
    refused("AccessDenied", session("s3").delete_object, Bucket="bkt", Key="k")
    refused("AccessDenied", session("sqs").list_queues)
    refused("AccessDenied", federated()("s3").get_object, Bucket="bkt", Key="k")
    refused("AccessDenied", session("sts").get_federation_token, Name="xyz")


def test_what_cannot_be_verified_is_refused(server):
    sts = server.client("sts")
    refused("NotImplemented", sts.assume_role_with_web_identity, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/r",
            RoleSessionName="session", WebIdentityToken="token", ProviderId="www.amazon.com")
    refused("InvalidAuthorizationMessageException", sts.decode_authorization_message, EncodedMessage="x")


TEMPLATE = """
Resources:
  Group: {Type: AWS::IAM::Group, Properties: {Policies: [{PolicyName: p, PolicyDocument: DOCUMENT}]}}
  User:
    Type: AWS::IAM::User
    Properties:
      Groups: [!Ref Group]
      LoginProfile: {Password: '{{resolve:ssm-secure:/password}}'}
      Tags: [{Key: a, Value: b}]
  Key: {Type: AWS::IAM::AccessKey, Properties: {UserName: !Ref User, Status: STATUS}}
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: TRUST}}
  Profile: {Type: AWS::IAM::InstanceProfile, Properties: {Roles: [!Ref Role]}}
  Managed: {Type: AWS::IAM::ManagedPolicy, Properties: {PolicyDocument: DOCUMENT, Groups: [!Ref Group]}}
  Other: {Type: AWS::IAM::User}
  Addition: {Type: AWS::IAM::UserToGroupAddition, Properties: {GroupName: !Ref Group, Users: [!Ref Other]}}
Outputs:
  Group: {Value: !Ref Group}
  User: {Value: !GetAtt User.Arn}
  Secret: {Value: !GetAtt Key.SecretAccessKey}
  Profile: {Value: !Ref Profile}
"""


def test_stacks_make_users_groups_keys_and_profiles(server, iam):
    server.client("ssm").put_parameter(Name="/password", Value="S3cret enough", Type="SecureString")
    cloudformation = server.client("cloudformation")

    def body(status):
        text = TEMPLATE.replace("DOCUMENT", document("Allow", "s3:*")).replace("STATUS", status)
        return text.replace("TRUST", trust({"Service": "ec2.amazonaws.com"}))

    stack = {"StackName": "s", "Capabilities": ["CAPABILITY_IAM"]}
    cloudformation.create_stack(TemplateBody=body("Active"), **stack)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})

    def outputs():
        described = cloudformation.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in described}

    made = outputs()
    assert len(iam.get_group(GroupName=made["Group"])["Users"]) == 2
    name = made["User"].rsplit("/")[-1]
    assert iam.get_login_profile(UserName=name)["LoginProfile"]["UserName"] == name
    assert len(iam.get_instance_profile(InstanceProfileName=made["Profile"])["InstanceProfile"]["Roles"]) == 1
    assert len(made["Secret"]) == 40
    cloudformation.update_stack(TemplateBody=body("Inactive"), **stack)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    assert iam.list_access_keys(UserName=name)["AccessKeyMetadata"][0]["Status"] == "Inactive"
    assert outputs()["Secret"] == made["Secret"]
    cloudformation.delete_stack(StackName="s")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    assert iam.list_users()["Users"] == [] == iam.list_groups()["Groups"]


def test_the_cli_simulates(server):
    policy = document("Allow", "s3:Get*")
    words = ["--policy-input-list", policy, "--action-names", "s3:GetObject"]
    answer = json.loads(server.aws("iam", "simulate-custom-policy", *words))
    assert answer["EvaluationResults"][0]["EvalDecision"] == "allowed"
    assert "NoSuchEntity" in server.aws("iam", "get-group", "--group-name", "none", fails=True)


def test_the_root_of_an_account_is_a_user_without_a_name(iam):
    user = iam.get_user()["User"]
    assert (user["UserId"], user["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:root")
    assert "UserName" not in user


def test_open_id_connect_providers_are_kept(iam):
    made = iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
    )
    arn = made["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="other")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="sts.amazonaws.com")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (found["Url"], found["ClientIDList"]) == ("token.actions.githubusercontent.com", ["other"])
    assert (found["ThumbprintList"], found["Tags"]) == (["b" * 40], [{"Key": "k", "Value": "v"}])
    again = {"Url": "https://token.actions.githubusercontent.com", "ThumbprintList": []}
    refused("EntityAlreadyExists", iam.create_open_id_connect_provider, **again)
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    refused("NoSuchEntity", iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)
