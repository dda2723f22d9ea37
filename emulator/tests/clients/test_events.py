"""Amazon EventBridge (awsJson) with boto3 and the AWS CLI: buses, rules, targets, schedules."""

import json
import time

import pytest
from conftest import ACCOUNT, TargetQueue, refusal

BUS = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus"
RULE = f"arn:aws:events:us-east-1:{ACCOUNT}:rule"
PATTERN = {"source": ["orders"], "detail": {"amount": [{"numeric": [">", 10]}]}}


class Queue(TargetQueue):
    """A queue that rules may send to."""

    def __init__(self, server, name="q", allowed=True):
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if name.endswith(".fifo") else {}
        condition = {"ArnLike": {"aws:SourceArn": f"{RULE}/*"}}
        super().__init__(server, name, "events.amazonaws.com", condition, allowed, **attributes)


def order(amount=20, source="orders", **more):
    return {"Source": source, "DetailType": "order", "Detail": json.dumps({"id": "o-1", "amount": amount}), **more}


def rule(events, target, name="r", pattern=PATTERN, **more):
    bus = {"EventBusName": more.pop("EventBusName")} if "EventBusName" in more else {}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern), **bus)
    events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": target, **more}], **bus)


@pytest.fixture
def events(server):
    return server.client("events")


def test_a_bus_lives_its_life(events):
    assert events.describe_event_bus()["Arn"] == f"{BUS}/default"
    assert events.create_event_bus(Name="b", Description="mine")["EventBusArn"] == f"{BUS}/b"
    assert refusal(events.create_event_bus, Name="b") == (
        "ResourceAlreadyExistsException", "Event bus b already exists.",
    )
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["b", "default"]
    events.tag_resource(ResourceARN=f"{BUS}/b", Tags=[{"Key": "team", "Value": "mail"}])
    assert events.list_tags_for_resource(ResourceARN=f"{BUS}/b")["Tags"] == [{"Key": "team", "Value": "mail"}]
    events.put_permission(EventBusName="b", Action="events:PutEvents", Principal="111111111111", StatementId="s")
    [statement] = json.loads(events.describe_event_bus(Name="b")["Policy"])["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    events.remove_permission(EventBusName="b", StatementId="s")
    assert "Policy" not in events.describe_event_bus(Name="b")
    events.delete_event_bus(Name="b")
    assert refusal(events.describe_event_bus, Name="b") == (
        "ResourceNotFoundException", "Event bus b does not exist.",
    )
    assert refusal(events.delete_event_bus, Name="default")[1] == "Cannot delete event bus default."


def test_a_rule_lives_its_life(server, events):
    made = events.put_rule(Name="r", EventPattern=json.dumps(PATTERN), Tags=[{"Key": "k", "Value": "v"}])
    assert made["RuleArn"] == f"{RULE}/r"
    events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": Queue(server).arn}])
    assert events.list_rule_names_by_target(TargetArn=Queue(server).arn)["RuleNames"] == ["r"]
    events.disable_rule(Name="r")
    assert events.describe_rule(Name="r")["State"] == "DISABLED"
    events.put_rule(Name="r", EventPattern=json.dumps(PATTERN), Description="again")
    told = events.describe_rule(Name="r")
    assert (told["State"], told["Description"], told["CreatedBy"]) == ("ENABLED", "again", ACCOUNT)
    assert [target["Id"] for target in events.list_targets_by_rule(Rule="r")["Targets"]] == ["t"]
    assert events.list_tags_for_resource(ResourceARN=f"{RULE}/r")["Tags"] == [{"Key": "k", "Value": "v"}]
    assert refusal(events.delete_rule, Name="r") == (
        "ValidationException", "Rule can't be deleted since it has targets.",
    )
    assert events.remove_targets(Rule="r", Ids=["t", "none"])["FailedEntries"][0]["TargetId"] == "none"
    events.delete_rule(Name="r")
    assert refusal(events.describe_rule, Name="r") == (
        "ResourceNotFoundException", "Rule r does not exist on EventBus default.",
    )


def test_events_reach_the_targets_of_the_rules_that_want_them(server, events):
    queue = Queue(server)
    rule(events, queue.arn)
    done = events.put_events(Entries=[order(20, Resources=["arn:a"]), order(5), order(20, source="other")])
    assert done["FailedEntryCount"] == 0
    [event] = queue.bodies()
    assert list(event) == [
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    ]
    assert (event["id"], event["detail"]) == (done["Entries"][0]["EventId"], {"id": "o-1", "amount": 20})
    assert (event["account"], event["region"], event["resources"]) == (ACCOUNT, "us-east-1", ["arn:a"])


def test_entries_fail_one_by_one(events):
    entries = [order(), order(Detail="text"), {"Detail": "{}", "DetailType": "d"}, order(source="aws.s3")]
    done = events.put_events(Entries=entries)
    assert done["FailedEntryCount"] == 3
    assert [entry.get("ErrorCode") for entry in done["Entries"]] == [
        None, "MalformedDetail", "InvalidArgument", "NotAuthorizedForSourceException",
    ]
    code, message = refusal(events.put_events, Entries=[order()] * 11)
    assert (code, "length less than or equal to 10" in message) == ("ValidationException", True)
    big = order(Detail=json.dumps({"a": "x" * 262144}))
    assert refusal(events.put_events, Entries=[big])[1] == (
        "Total size of the entries in the request is over the limit."
    )


@pytest.mark.parametrize(
    "how, expected",
    [
        ({"Input": '{"fixed": true}'}, {"fixed": True}),
        ({"InputPath": "$.detail.id"}, "o-1"),
        (
            {"InputTransformer": {
                "InputPathsMap": {"id": "$.detail.id", "none": "$.detail.none"},
                "InputTemplate": '{"order": <id>, "text": "is <id>", "none": <none>, "rule": "<aws.events.rule-name>"}',
            }},
            {"order": "o-1", "text": "is o-1", "none": "", "rule": "r"},
        ),
    ],
)
def test_a_target_gets_what_is_made_of_an_event(server, events, how, expected):
    queue = Queue(server)
    rule(events, queue.arn, **how)
    events.put_events(Entries=[order()])
    assert queue.bodies() == [expected]


def test_a_bus_a_topic_a_log_and_a_fifo_queue_are_targets(server, events):
    queue, fifo = Queue(server), Queue(server, "q.fifo")
    sns, logs = server.client("sns"), server.client("logs")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    logs.create_log_group(logGroupName="/events/orders")
    events.create_event_bus(Name="b")
    rule(events, f"{BUS}/b", "to-bus")
    rule(events, topic, "to-topic", EventBusName="b")
    rule(events, fifo.arn, "to-fifo", SqsParameters={"MessageGroupId": "g"})
    rule(events, f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/events/orders", "to-log")
    events.put_events(Entries=[order()])
    [message] = fifo.receive()
    assert message["Attributes"]["MessageGroupId"] == "g"
    [passed_on] = queue.bodies()
    assert passed_on["detail"] == {"id": "o-1", "amount": 20}
    end = time.monotonic() + 10
    while not (logged := logs.filter_log_events(logGroupName="/events/orders")["events"]):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert json.loads(logged[0]["message"])["source"] == "orders"


def test_a_schedule_fires_by_the_clouds_clock(start):
    server = start("--clock", "frozen=2026-03-02T12:00:00Z")
    events, queue = server.client("events"), Queue(server)
    events.put_rule(Name="r", ScheduleExpression="rate(5 minutes)")
    events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": queue.arn}])
    events.put_rule(Name="c", ScheduleExpression="cron(15 12 * * ? *)")
    events.put_targets(Rule="c", Targets=[{"Id": "t", "Arn": queue.arn, "Input": '"cron"'}])
    server.admin("POST", "clock/advance", {"seconds": 960})
    bodies = queue.bodies(wait=0)
    fired = [body for body in bodies if body != "cron"]
    assert [body["time"] for body in fired] == [f"2026-03-02T12:{minute}:00Z" for minute in ["05", "10", "15"]]
    assert (fired[0]["detail-type"], fired[0]["resources"]) == ("Scheduled Event", [f"{RULE}/r"])
    assert bodies.count("cron") == 1
    events.disable_rule(Name="r")
    queue.sqs.purge_queue(QueueUrl=queue.url)
    server.admin("POST", "clock/advance", {"seconds": 3600})
    assert queue.bodies(wait=0) == []
    assert refusal(events.put_rule, Name="x", ScheduleExpression="rate(1 minutes)")[1] == (
        "Parameter ScheduleExpression is not valid."
    )


def test_what_cannot_be_delivered_goes_to_the_dead_letters(start):
    server = start("--iam", "enforce", "--clock", "frozen=2026-03-02T12:00:00Z")
    events, closed, dead = server.client("events"), Queue(server, "closed", allowed=False), Queue(server, "dead")
    rule(events, closed.arn, DeadLetterConfig={"Arn": dead.arn})
    events.put_events(Entries=[order()])
    server.admin("POST", "clock/advance", {"seconds": 1})
    assert closed.receive(wait=0) == []
    [message] = dead.receive(wait=0)
    assert json.loads(message["Body"])["detail"]["id"] == "o-1"
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert (attributes["RULE_ARN"], attributes["TARGET_ARN"]) == (f"{RULE}/r", closed.arn)
    assert (attributes["RETRY_ATTEMPTS"], "AccessDenied" in attributes["ERROR_CODE"]) == ("0", True)


def test_what_is_wrong_is_refused_in_awss_words(server, events):
    queue = Queue(server).arn
    events.put_rule(Name="r", EventPattern=json.dumps(PATTERN))

    def target(**more):
        return refusal(events.put_targets, Rule="r", Targets=[{"Id": "t", "Arn": queue, **more}])[1]

    assert target(Input="{}", InputPath="$") == (
        "Only one of Input, InputPath, or InputTransformer must be provided for target t."
    )
    assert target(InputTransformer={"InputTemplate": '"<x>"'}) == (
        "InputTemplate for target t contains invalid placeholder x."
    )
    assert refusal(events.put_rule, Name="x", EventPattern='{"a": "b"}') == (
        "InvalidEventPatternException", 'Event pattern is not valid. Reason: "a" must be an object or an array',
    )
    assert refusal(events.put_rule, Name="x")[1] == (
        "Parameter(s) EventPattern or ScheduleExpression must be specified."
    )
    six = [{"Id": str(n), "Arn": queue} for n in range(6)]
    assert refusal(events.put_targets, Rule="r", Targets=six)[0] == "LimitExceededException"
    code, message = refusal(events.create_archive, ArchiveName="a", EventSourceArn=f"{BUS}/default")
    assert (code, "events:CreateArchive" in message) == ("NotImplemented", True)
    code, message = refusal(
        events.put_targets, Rule="r", Targets=[{"Id": "t", "Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:s"}]
    )
    assert (code, "states" in message) == ("NotImplemented", True)


def test_a_pattern_is_tested(events):
    event = {
        "id": "i", "account": ACCOUNT, "source": "orders", "time": "2026-03-02T12:00:00Z", "region": "us-east-1",
        "resources": [], "detail-type": "order", "detail": {"amount": 11},
    }
    assert events.test_event_pattern(EventPattern=json.dumps(PATTERN), Event=json.dumps(event))["Result"]
    event["detail"]["amount"] = 9
    assert not events.test_event_pattern(EventPattern=json.dumps(PATTERN), Event=json.dumps(event))["Result"]


def test_the_command_line_puts_events(server, events):
    queue = Queue(server)
    rule(events, queue.arn)
    done = json.loads(server.aws("events", "put-events", "--entries", json.dumps([order()])))
    assert done["FailedEntryCount"] == 0
    assert [event["id"] for event in queue.bodies()] == [done["Entries"][0]["EventId"]]
    error = server.aws("events", "describe-rule", "--name", "none", fails=True)
    assert "An error occurred (ResourceNotFoundException) when calling the DescribeRule operation" in error


def test_a_stack_has_buses_and_rules(server, events):
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "b"}},
            "BusPolicy": {
                "Type": "AWS::Events::EventBusPolicy",
                "Properties": {"EventBusName": {"Ref": "Bus"}, "StatementId": "s", "Principal": "111111111111",
                               "Action": "events:PutEvents"},
            },
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventBusName": {"Ref": "Bus"}, "EventPattern": PATTERN,
                    "Targets": [{"Id": "t", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
                },
            },
            "Function": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "Runtime": "provided.al2023", "Handler": "bootstrap",
                    "CodeUri": {"Bucket": "garoa-local-code", "Key": "f"},
                    "Events": {
                        "Order": {"Type": "EventBridgeRule", "Properties": {"Pattern": PATTERN}},
                        "Tick": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 hour)"}},
                    },
                },
            },
        },
    }
    stacks = server.client("cloudformation")
    stacks.create_stack(StackName="s", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
    stacks.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    [on_bus] = events.list_rules(EventBusName="b")["Rules"]
    assert json.loads(on_bus["EventPattern"]) == PATTERN
    assert "111111111111" in events.describe_event_bus(Name="b")["Policy"]
    rules = events.list_rules()["Rules"]
    assert sorted(rule.get("ScheduleExpression", "pattern") for rule in rules) == ["pattern", "rate(1 hour)"]
    events.put_events(Entries=[order(EventBusName="b")])
    url = server.client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
    assert len(server.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]) == 1
    stacks.delete_stack(StackName="s")
    stacks.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default"]
