"""Custom resources, made by functions that are processes and by whoever reads a topic, and wait conditions."""

import json
import sys
import time
import urllib.error
import urllib.request

import pytest
from conftest import TargetQueue

PYTHON = f"python3.{sys.version_info.minor}"
ROLE = "arn:aws:iam::123456789012:role/any"
# Keeps what it was asked in its log, and answers as the properties say.
SOURCE = """
import cfnresponse, json
def handler(event, context):
    print("ASKED " + json.dumps(event))
    wanted = event["ResourceProperties"]
    fails = wanted.get("FailsOn") == event["RequestType"]
    name = wanted.get("Name", "made")
    data = {"Shout": wanted.get("Say", "").upper(), "Number": 7}
    status = cfnresponse.FAILED if fails else cfnresponse.SUCCESS
    cfnresponse.send(event, context, status, data, name, wanted.get("Secret") == "true", reason="as asked" if fails else None)
"""


def function(source=SOURCE):
    properties = {"Runtime": PYTHON, "Handler": "index.handler", "Role": ROLE, "Code": {"ZipFile": source}, "Timeout": 20}
    return {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "maker", **properties}}


def custom(kind="Custom::Thing", **properties):
    return {"Type": kind, "Properties": {"ServiceToken": {"Fn::GetAtt": ["Maker", "Arn"]}, **properties}}


def template(outputs=None, **resources):
    outputs = {name: {"Value": value} for name, value in (outputs or {}).items()}
    return json.dumps({"Resources": resources, **({"Outputs": outputs} if outputs else {})})


class Stack:
    def __init__(self, server):
        self.client = server.client("cloudformation")
        self.logs = server.client("logs")

    def at_rest(self, name="s"):
        for _ in range(150):
            [stack] = self.client.describe_stacks(StackName=name)["Stacks"]
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack
            time.sleep(0.1)
        raise TimeoutError(stack["StackStatus"])

    def create(self, body, **more):
        self.id = self.client.create_stack(StackName="s", TemplateBody=body, **more)["StackId"]
        return self.at_rest(self.id)

    def update(self, body):
        self.client.update_stack(StackName="s", TemplateBody=body)
        return self.at_rest(self.id)

    def delete(self):
        self.client.delete_stack(StackName="s")
        return self.at_rest(self.id)

    def events(self, logical_id):
        found = self.client.describe_stack_events(StackName=self.id)["StackEvents"]
        return [event for event in reversed(found) if event["LogicalResourceId"] == logical_id]

    def asked(self, times):
        """What the function was asked, once its log tells that many: it answers the stack before it has ended."""
        for _ in range(100):
            found = self.logs.filter_log_events(logGroupName="/aws/lambda/maker", filterPattern="ASKED")["events"]
            if len(found) >= times:
                break
            time.sleep(0.1)
        return [json.loads(event["message"].split("ASKED ", 1)[1]) for event in found]


@pytest.fixture
def stack(server):
    return Stack(server)


def outputs(stack):
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def test_a_custom_resource_lives_and_dies_by_its_function(stack):
    shown = {"Id": {"Ref": "Thing"}, "Shout": {"Fn::GetAtt": ["Thing", "Shout"]}, "Number": {"Fn::Sub": "${Thing.Number}"}}
    made = stack.create(template(shown, Maker=function(), Thing=custom(Name="a", Say="hi", Flag=True, List=[1, {"b": 2}])))
    assert made["StackStatus"] == "CREATE_COMPLETE"
    assert outputs(made) == {"Id": "a", "Shout": "HI", "Number": "7"}
    changed = stack.update(template(shown, Maker=function(), Thing=custom(Name="a", Say="ho")))
    assert (changed["StackStatus"], outputs(changed)["Shout"]) == ("UPDATE_COMPLETE", "HO")
    # Another id: the old one is deleted once everything else is done.
    replaced = stack.update(template(shown, Maker=function(), Thing=custom(Name="b", Say="ho")))
    assert (replaced["StackStatus"], outputs(replaced)["Id"]) == ("UPDATE_COMPLETE", "b")
    stack.update(template(Maker=function()))

    create, update, replace, delete_old, delete = stack.asked(5)
    assert create["RequestType"] == "Create" and "PhysicalResourceId" not in create and "OldResourceProperties" not in create
    assert (create["StackId"], create["LogicalResourceId"], create["ResourceType"]) == (stack.id, "Thing", "Custom::Thing")
    token = "arn:aws:lambda:us-east-1:123456789012:function:maker"
    assert create["ServiceToken"] == token
    # Scalars are texts.
    wanted = {"ServiceToken": token, "Name": "a", "Say": "hi", "Flag": "true", "List": ["1", {"b": "2"}]}
    assert create["ResourceProperties"] == wanted
    assert (update["RequestType"], update["PhysicalResourceId"], update["OldResourceProperties"]) == ("Update", "a", wanted)
    assert (replace["RequestType"], replace["PhysicalResourceId"]) == ("Update", "a")
    assert (delete_old["RequestType"], delete_old["PhysicalResourceId"]) == ("Delete", "a")
    assert (delete["RequestType"], delete["PhysicalResourceId"]) == ("Delete", "b")
    assert len({event["RequestId"] for event in [create, update, replace, delete_old, delete]}) == 5
    statuses = [event["ResourceStatus"] for event in stack.events("Thing")]
    assert statuses[:3] == ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert stack.delete()["StackStatus"] == "DELETE_COMPLETE"


def test_a_failure_is_told_and_what_was_begun_is_deleted(stack):
    made = stack.create(template(Maker=function(), Thing=custom("AWS::CloudFormation::CustomResource", Name="x", FailsOn="Create")))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    [failed] = [event for event in stack.events("Thing") if event["ResourceStatus"] == "CREATE_FAILED"]
    create, delete = stack.asked(2)
    assert failed["ResourceStatusReason"] == (
        f"Received response status [FAILED] from custom resource. Message returned: as asked (RequestId: {create['RequestId']})"
    )
    assert (create["ResourceType"], delete["RequestType"], delete["PhysicalResourceId"]) == (
        "AWS::CloudFormation::CustomResource", "Delete", "x",
    )


def test_an_update_that_fails_is_taken_back_by_another(stack):
    stack.create(template(Maker=function(), Thing=custom(Name="a", Say="hi")))
    changed = stack.update(template(Maker=function(), Thing=custom(Name="a", Say="ho", FailsOn="Update")))
    assert changed["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    _, change, back = stack.asked(3)
    assert (back["RequestType"], back["ResourceProperties"]["Say"]) == ("Update", "hi")
    assert back["OldResourceProperties"] == change["ResourceProperties"]


def test_secret_data_are_not_shown_in_events(stack):
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Fn::GetAtt": ["Thing", "Shout"]}}}
    stack.create(template({"P": {"Ref": "P"}}, Maker=function(), Thing=custom(Say="hush", Secret=True), P=parameter))
    shown = stack.events("P")[-1]["ResourceProperties"]
    assert json.loads(shown)["Value"] == "*****"


def test_without_an_answer_time_runs_out(stack):
    silent = function("def handler(event, context):\n    return 'cfnresponse is not called'\n")
    begun = time.time()
    made = stack.create(template(Maker=silent, Thing=custom(ServiceTimeout=1)), OnFailure="DO_NOTHING")
    assert made["StackStatus"] == "CREATE_FAILED" and time.time() - begun >= 1
    reason = stack.events("Thing")[-1]["ResourceStatusReason"]
    assert reason.startswith("CloudFormation did not receive a response from your Custom Resource. Please check your logs for")


def test_a_missing_attribute_and_an_unknown_token_fail_the_resource(stack):
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Fn::GetAtt": ["Thing", "None"]}}}
    stack.create(template(Maker=function(), Thing=custom(), P=parameter))
    assert "Vendor response doesn't contain None" in stack.events("P")[1]["ResourceStatusReason"]
    stack.delete()
    stack.create(template(Thing={"Type": "Custom::Thing", "Properties": {"ServiceToken": "nonsense"}}))
    assert "Invalid service token" in stack.events("Thing")[1]["ResourceStatusReason"]


def test_whoever_reads_the_topic_makes_the_resource(server, stack):
    topic = server.client("sns").create_topic(Name="makers")["TopicArn"]
    queue = TargetQueue(server, "requests", "sns.amazonaws.com", {"ArnEquals": {"aws:SourceArn": topic}})
    server.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    body = template({"Id": {"Ref": "T"}}, T={"Type": "Custom::Far", "Properties": {"ServiceToken": topic, "Size": 3}})
    stack.id = stack.client.create_stack(StackName="s", TemplateBody=body)["StackId"]
    [message] = queue.bodies()
    request = json.loads(message["Message"])
    assert message["Subject"] == "AWS CloudFormation custom resource request"
    assert (request["RequestType"], request["ResourceProperties"]["Size"]) == ("Create", "3")
    answer = {name: request[name] for name in ["StackId", "RequestId", "LogicalResourceId"]}
    with pytest.raises(urllib.error.HTTPError) as refused:
        put(request["ResponseURL"].replace("Signature=", "Signature=x"), {})
    assert refused.value.code == 403
    put(request["ResponseURL"], {"Status": "SUCCESS", "PhysicalResourceId": "far-1", **answer})
    assert outputs(stack.at_rest()) == {"Id": "far-1"}
    # It is answered: nobody awaits anything there any more.
    with pytest.raises(urllib.error.HTTPError):
        put(request["ResponseURL"], {})


def put(url, document):
    request = urllib.request.Request(url, data=json.dumps(document).encode(), method="PUT", headers={"Content-Type": ""})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status


def waiting(count, timeout="20"):
    condition = {"Handle": {"Ref": "Handle"}, "Timeout": timeout, "Count": count}
    return template(
        {"Data": {"Fn::GetAtt": ["Wait", "Data"]}},
        Handle={"Type": "AWS::CloudFormation::WaitConditionHandle"},
        Wait={"Type": "AWS::CloudFormation::WaitCondition", "Properties": condition},
    )


def handle(stack):
    stack.id = stack.client.describe_stacks(StackName="s")["Stacks"][0]["StackId"]
    found = stack.client.describe_stack_resource(StackName="s", LogicalResourceId="Handle")
    return found["StackResourceDetail"]["PhysicalResourceId"]


def test_a_wait_condition_counts_signals(stack):
    stack.client.create_stack(StackName="s", TemplateBody=waiting(2))
    url = handle(stack)
    for unique, data in [("a", "1"), ("a", "1"), ("b", "2")]:
        assert stack.client.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
        put(url, {"Status": "SUCCESS", "UniqueId": unique, "Data": data, "Reason": "done"})
    assert outputs(stack.at_rest()) == {"Data": '{"a":"1","b":"2"}'}
    assert stack.delete()["StackStatus"] == "DELETE_COMPLETE"


def test_a_wait_condition_fails_by_a_signal_or_by_its_time(stack):
    stack.client.create_stack(StackName="s", TemplateBody=waiting(1))
    put(handle(stack), {"Status": "FAILURE", "UniqueId": "a", "Data": "", "Reason": "no disk"})
    stack.at_rest()
    reasons = [event.get("ResourceStatusReason") for event in stack.events("Wait")]
    assert "WaitCondition received failed message: 'no disk' for uniqueId: a" in reasons
    stack.delete()
    stack.create(waiting(1, timeout=1))
    reasons = [event.get("ResourceStatusReason") for event in stack.events("Wait")]
    assert "WaitCondition timed out. Received 0 conditions when expecting 1" in reasons


def test_the_times_of_a_stacks_events_grow(stack):
    stack.create(template(**{f"Q{n}": {"Type": "AWS::SQS::Queue"} for n in range(5)}))
    found = stack.client.describe_stack_events(StackName="s")["StackEvents"]
    times = [event["Timestamp"] for event in found]
    assert times == sorted(times, reverse=True) and len(set(times)) == len(times)
