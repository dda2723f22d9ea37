"""SSM Parameter Store, with boto3, the AWS CLI and CloudFormation."""

import json

import pytest
from conftest import ACCOUNT, refusal


@pytest.fixture
def ssm(server):
    return server.client("ssm")


def refused(code, call, **input):
    found, message = refusal(call, **input)
    assert found == code, message
    return message


def put(ssm, name, value="v", kind="String", **more):
    return ssm.put_parameter(Name=name, Value=value, Type=kind, **more)


def names(page):
    return [parameter["Name"] for parameter in page["Parameters"]]


def test_a_parameter_is_written_read_and_overwritten(ssm):
    written = put(ssm, "/app/db/host", "one", Description="where", Tags=[{"Key": "team", "Value": "a"}])
    assert (written["Version"], written["Tier"]) == (1, "Standard")
    found = ssm.get_parameter(Name="/app/db/host")["Parameter"]
    assert found["ARN"] == f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/app/db/host"
    assert (found["Type"], found["Value"], found["Version"], found["DataType"]) == ("String", "one", 1, "text")
    assert ssm.get_parameter(Name=found["ARN"])["Parameter"]["Name"] == "/app/db/host"

    assert "already exists" in refused("ParameterAlreadyExists", put, ssm=ssm, name="/app/db/host")
    assert ssm.put_parameter(Name="/app/db/host", Value="two", Overwrite=True)["Version"] == 2
    old = ssm.get_parameter(Name="/app/db/host:1")["Parameter"]
    assert (old["Value"], old["Selector"]) == ("one", ":1")
    assert "version 7 of /app/db/host" in refused("ParameterVersionNotFound", ssm.get_parameter, Name="/app/db/host:7")
    described = ssm.describe_parameters()["Parameters"][0]
    assert (described["Description"], described["Version"], described["Policies"]) == ("where", 2, [])
    assert described["LastModifiedUser"] == f"arn:aws:iam::{ACCOUNT}:root"

    history = ssm.get_parameter_history(Name="/app/db/host", MaxResults=1)
    assert [(one["Version"], one["Labels"]) for one in history["Parameters"]] == [(1, [])]
    more = ssm.get_parameter_history(Name="/app/db/host", NextToken=history["NextToken"])
    assert [one["Value"] for one in more["Parameters"]] == ["two"] and "NextToken" not in more


def test_a_name_at_the_root_may_be_said_with_and_without_a_slash(ssm):
    put(ssm, "plain")
    assert ssm.get_parameter(Name="plain")["Parameter"]["Name"] == "plain"
    assert ssm.get_parameter(Name="/plain")["Parameter"]["Name"] == "/plain"
    assert "sub-paths divided by slash symbol" in refused("ValidationException", ssm.get_parameter, Name="a/b")


def test_what_a_parameter_may_not_be_called(ssm):
    assert "fully qualified" in refused("ValidationException", put, ssm=ssm, name="a/b")
    assert 'prefixed with "aws" or "ssm"' in refused("ValidationException", put, ssm=ssm, name="awsome")
    assert 'prefixed with "ssm"' in refused("ValidationException", put, ssm=ssm, name="/ssm/x")
    assert "reserved" in refused("AccessDeniedException", put, ssm=ssm, name="/aws/x")
    refused("ValidationException", put, ssm=ssm, name="/a b")
    refused("HierarchyLevelLimitExceededException", put, ssm=ssm, name="/" + "/".join("abcdefghijklmnop"))
    put(ssm, "/" + "/".join("abcdefghijklmno"))
    refused("ValidationException", put, ssm=ssm, name="/" + "n" * 1000)


def test_values_fit_their_types_tiers_and_patterns(ssm):
    assert "upgrade" in refused("ValidationException", put, ssm=ssm, name="/big", value="x" * 4097)
    assert put(ssm, "/big", "x" * 4097, Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    assert "downgrade" in refused(
        "ValidationException", ssm.put_parameter, Name="/big", Value="x", Overwrite=True, Tier="Standard"
    )
    refused("ValidationException", put, ssm=ssm, name="/huge", value="x" * 8193, Tier="Advanced")
    refused("ParameterPatternMismatchException", put, ssm=ssm, name="/n", value="x", AllowedPattern=r"^\d+$")
    refused("InvalidAllowedPatternException", put, ssm=ssm, name="/n", value="x", AllowedPattern="(")
    put(ssm, "/n", "12", AllowedPattern=r"^\d+$")
    refused("ParameterPatternMismatchException", ssm.put_parameter, Name="/n", Value="x", Overwrite=True)
    refused("HierarchyTypeMismatchException", put, ssm=ssm, name="/n", kind="StringList", Overwrite=True)
    refused("ValidationException", ssm.put_parameter, Name="/none", Value="x")
    refused("ValidationException", put, ssm=ssm, name="/k", KeyId="alias/aws/ssm")
    refused("ValidationException", put, ssm=ssm, name="/n", Overwrite=True, Tags=[{"Key": "a", "Value": "b"}])
    refused("NotImplemented", put, ssm=ssm, name="/ami", DataType="aws:ec2:image")
    refused("NotImplemented", ssm.get_parameter, Name="/aws/service/ami-amazon-linux-latest/al2023")
    refused("NotImplemented", ssm.list_documents)


def test_secrets_are_shown_in_clear_only_on_demand(server, ssm):
    put(ssm, "/secret", "hush", "SecureString")
    hidden = ssm.get_parameter(Name="/secret")["Parameter"]["Value"]
    assert hidden != "hush" and len(hidden) > 100
    assert ssm.get_parameter(Name="/secret", WithDecryption=True)["Parameter"]["Value"] == "hush"
    assert ssm.describe_parameters()["Parameters"][0]["KeyId"] == "alias/aws/ssm"
    kms = server.client("kms")
    assert kms.describe_key(KeyId="alias/aws/ssm")["KeyMetadata"]["KeyManager"] == "AWS"
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    put(ssm, "/own", "hush", "SecureString", KeyId=key)
    filters = [{"Key": "KeyId", "Values": [key]}]
    assert names(ssm.describe_parameters(ParameterFilters=filters)) == ["/own"]
    refused("InvalidKeyId", put, ssm=ssm, name="/x", kind="SecureString", KeyId="alias/nothing")
    kms.disable_key(KeyId=key)
    refused("InvalidKeyId", put, ssm=ssm, name="/x", kind="SecureString", KeyId=key)


def test_parameters_are_found_by_path_and_by_filters(ssm):
    for name in ["/p/a", "/p/b/c", "/p/d", "/q"]:
        put(ssm, name)
    put(ssm, "/p/l", "1,2", "StringList", Tags=[{"Key": "team", "Value": "red"}])
    assert names(ssm.get_parameters_by_path(Path="/p")) == ["/p/a", "/p/d", "/p/l"]
    pages = ssm.get_paginator("get_parameters_by_path").paginate(
        Path="/p", Recursive=True, PaginationConfig={"PageSize": 2}
    )
    assert [names(page) for page in pages] == [["/p/a", "/p/b/c"], ["/p/d", "/p/l"]]
    lists = [{"Key": "Type", "Values": ["StringList"]}]
    assert names(ssm.get_parameters_by_path(Path="/p", ParameterFilters=lists)) == ["/p/l"]
    assert "begin with a forward slash" in refused("ValidationException", ssm.get_parameters_by_path, Path="p")

    def found(**filter):
        return names(ssm.describe_parameters(ParameterFilters=[filter]))

    assert found(Key="Name", Option="BeginsWith", Values=["/p/"]) == ["/p/a", "/p/b/c", "/p/d", "/p/l"]
    assert found(Key="Name", Option="Contains", Values=["b"]) == ["/p/b/c"]
    assert found(Key="Path", Values=["/p"]) == ["/p/a", "/p/d", "/p/l"]
    assert found(Key="Path", Option="Recursive", Values=["/p"]) == ["/p/a", "/p/b/c", "/p/d", "/p/l"]
    assert found(Key="tag:team", Values=["red"]) == ["/p/l"] == found(Key="tag:team")
    assert found(Key="Tier", Values=["Advanced"]) == []
    assert names(ssm.describe_parameters(Filters=[{"Key": "Type", "Values": ["StringList"]}])) == ["/p/l"]
    refused("InvalidFilterKey", found, Key="Label", Values=["x"])
    refused("InvalidFilterOption", found, Key="Path", Option="Equals", Values=["/p"])
    refused("InvalidFilterValue", found, Key="Name")
    refused("ValidationException", ssm.describe_parameters, Filters=[{"Key": "Type", "Values": ["String"]}],
            ParameterFilters=lists)
    page = ssm.describe_parameters(MaxResults=3)
    assert names(page) + names(ssm.describe_parameters(NextToken=page["NextToken"])) == [
        "/p/a", "/p/b/c", "/p/d", "/p/l", "/q",
    ]
    refused("InvalidNextToken", ssm.describe_parameters, NextToken="?")


def test_labels_name_versions(ssm):
    put(ssm, "/l", "one")
    ssm.put_parameter(Name="/l", Value="two", Overwrite=True)
    labelled = ssm.label_parameter_version(Name="/l", ParameterVersion=1, Labels=["prod", "1st", "aws-x"])
    assert (labelled["InvalidLabels"], labelled["ParameterVersion"]) == (["1st", "aws-x"], 1)
    assert ssm.get_parameter(Name="/l:prod")["Parameter"]["Value"] == "one"
    assert ssm.label_parameter_version(Name="/l", Labels=["prod"])["ParameterVersion"] == 2
    assert [one["Labels"] for one in ssm.get_parameter_history(Name="/l")["Parameters"]] == [[], ["prod"]]
    by_label = [{"Key": "Label", "Values": ["prod"]}]
    assert ssm.get_parameters_by_path(Path="/", ParameterFilters=by_label)["Parameters"][0]["Value"] == "two"
    gone = ssm.unlabel_parameter_version(Name="/l", ParameterVersion=2, Labels=["prod", "other"])
    assert (gone["RemovedLabels"], gone["InvalidLabels"]) == (["prod"], ["other"])
    refused("ParameterVersionNotFound", ssm.get_parameter, Name="/l:prod")
    refused("ParameterVersionNotFound", ssm.label_parameter_version, Name="/l", ParameterVersion=9, Labels=["x"])
    ssm.label_parameter_version(Name="/l", Labels=[f"l{number}" for number in range(10)])
    refused("ParameterVersionLabelLimitExceeded", ssm.label_parameter_version, Name="/l", Labels=["eleventh"])


def test_several_parameters_are_read_tagged_and_deleted(ssm):
    put(ssm, "/a", Tags=[{"Key": "k", "Value": "v"}])
    put(ssm, "/b")
    found = ssm.get_parameters(Names=["/a", "/b:1", "/c", "/b:9"])
    assert (names(found), found["InvalidParameters"]) == (["/a", "/b"], ["/c", "/b:9"])
    kind = {"ResourceType": "Parameter", "ResourceId": "/a"}
    ssm.add_tags_to_resource(**kind, Tags=[{"Key": "x", "Value": "y"}])
    ssm.remove_tags_from_resource(**kind, TagKeys=["k"])
    assert ssm.list_tags_for_resource(**kind)["TagList"] == [{"Key": "x", "Value": "y"}]
    refused("InvalidResourceId", ssm.list_tags_for_resource, ResourceType="Parameter", ResourceId="/none")
    refused("NotImplemented", ssm.list_tags_for_resource, ResourceType="Document", ResourceId="d")
    gone = ssm.delete_parameters(Names=["/a", "/none"])
    assert (gone["DeletedParameters"], gone["InvalidParameters"]) == (["/a"], ["/none"])
    ssm.delete_parameter(Name="/b")
    refused("ParameterNotFound", ssm.delete_parameter, Name="/b")
    refused("ParameterNotFound", ssm.get_parameter, Name="/a")


def test_secrets_of_secrets_manager_are_read_as_parameters(server, ssm):
    secret = server.client("secretsmanager").create_secret(Name="app/db", SecretString="hush")
    name = "/aws/reference/secretsmanager/app/db"
    found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert (found["Name"], found["Value"], found["Type"]) == (name, "hush", "SecureString")
    source = json.loads(found["SourceResult"])
    assert (source["name"], source["ARN"]) == ("app/db", secret["ARN"])
    refused("ValidationException", ssm.get_parameter, Name=name)
    missing = "/aws/reference/secretsmanager/none"
    assert f"Secret {missing} not found." in refused(
        "ParameterNotFound", ssm.get_parameter, Name=missing, WithDecryption=True
    )
    put(ssm, "/a")
    several = ssm.get_parameters(Names=["/a", name, missing], WithDecryption=True)
    assert (names(several), several["InvalidParameters"]) == (["/a", name], [missing])


def test_an_advanced_parameter_expires(start):
    server = start("--clock", "frozen=2026-03-02T12:00:00Z")
    ssm = server.client("ssm")
    policy = {"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": "2026-03-02T13:00:00.000Z"}}
    put(ssm, "/e", Tier="Advanced", Policies=json.dumps([policy]))
    shown = ssm.describe_parameters()["Parameters"][0]["Policies"][0]
    assert (shown["PolicyType"], shown["PolicyStatus"], json.loads(shown["PolicyText"])) == ("Expiration", "Pending", policy)
    refused("ValidationException", put, ssm=ssm, name="/s", Policies=json.dumps([policy]))
    notify = {"Type": "NoChangeNotification", "Version": "1.0", "Attributes": {"After": "20", "Unit": "Days"}}
    assert "NoChangeNotification" in refused(
        "NotImplemented", put, ssm=ssm, name="/s", Tier="Advanced", Policies=json.dumps([notify])
    )
    refused("IncompatiblePolicyException", put, ssm=ssm, name="/s", Tier="Advanced", Policies=json.dumps([policy] * 2))
    refused("InvalidPolicyTypeException", put, ssm=ssm, name="/s", Tier="Advanced", Policies='[{"Type":"x"}]')
    server.admin("POST", "clock/advance", {"seconds": 3660})
    refused("ParameterNotFound", ssm.get_parameter, Name="/e")


def test_who_may_read_a_parameter(start):
    server = start("--iam", "enforce")
    iam = server.client("iam")
    ssm = server.client("ssm")
    key = server.client("kms").create_key()["KeyMetadata"]["KeyId"]
    for name in ["/open/a", "/shut/a"]:
        put(ssm, name)
    put(ssm, "/open/s", "hush", "SecureString", KeyId=key)
    iam.create_user(UserName="u")
    allow = {
        "Effect": "Allow",
        "Action": ["ssm:GetParameter*", "ssm:DeleteParameters"],
        "Resource": f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/open*",
    }
    document = {"Version": "2012-10-17", "Statement": [allow]}
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(document))
    pair = iam.create_access_key(UserName="u")["AccessKey"]
    mine = server.client("ssm", pair["AccessKeyId"], pair["SecretAccessKey"])
    assert mine.get_parameter(Name="/open/a")["Parameter"]["Value"] == "v"
    assert names(mine.get_parameters_by_path(Path="/open", MaxResults=1)) == ["/open/a"]
    refused("AccessDeniedException", mine.get_parameter, Name="/shut/a")
    assert "/shut/a" in refused("AccessDeniedException", mine.get_parameters, Names=["/open/a", "/shut/a"])
    refused("AccessDeniedException", mine.delete_parameters, Names=["/open/a", "/shut/a"])
    mine.get_parameter(Name="/open/s")
    assert "kms:Decrypt" in refused(
        "AccessDeniedException", mine.get_parameter, Name="/open/s", WithDecryption=True
    )
    via = {"StringEquals": {"kms:ViaService": "ssm.us-east-1.amazonaws.com"}}
    use = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": via}
    iam.put_user_policy(UserName="u", PolicyName="k", PolicyDocument=json.dumps({**document, "Statement": [use]}))
    assert mine.get_parameter(Name="/open/s", WithDecryption=True)["Parameter"]["Value"] == "hush"


def test_the_cli_puts_and_gets(server):
    server.aws("ssm", "put-parameter", "--name", "/cli/x", "--value", "1", "--type", "String")
    answer = json.loads(server.aws("ssm", "get-parameters-by-path", "--path", "/cli"))
    assert answer["Parameters"][0]["Value"] == "1"
    assert "ParameterNotFound" in server.aws("ssm", "get-parameter", "--name", "/cli/y", fails=True)


TEMPLATE = """
Parameters:
  Size: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /stack/size}
  Names: {Type: 'AWS::SSM::Parameter::Value<List<String>>'}
Resources:
  Made:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /stack/made
      Type: String
      Value: !Sub '${Size}/{{resolve:ssm:/stack/plain:1}}/{{resolve:secretsmanager:stack-secret:SecretString:key}}'
      Tags: {team: blue}
Outputs:
  Value: {Value: !GetAtt Made.Value}
  Name: {Value: !Ref Made}
  Second: {Value: !Select [1, !Ref Names]}
"""


def test_stacks_make_parameters_and_read_them(server, ssm):
    cloudformation = server.client("cloudformation")
    put(ssm, "/stack/size", "large")
    put(ssm, "/stack/names", "a, b", "StringList")
    put(ssm, "/stack/plain", "plain")
    server.client("secretsmanager").create_secret(Name="stack-secret", SecretString='{"key": "hush"}')
    stack = {
        "StackName": "s",
        "TemplateBody": TEMPLATE,
        "Parameters": [{"ParameterKey": "Names", "ParameterValue": "/stack/names"}],
        "Tags": [{"Key": "of", "Value": "stack"}],
    }
    cloudformation.create_stack(**stack)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    assert ssm.get_parameter(Name="/stack/made")["Parameter"]["Value"] == "large/plain/hush"
    described = cloudformation.describe_stacks(StackName="s")["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    assert (outputs["Name"], outputs["Second"]) == ("/stack/made", "b")
    size = next(one for one in described["Parameters"] if one["ParameterKey"] == "Size")
    assert (size["ParameterValue"], size["ResolvedValue"]) == ("/stack/size", "large")
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/stack/made")["TagList"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "blue", "of": "stack"}

    ssm.put_parameter(Name="/stack/size", Value="huge", Overwrite=True)
    stack["Parameters"].append({"ParameterKey": "Size", "UsePreviousValue": True})
    cloudformation.update_stack(**stack)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    assert ssm.get_parameter(Name="/stack/made")["Parameter"]["Value"] == "huge/plain/hush"
    cloudformation.delete_stack(StackName="s")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    refused("ParameterNotFound", ssm.get_parameter, Name="/stack/made")


def test_stacks_whose_references_lead_nowhere_fail(server, ssm):
    cloudformation = server.client("cloudformation")
    text = refused(
        "ValidationError", cloudformation.create_stack, StackName="s", TemplateBody=TEMPLATE,
        Parameters=[{"ParameterKey": "Names", "ParameterValue": "/none"}],
    )
    assert "Unable to fetch parameters [/none, /stack/size]" in text or "[/stack/size, /none]" in text
    put(ssm, "/secure", "hush", "SecureString")

    def reason(value):
        body = {"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}}}
        cloudformation.create_stack(StackName="f", TemplateBody=json.dumps(body), OnFailure="DELETE")
        cloudformation.get_waiter("stack_delete_complete").wait(StackName="f", WaiterConfig={"Delay": 1})
        stack = cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"][0]["StackId"]
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        return next(one["ResourceStatusReason"] for one in events if one["ResourceStatus"] == "CREATE_FAILED")

    assert "Parameters: [ssm:/none] cannot be found" in reason("{{resolve:ssm:/none}}")
    assert "Non-secure ssm prefix" in reason("{{resolve:ssm:/secure}}")
    assert "SSM Secure reference is not supported" in reason("{{resolve:ssm-secure:/secure}}")
