"""Stacks with resource types and SAM properties that have little in common but that each makes something of a service."""

import json
import sys
import time

import pytest
from botocore.exceptions import WaiterError

ROLE = "arn:aws:iam::123456789012:role/any"
PYTHON = f"python3.{sys.version_info.minor}"


class Stack:
    """A stack that is made, updated and deleted."""

    def __init__(self, server):
        self.client = server.client("cloudformation")

    def deploy(self, resources, outputs=None, operation="create", **more):
        template = {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in (outputs or {}).items()}, **more}
        template = {key: value for key, value in template.items() if value}
        call = {"create": self.client.create_stack, "update": self.client.update_stack}[operation]
        call(StackName="s", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"])
        self.wait(f"stack_{operation}_complete")
        [stack] = self.client.describe_stacks(StackName="s")["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def wait(self, waiter):
        try:
            self.client.get_waiter(waiter).wait(StackName="s", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
        except WaiterError as error:
            events = self.client.describe_stack_events(StackName="s")["StackEvents"]
            raise AssertionError([event.get("ResourceStatusReason") for event in events]) from error

    def delete(self):
        self.client.delete_stack(StackName="s")
        self.wait("stack_delete_complete")

    def ids(self, kind):
        found = self.client.list_stack_resources(StackName="s")["StackResourceSummaries"]
        return [one["LogicalResourceId"] for one in found if one["ResourceType"] == kind]


@pytest.fixture
def stack(server):
    return Stack(server)


def test_domain_names_documentation_and_links_of_rest_apis(stack, server):
    def resources(stage, text):
        of = {"RestApiId": {"Ref": "Api"}}
        return {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "a"}},
            "Method": {"Type": "AWS::ApiGateway::Method", "Properties": {
                **of, "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "HttpMethod": "GET", "AuthorizationType": "NONE",
                "Integration": {"Type": "MOCK"}}},
            "Deployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Method", "Properties": of},
            **{name: {"Type": "AWS::ApiGateway::Stage", "Properties": {
                **of, "DeploymentId": {"Ref": "Deployment"}, "StageName": name}} for name in ("one", "two")},
            "Domain": {"Type": "AWS::ApiGateway::DomainName", "Properties": {
                "DomainName": "api.example.com", "RegionalCertificateArn": f"arn:aws:acm:us-east-1:123456789012:certificate/{text}",
                "EndpointConfiguration": {"Types": ["REGIONAL"]}, "Tags": [{"Key": "team", "Value": text}]}},
            "Mapping": {"Type": "AWS::ApiGateway::BasePathMapping", "Properties": {
                **of, "DomainName": {"Ref": "Domain"}, "BasePath": "v1", "Stage": {"Ref": stage}}},
            "Part": {"Type": "AWS::ApiGateway::DocumentationPart", "Properties": {
                **of, "Location": {"Type": "API"}, "Properties": json.dumps({"description": text})}},
            "Documented": {"Type": "AWS::ApiGateway::DocumentationVersion", "DependsOn": "Part", "Properties": {
                **of, "DocumentationVersion": "1", "Description": text}},
            "Link": {"Type": "AWS::ApiGateway::VpcLink", "Properties": {
                "Name": text, "TargetArns": ["arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/n/1"]}},
            "Empty": {"Type": "AWS::ApiGateway::Model", "Properties": {**of, "ContentType": "application/json", "Schema": {}}},
        }

    outputs = {
        "Api": {"Ref": "Api"}, "Regional": {"Fn::GetAtt": ["Domain", "RegionalDomainName"]},
        "Part": {"Fn::GetAtt": ["Part", "DocumentationPartId"]}, "Link": {"Ref": "Link"},
    }
    apis = server.client("apigateway")
    told = stack.deploy(resources("one", "a"), outputs)
    assert told["Regional"] == apis.get_domain_name(domainName="api.example.com")["regionalDomainName"]
    for stage, text, operation in [("one", "a", None), ("two", "b", "update")]:
        if operation:
            stack.deploy(resources(stage, text), outputs, operation)
        domain = apis.get_domain_name(domainName="api.example.com")
        assert domain["regionalCertificateArn"].endswith(text) and domain["tags"] == {"team": text}
        mapping = apis.get_base_path_mapping(domainName="api.example.com", basePath="v1")
        assert (mapping["restApiId"], mapping["stage"]) == (told["Api"], stage)
        part = apis.get_documentation_part(restApiId=told["Api"], documentationPartId=told["Part"])
        assert json.loads(part["properties"]) == {"description": text}
        assert apis.get_documentation_version(restApiId=told["Api"], documentationVersion="1")["description"] == text
        assert apis.get_vpc_link(vpcLinkId=told["Link"])["name"] == text
    stack.delete()
    assert apis.get_domain_names()["items"] == apis.get_vpc_links()["items"] == []


def test_domain_names_and_links_of_http_apis(stack, server):
    def resources(text):
        return {
            "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "a", "ProtocolType": "HTTP"}},
            "Stage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "$default"}},
            "Domain": {"Type": "AWS::ApiGatewayV2::DomainName", "Properties": {
                "DomainName": "http.example.com", "Tags": {text: "1"},
                "DomainNameConfigurations": [{"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/c"}]}},
            "Mapping": {"Type": "AWS::ApiGatewayV2::ApiMapping", "Properties": {
                "ApiId": {"Ref": "Api"}, "DomainName": {"Ref": "Domain"}, "Stage": {"Ref": "Stage"}, "ApiMappingKey": text}},
            "Link": {"Type": "AWS::ApiGatewayV2::VpcLink", "Properties": {"Name": text, "SubnetIds": ["subnet-1"], "Tags": {text: "1"}}},
        }

    outputs = {"Regional": {"Fn::GetAtt": ["Domain", "RegionalDomainName"]}, "Mapping": {"Ref": "Mapping"}, "Link": {"Ref": "Link"}}
    apis = server.client("apigatewayv2")
    for text, operation in [("a", "create"), ("b", "update")]:
        told = stack.deploy(resources(text), outputs, operation)
        domain = apis.get_domain_name(DomainName="http.example.com")
        assert domain["DomainNameConfigurations"][0]["ApiGatewayDomainName"] == told["Regional"]
        assert domain["Tags"] == {text: "1"}
        mapping = apis.get_api_mapping(DomainName="http.example.com", ApiMappingId=told["Mapping"])
        assert (mapping["Stage"], mapping["ApiMappingKey"]) == ("$default", text)
        link = apis.get_vpc_link(VpcLinkId=told["Link"])
        assert (link["Name"], link["Tags"]) == (text, {text: "1"})
    stack.delete()
    assert apis.get_domain_names()["Items"] == apis.get_vpc_links()["Items"] == []


def test_an_identity_provider_and_its_clients(stack, server):
    def resources(*clients):
        return {"P": {"Type": "AWS::IAM::OIDCProvider", "Properties": {
            "Url": "https://token.actions.githubusercontent.com", "ClientIdList": list(clients),
            "ThumbprintList": ["6938fd4d98bab03faadb97b34396831e3780aea1"], "Tags": [{"Key": "n", "Value": str(len(clients))}]}}}

    iam = server.client("iam")
    arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    assert stack.deploy(resources("sts.amazonaws.com"), {"Arn": {"Fn::GetAtt": ["P", "Arn"]}}) == {"Arn": arn}
    stack.deploy(resources("b", "c"), operation="update")
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert sorted(found["ClientIDList"]) == ["b", "c"] and found["Tags"] == [{"Key": "n", "Value": "2"}]
    stack.delete()
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_a_secret_is_rotated_by_schedule(stack, server):
    source = "def handler(event, context): pass"
    resources = {
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "secret", "SecretString": "s"}},
        "F": {"Type": "AWS::Lambda::Function", "Properties": {
            "Runtime": PYTHON, "Handler": "index.handler", "Role": ROLE, "Code": {"ZipFile": source},
            "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k", "FunctionName": "rotate"}},
        "Allowed": {"Type": "AWS::Lambda::Permission", "Properties": {
            "Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "F"}, "Principal": "secretsmanager.amazonaws.com"}},
        "Schedule": {"Type": "AWS::SecretsManager::RotationSchedule", "DependsOn": "Allowed", "Properties": {
            "SecretId": {"Ref": "Secret"}, "RotationLambdaARN": {"Fn::GetAtt": ["F", "Arn"]},
            "RotationRules": {"AutomaticallyAfterDays": 30}, "RotateImmediatelyOnUpdate": False}},
    }
    stack.deploy(resources)
    secret = server.client("secretsmanager").describe_secret(SecretId="secret")
    assert secret["RotationEnabled"] and secret["RotationRules"] == {"AutomaticallyAfterDays": 30}
    functions = server.client("lambda")
    assert functions.get_function_configuration(FunctionName="rotate")["KMSKeyArn"].endswith("key/k")
    del resources["Schedule"], resources["F"]["Properties"]["KmsKeyArn"]
    stack.deploy(resources, operation="update")
    assert not server.client("secretsmanager").describe_secret(SecretId="secret").get("RotationEnabled")
    assert "KMSKeyArn" not in functions.get_function_configuration(FunctionName="rotate")


def test_sam_publishes_each_change_and_events_invoke_the_alias(stack, server):
    def resources(answer):
        return {"F": {"Type": "AWS::Serverless::Function", "Properties": {
            "FunctionName": "f", "Runtime": PYTHON, "Handler": "index.handler", "AutoPublishAlias": "live",
            "VersionDescription": "published", "InlineCode": f"def handler(e, c): return {{'statusCode': 200, 'body': '{answer}'}}",
            "FunctionUrlConfig": {"AuthType": "NONE"},
            "Events": {
                "Get": {"Type": "Api", "Properties": {"Path": "/", "Method": "get"}},
                "Http": {"Type": "HttpApi", "Properties": {"Path": "/", "Method": "get"}},
                "Soon": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 hour)"}},
                "Queue": {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["Q", "Arn"]}}},
            }}}, "Q": {"Type": "AWS::SQS::Queue"}}

    outputs = {"Alias": {"Ref": "F.Alias"}, "Version": {"Fn::Sub": "${F.Version}"}}
    sam = {"Transform": "AWS::Serverless-2016-10-31"}
    functions = server.client("lambda")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    assert stack.deploy(resources("one"), outputs, **sam) == {"Alias": f"{arn}:live", "Version": f"{arn}:1"}
    assert stack.deploy(resources("two"), outputs, "update", **sam) == {"Alias": f"{arn}:live", "Version": f"{arn}:2"}
    answer = lambda place: json.loads(functions.invoke(FunctionName="f", Qualifier=place)["Payload"].read())["body"]
    # The version of the past is kept.
    assert [answer("1"), answer("2"), answer("live")] == ["one", "two", "two"]
    assert functions.get_function_configuration(FunctionName="f", Qualifier="1")["Description"] == "published"
    [mapping] = functions.list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionArn"] == f"{arn}:live"
    [rule] = server.client("events").list_rule_names_by_target(TargetArn=f"{arn}:live")["RuleNames"]
    assert rule.startswith("s-FSoon-")
    policy = json.loads(functions.get_policy(FunctionName="f", Qualifier="live")["Policy"])
    assert {statement["Resource"] for statement in policy["Statement"]} == {f"{arn}:live"} and len(policy["Statement"]) == 5
    assert functions.get_function_url_config(FunctionName="f", Qualifier="live")["FunctionArn"] == f"{arn}:live"
    rest = server.client("apigateway")
    [api] = rest.get_rest_apis()["items"]
    [root] = rest.get_resources(restApiId=api["id"])["items"]
    integration = rest.get_integration(restApiId=api["id"], resourceId=root["id"], httpMethod="GET")
    assert f"{arn}:live/invocations" in integration["uri"]
    assert stack.ids("AWS::Lambda::Alias") == ["FAliaslive"]
    [version] = stack.ids("AWS::Lambda::Version")
    assert version.startswith("FVersion") and len(version) == 18


def test_sam_functions_read_kinesis_and_logs(stack, server):
    source = "def handler(e, c): print('got', 'awslogs' in e, 'Records' in e)"
    resources = {
        "F": {"Type": "AWS::Serverless::Function", "Properties": {
            "FunctionName": "f", "Runtime": PYTHON, "Handler": "index.handler", "InlineCode": source,
            "Events": {
                "Stream": {"Type": "Kinesis", "Properties": {
                    "Stream": {"Fn::GetAtt": ["S", "Arn"]}, "StartingPosition": "TRIM_HORIZON", "BatchSize": 1}},
                "Logs": {"Type": "CloudWatchLogs", "Properties": {"LogGroupName": {"Ref": "G"}, "FilterPattern": "ERROR"}},
            }}},
        "S": {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": "stream", "ShardCount": 1}},
        "G": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "group"}},
    }
    stack.deploy(resources, Transform="AWS::Serverless-2016-10-31")
    logs = server.client("logs")
    logs.create_log_stream(logGroupName="group", logStreamName="s")
    event = {"timestamp": int(time.time() * 1000), "message": "ERROR"}
    logs.put_log_events(logGroupName="group", logStreamName="s", logEvents=[event])
    server.client("kinesis").put_record(StreamName="stream", PartitionKey="p", Data=b"x")
    for _ in range(100):
        try:
            found = logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="got")["events"]
        except logs.exceptions.ResourceNotFoundException:
            found = []
        if {event["message"].strip() for event in found} == {"got True False", "got False True"}:
            return
        time.sleep(0.1)
    raise AssertionError(found)


@pytest.mark.parametrize("write", [json.dumps, lambda document: f"# YAML\n{json.dumps(document)}"])
def test_a_rest_api_from_a_document_in_a_bucket(stack, server, write):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="apis")
    mock = {"type": "mock", "requestTemplates": {"application/json": "{}"}}
    document = {
        "openapi": "3.0.1", "info": {"title": "of the bucket", "version": "1"},
        "paths": {"/pets": {"get": {"responses": {}, "x-amazon-apigateway-integration": mock}}},
    }
    tag = s3.put_object(Bucket="apis", Key="api", Body=write(document))["ETag"]
    place = {"Bucket": "apis", "Key": "api", "ETag": tag}
    stack.deploy({"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"BodyS3Location": place}}})
    apis = server.client("apigateway")
    [api] = apis.get_rest_apis()["items"]
    assert api["name"] == "of the bucket"
    assert [one["path"] for one in apis.get_resources(restApiId=api["id"])["items"]] == ["/", "/pets"]


def test_a_table_streams_to_kinesis_as_long_as_the_template_says(stack, server):
    def resources(more):
        return {
            "S": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
            "T": {"Type": "AWS::DynamoDB::Table", "Properties": {
                "TableName": "table", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}], **more}},
        }

    dynamodb = server.client("dynamodb")

    def destinations():
        found = dynamodb.describe_kinesis_streaming_destination(TableName="table")["KinesisDataStreamDestinations"]
        return [(one["DestinationStatus"], one.get("ApproximateCreationDateTimePrecision")) for one in found]

    def until(wanted):
        for _ in range(100):
            if destinations() == wanted:
                return
            time.sleep(0.1)
        raise AssertionError(destinations())

    stream = {"StreamArn": {"Fn::GetAtt": ["S", "Arn"]}}
    stack.deploy(resources({"KinesisStreamSpecification": stream}))
    until([("ACTIVE", None)])
    finer = {**stream, "ApproximateCreationDateTimePrecision": "MICROSECOND"}
    stack.deploy(resources({"KinesisStreamSpecification": finer}), operation="update")
    until([("ACTIVE", "MICROSECOND")])
    stack.deploy(resources({}), operation="update")
    assert [status for status, _ in destinations()] == ["DISABLED"]
