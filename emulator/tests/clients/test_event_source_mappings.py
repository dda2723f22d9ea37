"""Event source mappings of AWS Lambda (restJson) with boto3: the control plane."""

import json

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/any"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"


@pytest.fixture
def functions(server):
    functions = server.client("lambda")
    functions.create_function(
        FunctionName="f", Runtime="provided.al2023", Handler="bootstrap", Role=ROLE,
        Code={"S3Bucket": "garoa-local-code", "S3Key": "f"},
    )
    server.client("sqs").create_queue(QueueName="q")
    return functions


def refusal(error):
    answer = error.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"]


def test_a_mapping_lives_its_life(functions):
    made = functions.create_event_source_mapping(EventSourceArn=QUEUE, FunctionName="f", Tags={"team": "mail"})
    uuid = made["UUID"]
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert made["State"] == "Creating"
    assert made["StateTransitionReason"] == "USER_INITIATED"
    assert (made["BatchSize"], made["MaximumBatchingWindowInSeconds"], made["FunctionResponseTypes"]) == (10, 0, [])
    assert made["FunctionArn"] == FUNCTION
    assert made["EventSourceMappingArn"] == f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{uuid}"
    assert functions.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"
    assert functions.list_tags(Resource=made["EventSourceMappingArn"])["Tags"] == {"team": "mail"}
    updated = functions.update_event_source_mapping(
        UUID=uuid,
        Enabled=False,
        BatchSize=100,
        MaximumBatchingWindowInSeconds=5,
        ScalingConfig={"MaximumConcurrency": 2},
        FunctionResponseTypes=["ReportBatchItemFailures"],
        FilterCriteria={"Filters": [{"Pattern": '{"body": {"a": [1]}}'}]},
    )
    assert updated["State"] == "Disabling"
    found = functions.get_event_source_mapping(UUID=uuid)
    assert (found["State"], found["BatchSize"], found["MaximumBatchingWindowInSeconds"]) == ("Disabled", 100, 5)
    assert found["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert found["FilterCriteria"] == {"Filters": [{"Pattern": '{"body": {"a": [1]}}'}]}
    cleared = functions.update_event_source_mapping(UUID=uuid, ScalingConfig={}, FilterCriteria={})
    assert "ScalingConfig" not in cleared and "FilterCriteria" not in cleared
    assert functions.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    with pytest.raises(functions.exceptions.ResourceNotFoundException) as missing:
        functions.get_event_source_mapping(UUID=uuid)
    assert refusal(missing)[1] == "The resource you requested does not exist."


def test_mappings_are_listed_by_source_and_function_in_pages(server, functions):
    sqs = server.client("sqs")
    for number in range(3):
        sqs.create_queue(QueueName=f"q{number}")
        functions.create_event_source_mapping(EventSourceArn=f"{QUEUE}{number}", FunctionName=FUNCTION, Enabled=False)
    pages = functions.get_paginator("list_event_source_mappings").paginate(FunctionName="f", PaginationConfig={"PageSize": 2})
    sizes = [len(page["EventSourceMappings"]) for page in pages]
    assert sizes == [2, 1]
    of_source = functions.list_event_source_mappings(EventSourceArn=f"{QUEUE}1")["EventSourceMappings"]
    assert [found["EventSourceArn"] for found in of_source] == [f"{QUEUE}1"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"FunctionName": "none"}, "Function does not exist"),
        ({"EventSourceArn": "arn:aws:s3:::bucket"}, "Unrecognized event source."),
        ({"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"),
        ({"StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
        ({"FilterCriteria": {"Filters": [{"Pattern": "simple string"}]}}, "Invalid filter pattern definition."),
        (
            {"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}},
            "Unsupported DestinationConfig parameter for given event source mapping type.",
        ),
    ],
)
def test_what_aws_refuses(functions, settings, message):
    with pytest.raises(functions.exceptions.InvalidParameterValueException) as refused:
        functions.create_event_source_mapping(**({"EventSourceArn": QUEUE, "FunctionName": "f"} | settings))
    assert refusal(refused) == ("InvalidParameterValueException", message)


def test_limits_of_the_model(server, functions):
    functions = server.client("lambda", parameter_validation=False)
    with pytest.raises(ClientError) as refused:
        functions.create_event_source_mapping(
            EventSourceArn=QUEUE, FunctionName="f", ScalingConfig={"MaximumConcurrency": 1}, BatchSize=10001
        )
    code, message = refusal(refused)
    assert code == "ValidationException"
    assert "less than or equal to 10000" in message and "greater than or equal to 2" in message


def test_a_function_reads_a_queue_once(functions):
    first = functions.create_event_source_mapping(EventSourceArn=QUEUE, FunctionName="f", Enabled=False)
    assert first["State"] == "Disabled"
    with pytest.raises(functions.exceptions.ResourceConflictException) as second:
        functions.create_event_source_mapping(EventSourceArn=QUEUE, FunctionName=FUNCTION)
    assert refusal(second)[1] == (
        f'An event source mapping with SQS arn (" {QUEUE} ") and function (" f ") already exists. '
        f"Please update or delete the existing mapping with UUID {first['UUID']}"
    )


def test_who_may_invoke_a_function(functions):
    added = functions.add_permission(
        FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::b"
    )
    statement = {
        "Sid": "s",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION,
        "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}},
    }
    assert json.loads(added["Statement"]) == statement
    policy = json.loads(functions.get_policy(FunctionName="f")["Policy"])
    assert policy == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}
    with pytest.raises(functions.exceptions.ResourceConflictException):
        functions.add_permission(FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    functions.remove_permission(FunctionName="f", StatementId="s")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_policy(FunctionName="f")
