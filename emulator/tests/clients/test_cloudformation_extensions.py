"""The transform `AWS::LanguageExtensions`, and what is wrong with functions' arguments."""

import json

import pytest
from conftest import refusal

LOOPS = """
Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList}
  Stage: {Type: String, Default: dev}
Conditions:
  Keeps: !Equals [!Ref Stage, prod]
Mappings:
  Sizes: {dev: {Small: "1"}}
Resources:
  Fn::ForEach::Queues:
    - Name
    - !Ref Names
    - Queue${Name}:
        Type: AWS::SQS::Queue
        DeletionPolicy: !If [Keeps, Retain, Delete]
        Properties:
          QueueName: !Sub "q-${Name}-${Stage}"
          VisibilityTimeout: !FindInMap [Sizes, !Ref Stage, Big, {DefaultValue: 7}]
      Fn::ForEach::Notes:
        - Kind
        - [a, b]
        - Note${Name}${Kind}:
            Type: AWS::SSM::Parameter
            Properties: {Type: String, Value: {"Fn::ToJsonString": {queue: !Ref "Queue${Name}", kind: !Ref Kind}}}
  Count:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: {"Fn::Length": !Ref Names}}
Outputs:
  Fn::ForEach::Urls:
    - Name
    - !Ref Names
    - Url${Name}: {Value: !Ref "Queue${Name}"}
  Count: {Value: !GetAtt Count.Value}
"""


def test_loops_are_unrolled(server):
    client = server.client("cloudformation")
    arguments = {"StackName": "s", "TemplateBody": LOOPS, "Parameters": [{"ParameterKey": "Names", "ParameterValue": "x,y"}]}
    assert refusal(client.create_stack, **arguments) == (
        "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]",
    )
    client.create_stack(**arguments, Capabilities=["CAPABILITY_AUTO_EXPAND"])
    client.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    [stack] = client.describe_stacks(StackName="s")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert (set(outputs), outputs["Count"]) == ({"Urlx", "Urly", "Count"}, "2")
    sqs = server.client("sqs")
    url = sqs.get_queue_url(QueueName="q-x-dev")["QueueUrl"]
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"] == {"VisibilityTimeout": "7"}
    resources = client.describe_stack_resources(StackName="s")["StackResources"]
    ids = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
    assert set(ids) == {"Queuex", "Queuey", "Notexa", "Notexb", "Noteya", "Noteyb", "Count"}
    note = server.client("ssm").get_parameter(Name=ids["Noteyb"])["Parameter"]["Value"]
    assert json.loads(note) == {"queue": outputs["Urly"], "kind": "b"}
    processed = client.get_template(StackName="s", TemplateStage="Processed")["TemplateBody"]
    assert processed["Resources"]["Queuey"]["Properties"] == {"QueueName": "q-y-dev", "VisibilityTimeout": 7}
    assert processed["Resources"]["Queuey"]["DeletionPolicy"] == "Delete"


@pytest.mark.parametrize(
    ["value", "text"],
    [
        ({"Fn::Select": ["x", ["a"]]}, "Fn::Select requires a list argument with two elements: an integer index and a list"),
        ({"Fn::Select": [1, ["a"]]}, "Fn::Select requires a list argument with two elements: an integer index and a list"),
        ({"Fn::GetAtt": ["P"]}, "every Fn::GetAtt object requires two non-empty parameters"),
        ({"Fn::Length": ["a"]}, "Encountered unsupported function: Fn::Length Supported functions are: [Fn::Base64"),
    ],
)
def test_arguments_are_checked_before_anything_is_made(server, value, text):
    body = json.dumps({"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}}})
    client = server.client("cloudformation")
    code, message = refusal(client.create_stack, StackName="s", TemplateBody=body)
    assert code == "ValidationError" and f"Template error: {text}" in message
    assert client.list_stacks()["StackSummaries"] == []
