"""The transform `AWS::LanguageExtensions`, and what is wrong with functions' arguments."""

import io
import json
import sys
import zipfile

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


MACRO = """
import json
def handler(event, context):
    fragment = event["fragment"]
    if "Fail" in event["params"]:
        return {"requestId": event["requestId"], "status": "failure", "errorMessage": event["params"]["Fail"]}
    if "Resources" in fragment:
        fragment["Outputs"] = {"Seen": {"Value": json.dumps(event["templateParameterValues"], sort_keys=True)}}
    else:
        fragment["Value"] = event["params"].get("Text", "none") + " " + event["transformId"].split("::")[1]
    return {"requestId": event["requestId"], "status": "success", "fragment": fragment}
"""


@pytest.fixture
def macro(server):
    """A macro, `Shape`, and the clients to use it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("index.py", MACRO)
    server.client("lambda").create_function(
        FunctionName="shape", Runtime=f"python3.{sys.version_info.minor}", Handler="index.handler",
        Role="arn:aws:iam::123456789012:role/r", Code={"ZipFile": archive.getvalue()}, Timeout=30,
    )
    client = server.client("cloudformation", read_timeout=60)
    template = {"Resources": {"M": {"Type": "AWS::CloudFormation::Macro", "Properties": {"Name": "Shape", "FunctionName": "shape"}}}}
    client.create_stack(StackName="macros", TemplateBody=json.dumps(template))
    client.get_waiter("stack_create_complete").wait(StackName="macros", WaiterConfig={"Delay": 1})
    return client


def parameter(**properties):
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", **properties}}


def test_a_macro_writes_parts_of_a_template_and_then_all_of_it(server, macro):
    call = {"Name": "Shape", "Parameters": {"Text": {"Fn::Sub": "${P} in ${AWS::Region}"}}}
    body = json.dumps({
        "Transform": ["Shape"],
        "Parameters": {"P": {"Type": "String"}, "L": {"Type": "CommaDelimitedList", "Default": "a,b"}},
        "Resources": {"A": parameter(**{"Fn::Transform": call})},
    })
    given = [{"ParameterKey": "P", "ParameterValue": "here"}]
    arguments = {"StackName": "s", "TemplateBody": body, "Parameters": given}
    assert refusal(macro.create_stack, **arguments)[0] == "InsufficientCapabilitiesException"
    macro.create_stack(**arguments, Capabilities=["CAPABILITY_AUTO_EXPAND"])
    macro.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    [output] = macro.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]
    assert json.loads(output["OutputValue"]) == {"L": ["a", "b"], "P": "here"}
    name = macro.describe_stack_resource(StackName="s", LogicalResourceId="A")["StackResourceDetail"]["PhysicalResourceId"]
    assert server.client("ssm").get_parameter(Name=name)["Parameter"]["Value"] == "here in us-east-1 Shape"
    processed = macro.get_template(StackName="s", TemplateStage="Processed")["TemplateBody"]
    assert "Transform" not in processed and "Fn::Transform" not in json.dumps(processed)
    assert processed["Resources"]["A"]["Properties"]["Value"] == "here in us-east-1 Shape"
    assert macro.get_template(StackName="s")["TemplateBody"] == json.loads(body)


def test_a_macro_that_fails_fails_the_stack_or_the_change_set(macro):
    def body(name, **parameters):
        return json.dumps({"Resources": {"A": parameter(**{"Fn::Transform": {"Name": name, "Parameters": parameters}})}})

    macro.create_stack(StackName="s", TemplateBody=body("Shape", Fail="it must"), Capabilities=["CAPABILITY_AUTO_EXPAND"])
    events = macro.describe_stack_events(StackName="s")["StackEvents"]
    assert "Transform 123456789012::Shape failed with: it must. Rollback requested by user." in [
        event.get("ResourceStatusReason") for event in events
    ]
    assert macro.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE"
    for name, why in [
        ("Missing", "No transform named 123456789012::Missing found"),
        ("AWS::Include", "Transform AWS::Include failed with: S3 bucket [nowhere] does not exist."),
    ]:
        made = macro.create_change_set(
            StackName="t", ChangeSetName="c" + name[0], ChangeSetType="CREATE", TemplateBody=body(name, Location="s3://nowhere/k"),
        )
        found = macro.describe_change_set(ChangeSetName=made["Id"])
        assert (found["Status"], found["ExecutionStatus"], found["StatusReason"]) == ("FAILED", "UNAVAILABLE", why)
    named = json.dumps({"Resources": {"A": parameter(**{"Fn::Transform": {"Name": {"Ref": "P"}}})}})
    assert refusal(macro.create_stack, StackName="u", TemplateBody=named) == (
        "ValidationError", "Key Name of transform definition must be a string.",
    )


def test_an_object_is_included(server):
    s3, client = server.client("s3"), server.client("cloudformation")
    s3.create_bucket(Bucket="snippets")
    s3.put_object(Bucket="snippets", Key="a.yaml", Body=b"Value: included\nDescription: too\n")
    s3.put_object(Bucket="snippets", Key="o.json", Body=b'{"Outputs": {"O": {"Value": {"Fn::GetAtt": ["A", "Value"]}}}}')
    body = """
Transform: {Name: AWS::Include, Parameters: {Location: s3://snippets/o.json}}
Parameters: {Bucket: {Type: String}}
Resources:
  A:
    Type: AWS::SSM::Parameter
    Properties:
      Type: String
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: !Sub "s3://${Bucket}/a.yaml"}}
"""
    client.create_stack(
        StackName="s", TemplateBody=body, Capabilities=["CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": "Bucket", "ParameterValue": "snippets"}],
    )
    client.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    [output] = client.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]
    assert (output["OutputKey"], output["OutputValue"]) == ("O", "included")


def test_a_policy_may_be_a_function_without_the_transform(server):
    body = json.dumps({
        "Parameters": {"Stage": {"Type": "String"}}, "Conditions": {"Keeps": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Resources": {"Q": {"Type": "AWS::SQS::Queue", "DeletionPolicy": {"Fn::If": ["Keeps", "Retain", "Delete"]}}},
    })
    client = server.client("cloudformation")
    kept = {}
    for stage in ("dev", "prod"):
        client.create_stack(StackName=stage, TemplateBody=body, Parameters=[{"ParameterKey": "Stage", "ParameterValue": stage}])
        [queue] = client.describe_stack_resources(StackName=stage)["StackResources"]
        kept[stage] = queue["PhysicalResourceId"]
        client.delete_stack(StackName=stage)
    assert server.client("sqs").list_queues()["QueueUrls"] == [kept["prod"]]


def test_what_depends_on_a_change_is_told_without_values_only(server):
    def topics(display):
        named = {"TopicName": "one", "DisplayName": display}
        return json.dumps({"Resources": {
            "One": {"Type": "AWS::SNS::Topic", "Properties": named},
            "Two": {"Type": "AWS::SNS::Topic", "Properties": {
                "TopicName": "two", "DisplayName": {"Fn::Join": ["-", ["x", {"Fn::GetAtt": ["One", "TopicName"]}]]},
            }},
        }})

    client = server.client("cloudformation")
    client.create_stack(StackName="s", TemplateBody=topics("a"))
    client.create_change_set(StackName="s", ChangeSetName="c", TemplateBody=topics("b"))
    changes = client.describe_change_set(StackName="s", ChangeSetName="c")["Changes"]
    assert [change["ResourceChange"]["LogicalResourceId"] for change in changes] == ["One", "Two"]
    [detail] = changes[1]["ResourceChange"]["Details"]
    assert (detail["CausingEntity"], detail["ChangeSource"], detail["Evaluation"]) == ("One.TopicName", "ResourceAttribute", "Dynamic")
    valued = client.describe_change_set(StackName="s", ChangeSetName="c", IncludePropertyValues=True)["Changes"]
    assert [change["ResourceChange"]["LogicalResourceId"] for change in valued] == ["One"]
    importer = json.dumps({"Resources": {"A": parameter(Value={"Fn::ImportValue": "nobodys"})}})
    client.create_change_set(StackName="t", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=importer)
    told = client.describe_change_set(StackName="t", ChangeSetName="c", IncludePropertyValues=True)
    assert told["StatusReason"].endswith("failed for resource [A] because: No export named nobodys")
    assert "StatusReason" not in client.describe_change_set(StackName="t", ChangeSetName="c")


def test_cloudformation_marks_what_it_makes(server):
    body = json.dumps({"Resources": {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "n"}}}})
    stack = server.client("cloudformation").create_stack(StackName="s", TemplateBody=body)["StackId"]
    [api] = server.client("apigateway").get_rest_apis()["items"]
    prefix = "aws:cloudformation:"
    assert api["tags"] == {f"{prefix}stack-name": "s", f"{prefix}logical-id": "Api", f"{prefix}stack-id": stack}
