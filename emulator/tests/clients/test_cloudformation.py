"""CloudFormation (awsQuery): the AWS CLI deploys the Pix monitor's own template; failures, updates and refusals."""

import json
import re
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

TEMPLATE = Path(__file__).parents[3] / "handlers" / "pix-monitor" / "template.yaml"
BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "things"}}


def template(**resources):
    return json.dumps({"Resources": resources})


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_the_command_line_packages_and_deploys_the_pix_monitor(server, tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "bootstrap").write_text("#!/bin/sh\n")
    text = TEMPLATE.read_text()
    assert "../../target/lambda/pix-monitor/" in text
    (tmp_path / "template.yaml").write_text(text.replace("../../target/lambda/pix-monitor/", "code/"))
    server.client("s3").create_bucket(Bucket="code")
    source, packaged = str(tmp_path / "template.yaml"), str(tmp_path / "packaged.yaml")
    server.aws("cloudformation", "package", "--template-file", source, "--s3-bucket", "code", "--output-template-file", packaged)
    deploy = ["cloudformation", "deploy", "--template-file", packaged, "--stack-name", "pix", "--capabilities", "CAPABILITY_IAM"]
    values = ["WatchedAccounts=acc-1,acc-2", "SlackWebhook=https://hooks.slack.test/secret"]
    # Executed by boto3, because `deploy` looks after the stack but every 30 seconds.
    shown = server.aws(*deploy, "--no-execute-changeset", "--parameter-overrides", *values)
    cloudformation = server.client("cloudformation")
    cloudformation.execute_change_set(ChangeSetName=re.search(r"--change-set-name (\S+)", shown)[1])
    cloudformation.get_waiter("stack_create_complete").wait(StackName="pix", WaiterConfig={"Delay": 1})
    assert "No changes to deploy" in server.aws(*deploy, "--parameter-overrides", *values, "--no-fail-on-empty-changeset")

    [stack] = cloudformation.describe_stacks(StackName="pix")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    arn = "arn:aws:lambda:us-east-1:123456789012:function:pix-monitor"
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs == {"FunctionArn": arn, "StateBucketName": "pix-state"}
    values = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}
    assert (values["SlackWebhook"], values["SearchRangeMinutes"]) == ("****", "5")
    variables = server.client("lambda").get_function(FunctionName="pix-monitor")["Configuration"]["Environment"]["Variables"]
    assert (variables["WATCHED_ACCOUNTS"], variables["SLACK_WEBHOOK"]) == ("acc-1,acc-2", "https://hooks.slack.test/secret")
    [schedule] = server.client("scheduler").list_schedules()["Schedules"]
    assert schedule["Target"]["Arn"] == arn
    cloudformation.delete_stack(StackName="pix")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="pix", WaiterConfig={"Delay": 1})
    assert server.client("lambda").list_functions()["Functions"] == []


def test_a_stack_that_fails_says_why_and_is_rolled_back(server):
    server.client("s3", key="210987654321").create_bucket(Bucket="things")
    cloudformation = server.client("cloudformation")
    cloudformation.create_stack(StackName="s", TemplateBody=template(B=BUCKET))
    with pytest.raises(Exception, match="ROLLBACK_COMPLETE"):
        cloudformation.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    events = cloudformation.describe_stack_events(StackName="s")["StackEvents"]
    assert events[0]["ResourceStatus"] == "ROLLBACK_COMPLETE"
    [failed] = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert failed["LogicalResourceId"] == "B"
    assert "things already exists" in failed["ResourceStatusReason"]
    assert "HandlerErrorCode: AlreadyExists" in failed["ResourceStatusReason"]
    again = refusal(cloudformation.update_stack, StackName="s", TemplateBody=template(B=BUCKET))
    assert again[:2] == (400, "ValidationError") and "is in ROLLBACK_COMPLETE state and can not be updated." in again[2]


def test_errors_say_what_aws_says(server):
    cloudformation = server.client("cloudformation")
    assert refusal(cloudformation.describe_stacks, StackName="none") == (
        400,
        "ValidationError",
        "Stack with id none does not exist",
    )
    broken = [
        ("{", "Template format error: JSON not well-formed."),
        ("{}", "Template format error: At least one Resources member must be defined."),
        (
            template(B={"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "None"}}}),
            "Template format error: Unresolved resource dependencies [None] in the Resources block of the template",
        ),
        (template(A={"Type": "AWS::S3::Bucket", "DependsOn": "B"}, B={"Type": "AWS::S3::Bucket", "DependsOn": "A"}),
         "Circular dependency between resources: [A, B]"),
    ]  # fmt: skip
    for body, message in broken:
        status, code, text = refusal(cloudformation.create_stack, StackName="s", TemplateBody=body)
        assert (status, code) == (400, "ValidationError") and text.startswith(message), text
    cloudformation.create_stack(StackName="s", TemplateBody=template(B=BUCKET))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    same = refusal(cloudformation.update_stack, StackName="s", TemplateBody=template(B=BUCKET))
    assert same == (400, "ValidationError", "No updates are to be performed.")
    taken = refusal(cloudformation.create_stack, StackName="s", TemplateBody=template(B=BUCKET))
    assert taken == (400, "AlreadyExistsException", "Stack [s] already exists")


def test_a_resource_type_that_is_not_implemented_is_named(server):
    queue = {"Type": "AWS::EC2::Instance"}
    answer = refusal(server.client("cloudformation").create_stack, StackName="s", TemplateBody=template(Q=queue))
    assert answer[0] == 501 and "AWS::EC2::Instance" in answer[2]
