"""AWS Lambda (restJson) with boto3."""

import io
import zipfile

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/any"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


def archive():
    """An empty archive."""
    whole = io.BytesIO()
    zipfile.ZipFile(whole, "w").close()
    return whole.getvalue()


@pytest.fixture
def functions(server):
    functions = server.client("lambda")
    functions.create_function(
        FunctionName="f", Runtime="provided.al2023", Handler="bootstrap", Role=ROLE, Code={"ZipFile": archive()}
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
            FunctionName="f", Runtime="python3.13", Handler="a.b", Role=ROLE, Code={"ZipFile": archive()}
        )
    assert taken.value.response["Error"]["Message"] == "Function already exist: f"


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


def test_a_function_has_no_signed_code_which_terraform_asks_for(functions):
    assert "CodeSigningConfigArn" not in functions.get_function_code_signing_config(FunctionName="f")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_function_code_signing_config(FunctionName="none")
