"""AWS Secrets Manager (awsJson 1.1) with boto3 and the AWS CLI."""

import datetime
import json

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, refusal


@pytest.fixture
def secrets(server):
    return server.client("secretsmanager")


def test_a_secret_lives_its_life(secrets):
    created = secrets.create_secret(
        Name="app/db", Description="the database", SecretString="one", Tags=[{"Key": "team", "Value": "pix"}]
    )
    arn = created["ARN"]
    assert arn.startswith("arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-")
    assert len(arn.rpartition("-")[2]) == 6
    updated = secrets.put_secret_value(SecretId="app/db", SecretString="two")
    assert updated["VersionStages"] == ["AWSCURRENT"]
    for name in ("app/db", arn, arn[:-7]):
        assert secrets.get_secret_value(SecretId=name)["SecretString"] == "two"
    previous = secrets.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")
    assert (previous["SecretString"], previous["VersionId"]) == ("one", created["VersionId"])
    described = secrets.describe_secret(SecretId=arn)
    assert described["VersionIdsToStages"] == {
        created["VersionId"]: ["AWSPREVIOUS"],
        updated["VersionId"]: ["AWSCURRENT"],
    }
    assert described["Tags"] == [{"Key": "team", "Value": "pix"}]
    assert isinstance(described["LastAccessedDate"], datetime.datetime)
    secrets.delete_secret(SecretId=arn)
    with pytest.raises(secrets.exceptions.InvalidRequestException):
        secrets.get_secret_value(SecretId=arn)
    assert secrets.list_secrets()["SecretList"] == []
    assert len(secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]) == 1
    secrets.restore_secret(SecretId=arn)
    secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    with pytest.raises(secrets.exceptions.ResourceNotFoundException) as missing:
        secrets.get_secret_value(SecretId=arn)
    assert missing.value.response["Error"]["Message"] == "Secrets Manager can't find the specified secret."


def test_binary_values_come_back_as_they_were(secrets):
    value = bytes(range(256))
    secrets.create_secret(Name="b", SecretBinary=value)
    assert secrets.get_secret_value(SecretId="b")["SecretBinary"] == value


def test_lists_are_filtered_and_paged(secrets):
    for name, description in [("a/one", "first of all"), ("a/two", "second"), ("b/three", "the third of four")]:
        secrets.create_secret(Name=name, Description=description, SecretString="x")

    def names(**input):
        pages = secrets.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 1}, **input)
        return [secret["Name"] for page in pages for secret in page["SecretList"]]

    assert names() == ["a/one", "a/two", "b/three"]
    assert names(Filters=[{"Key": "name", "Values": ["a/"]}]) == ["a/one", "a/two"]
    assert names(Filters=[{"Key": "name", "Values": ["!a/"]}]) == ["b/three"]
    assert names(Filters=[{"Key": "description", "Values": ["OF f"]}]) == ["a/one", "b/three"]
    assert names(Filters=[{"Key": "all", "Values": ["three"]}]) == ["b/three"]
    batch = secrets.batch_get_secret_value(SecretIdList=["a/one", "none"])
    assert [value["SecretString"] for value in batch["SecretValues"]] == ["x"]
    assert [(e["SecretId"], e["ErrorCode"]) for e in batch["Errors"]] == [("none", "ResourceNotFoundException")]


def test_a_name_is_taken_once(secrets):
    secrets.create_secret(Name="n", SecretString="x")
    with pytest.raises(secrets.exceptions.ResourceExistsException) as taken:
        secrets.create_secret(Name="n", SecretString="x")
    assert taken.value.response["Error"]["Message"] == "The operation failed because the secret n already exists."


def test_a_policy_is_kept_and_checked(secrets):
    secrets.create_secret(Name="p", SecretString="x")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with pytest.raises(secrets.exceptions.PublicPolicyException):
        secrets.put_resource_policy(SecretId="p", ResourcePolicy=policy, BlockPublicPolicy=True)
    secrets.put_resource_policy(SecretId="p", ResourcePolicy=policy)
    assert secrets.get_resource_policy(SecretId="p")["ResourcePolicy"] == policy
    with pytest.raises(secrets.exceptions.MalformedPolicyDocumentException):
        secrets.put_resource_policy(SecretId="p", ResourcePolicy="{")
    secrets.delete_resource_policy(SecretId="p")
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId="p")


def test_rotation_without_a_function_is_refused(secrets):
    secrets.create_secret(Name="r", SecretString="x")
    with pytest.raises(ClientError) as refused:
        secrets.rotate_secret(SecretId="r", RotationRules={"AutomaticallyAfterDays": 1})
    message = "No Lambda rotation function ARN is associated with this secret."
    assert refused.value.response["Error"]["Message"] == message
    with pytest.raises(ClientError) as refused:
        secrets.rotate_secret(
            SecretId="r", RotationLambdaARN="arn:aws:lambda:us-east-1:123456789012:function:none"
        )
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_secret_under_a_customers_key(server, secrets):
    kms = server.client("kms")
    key, other = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    nowhere = "134f2428-cec1-4b25-a1ae-9048164dba47"
    code, text = refusal(secrets.create_secret, Name="s", SecretString="hush", KmsKeyId=nowhere)
    assert code == "InvalidParameterException"
    key_arn = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{nowhere}"
    assert text.startswith(f"The operation failed because of an invalid KMS key: Key '{key_arn}' does not exist")
    arn = secrets.create_secret(Name="s", SecretString="hush", KmsKeyId=key)["ARN"]
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "hush"
    kms.disable_key(KeyId=key)
    assert refusal(secrets.get_secret_value, SecretId="s")[0] == "DecryptionFailure"
    assert refusal(secrets.put_secret_value, SecretId="s", SecretString="more")[0] == "EncryptionFailure"
    secrets.create_secret(Name="open", SecretString="loud")
    batch = secrets.batch_get_secret_value(SecretIdList=["s", "open"])
    assert [one["Name"] for one in batch["SecretValues"]] == ["open"]
    assert [(one["SecretId"], one["ErrorCode"]) for one in batch["Errors"]] == [("s", "DecryptionFailure")]
    assert refusal(secrets.update_secret, SecretId="s", KmsKeyId=other)[0] == "DecryptionFailure"
    kms.enable_key(KeyId=key)
    # Another key is for the values that are there, too.
    secrets.update_secret(SecretId="s", KmsKeyId=other, SecretString="more")
    kms.disable_key(KeyId=key)
    for stage, value in [("AWSCURRENT", "more"), ("AWSPREVIOUS", "hush")]:
        assert secrets.get_secret_value(SecretId="s", VersionStage=stage)["SecretString"] == value
    kms.disable_key(KeyId=other)
    assert refusal(secrets.get_secret_value, SecretId="s")[0] == "DecryptionFailure"


def test_who_may_use_the_key_of_a_secret(start):
    server = start("--iam", "enforce")
    iam, secrets = server.client("iam"), server.client("secretsmanager")
    key = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    secrets.create_secret(Name="s", SecretString="hush", KmsKeyId=key)
    iam.create_user(UserName="u")
    pair = iam.create_access_key(UserName="u")["AccessKey"]
    reader = server.client("secretsmanager", pair["AccessKeyId"], pair["SecretAccessKey"])

    def let(*statements):
        mine = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [mine, *statements]}
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(document))

    let()
    denied = ("AccessDeniedException", "Access to KMS is not allowed")
    assert refusal(reader.get_secret_value, SecretId="s") == denied
    through = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}
    let({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key, "Condition": through})
    assert reader.get_secret_value(SecretId="s")["SecretString"] == "hush"
    assert refusal(reader.put_secret_value, SecretId="s", SecretString="x") == denied


def test_the_command_line(server):
    server.aws("secretsmanager", "create-secret", "--name", "cli", "--secret-string", "hush")
    words = ["secretsmanager", "get-secret-value", "--secret-id", "cli", "--query", "SecretString", "--output", "text"]
    assert server.aws(*words) == "hush\n"
    assert "can't find the specified secret" in server.aws(
        "secretsmanager", "describe-secret", "--secret-id", "none", fails=True
    )


TEMPLATE = """
Resources:
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: made
      Description: of a template
      GenerateSecretString: {SecretStringTemplate: '{"user": "app"}', GenerateStringKey: password, PasswordLength: "20"}
      Tags: [{Key: team, Value: pix}]
Outputs:
  Arn: {Value: !Ref Secret}
"""


def test_a_template_makes_a_secret(server, secrets):
    stacks = server.client("cloudformation")
    stacks.create_stack(StackName="s", TemplateBody=TEMPLATE)
    stacks.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    arn = stacks.describe_stacks(StackName="s")["Stacks"][0]["Outputs"][0]["OutputValue"]
    value = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert (value["user"], len(value["password"])) == ("app", 20)
    generated = TEMPLATE.split("GenerateSecretString: ")[1].split("\n")[0]
    changed = TEMPLATE.replace(f"GenerateSecretString: {generated}", "SecretString: plain").replace("of a", "by a")
    stacks.update_stack(StackName="s", TemplateBody=changed)
    stacks.get_waiter("stack_update_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "plain"
    assert secrets.describe_secret(SecretId=arn)["Description"] == "by a template"
    stacks.delete_stack(StackName="s")
    stacks.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    assert secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"] == []
