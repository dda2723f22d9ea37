"""AWS Lambda (restJson) with boto3."""

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/any"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.fixture
def functions(server):
    functions = server.client("lambda")
    functions.create_function(
        FunctionName="f", Runtime="provided.al2023", Handler="bootstrap", Role=ROLE, Code={"S3Bucket": "abc", "S3Key": "f"}
    )
    return functions


def test_a_function_lives_its_life(functions):
    assert functions.get_function(FunctionName=ARN)["Configuration"]["Timeout"] == 3
    functions.update_function_configuration(FunctionName="f", Timeout=60, Environment={"Variables": {"A1": "1"}})
    configuration = functions.get_function_configuration(FunctionName="f")
    assert (configuration["Timeout"], configuration["Environment"]) == (60, {"Variables": {"A1": "1"}})
    functions.get_waiter("function_active_v2").wait(FunctionName="f")
    assert [f["FunctionName"] for f in functions.list_functions()["Functions"]] == ["f"]
    functions.delete_function(FunctionName="f")
    with pytest.raises(functions.exceptions.ResourceNotFoundException) as missing:
        functions.get_function(FunctionName="f")
    assert missing.value.response["Error"]["Message"] == f"Function not found: {ARN}"


def test_a_function_is_tagged(functions):
    functions.tag_resource(Resource=ARN, Tags={"team": "pix", "stage": "test"})
    functions.untag_resource(Resource=ARN, TagKeys=["stage"])
    assert functions.list_tags(Resource=ARN)["Tags"] == {"team": "pix"}


def test_a_name_is_taken_once(functions):
    with pytest.raises(functions.exceptions.ResourceConflictException) as taken:
        functions.create_function(
            FunctionName="f", Runtime="python3.13", Handler="a.b", Role=ROLE, Code={"S3Bucket": "abc", "S3Key": "f"}
        )
    assert taken.value.response["Error"]["Message"] == "Function already exist: f"


def test_code_that_is_not_in_this_process_is_refused_loudly(functions):
    answer = functions.invoke(FunctionName="f", Payload=b"{}")
    assert answer["FunctionError"] == "Unhandled"
    assert b"Garoa has no code for the function f" in answer["Payload"].read()


def test_an_event_that_is_no_json_is_refused(functions):
    with pytest.raises(ClientError) as refused:
        functions.invoke(FunctionName="f", Payload=b"{")
    assert refused.value.response["Error"]["Code"] == "InvalidRequestContentException"


@pytest.mark.parametrize(("timeout", "bound"), [(0, "greater than or equal to 1"), (901, "less than or equal to 900")])
def test_constraints_are_checked_in_awss_words(server, functions, timeout, bound):
    functions = server.client("lambda", parameter_validation=False)
    with pytest.raises(ClientError) as refused:
        functions.update_function_configuration(FunctionName="f", Timeout=timeout)
    assert refused.value.response["Error"]["Message"] == (
        f"1 validation error detected: Value '{timeout}' at 'timeout' failed to satisfy constraint: "
        f"Member must have value {bound}"
    )
