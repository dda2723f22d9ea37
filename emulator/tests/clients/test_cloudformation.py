"""AWS CloudFormation (awsQuery) with boto3, and `aws cloudformation deploy`."""

import pytest
from botocore.exceptions import ClientError

TEMPLATE = """
Parameters:
  Days: {Type: Number, Default: 7}
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: /stack/log, RetentionInDays: !Ref Days}
Outputs:
  Arn: {Value: !GetAtt Log.Arn, Export: {Name: log-arn}}
"""


@pytest.fixture
def stacks(server):
    return server.client("cloudformation")


def test_a_stack_lives_its_life(server, stacks):
    stack_id = stacks.create_stack(StackName="life", TemplateBody=TEMPLATE)["StackId"]
    stacks.get_waiter("stack_create_complete").wait(StackName="life", WaiterConfig={"Delay": 1})
    (stack,) = stacks.describe_stacks(StackName=stack_id)["Stacks"]
    assert stack["Outputs"][0]["OutputValue"] == "arn:aws:logs:us-east-1:123456789012:log-group:/stack/log:*"
    assert stacks.list_exports()["Exports"][0]["ExportingStackId"] == stack_id
    stacks.update_stack(
        StackName="life", UsePreviousTemplate=True, Parameters=[{"ParameterKey": "Days", "ParameterValue": "30"}]
    )
    stacks.get_waiter("stack_update_complete").wait(StackName="life", WaiterConfig={"Delay": 1})
    (group,) = server.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 30
    with pytest.raises(ClientError) as nothing:
        stacks.update_stack(
            StackName="life", UsePreviousTemplate=True, Parameters=[{"ParameterKey": "Days", "UsePreviousValue": True}]
        )
    assert nothing.value.response["Error"]["Message"] == "No updates are to be performed."
    stacks.delete_stack(StackName="life")
    stacks.get_waiter("stack_delete_complete").wait(StackName="life", WaiterConfig={"Delay": 1})
    events = stacks.get_paginator("describe_stack_events").paginate(StackName=stack_id).build_full_result()["StackEvents"]
    assert events[0]["ResourceStatus"] == "DELETE_COMPLETE"
    assert len({event["EventId"] for event in events}) == len(events)


def test_a_change_set_that_is_not_there(stacks):
    with pytest.raises(stacks.exceptions.ChangeSetNotFoundException) as missing:
        stacks.describe_change_set(ChangeSetName="arn:aws:cloudformation:us-east-1:123456789012:changeSet/x/1")
    assert missing.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_the_cli_deploys(server, stacks, tmp_path):
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    words = ["cloudformation", "deploy", "--stack-name", "cli", "--template-file", str(template)]
    server.aws(*words, "--parameter-overrides", "Days=14", "--tags", "team=pix")
    (stack,) = stacks.describe_stacks(StackName="cli")["Stacks"]
    assert (stack["StackStatus"], stack["Tags"]) == ("CREATE_COMPLETE", [{"Key": "team", "Value": "pix"}])
    server.aws(*words, "--parameter-overrides", "Days=14", "--tags", "team=pix", "--no-fail-on-empty-changeset")
    server.aws(*words, "--parameter-overrides", "Days=30", "--tags", "team=pix")
    (stack,) = stacks.describe_stacks(StackName="cli")["Stacks"]
    assert (stack["StackStatus"], stack["Parameters"][0]["ParameterValue"]) == ("UPDATE_COMPLETE", "30")
