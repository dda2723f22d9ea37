"""A network by a template: what Amazon EC2 has of it, and a function in it."""

import json

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, REGION, refusal

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ZONES = {"Fn::GetAZs": ""}
BLOCKS = {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 4, 8]}


def kind(name, **properties):
    return {"Type": f"AWS::EC2::{name}", "Properties": properties}


def ref(name):
    return {"Ref": name}


def subnet(number):
    return kind(
        "Subnet", VpcId=ref("Vpc"), CidrBlock={"Fn::Select": [number, BLOCKS]},
        AvailabilityZone={"Fn::Select": [number, ZONES]},
    )


def template(**more):
    return {
        "Resources": {
            "Vpc": kind(
                "VPC", CidrBlock="10.0.0.0/16", EnableDnsHostnames="true", Tags=[{"Key": "Name", "Value": "pix"}]
            ),
            "One": subnet(0),
            "Two": subnet(1),
            "Gateway": kind("InternetGateway"),
            "Attached": kind("VPCGatewayAttachment", VpcId=ref("Vpc"), InternetGatewayId=ref("Gateway")),
            "Table": kind("RouteTable", VpcId=ref("Vpc")),
            "Route": kind(
                "Route", RouteTableId=ref("Table"), DestinationCidrBlock="0.0.0.0/0", GatewayId=ref("Gateway")
            ) | {"DependsOn": "Attached"},
            "OneToTable": kind("SubnetRouteTableAssociation", SubnetId=ref("One"), RouteTableId=ref("Table")),
            "Ip": kind("EIP", Domain="vpc") | {"DependsOn": "Attached"},
            "Nat": kind("NatGateway", SubnetId=ref("One"), AllocationId={"Fn::GetAtt": ["Ip", "AllocationId"]}),
            "Group": kind(
                "SecurityGroup", GroupDescription="of the function", VpcId=ref("Vpc"),
                SecurityGroupIngress=[{"IpProtocol": "tcp", "FromPort": "443", "ToPort": 443, "CidrIp": "10.0.0.0/8"}],
            ),
            "Itself": kind(
                "SecurityGroupIngress", GroupId=ref("Group"), IpProtocol="-1", SourceSecurityGroupId=ref("Group")
            ),
            "Out": kind(
                "SecurityGroupEgress", GroupId=ref("Group"), IpProtocol="udp", FromPort=53, ToPort=53, CidrIp="10.0.0.2/32"
            ),
            "Buckets": kind(
                "VPCEndpoint", VpcId=ref("Vpc"), RouteTableIds=[ref("Table")],
                ServiceName={"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"},
            ),
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "inside", "Runtime": "python3.12", "Handler": "index.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"ZipFile": "def handler(event, context):\n    return 'here'\n"},
                    "VpcConfig": {
                        "SubnetIds": [ref("One"), ref("Two")],
                        "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}],
                    },
                },
            },
        } | more,
        "Outputs": {
            name: {"Value": ref(name)} for name in ["Vpc", "One", "Two", "Gateway", "Table", "Route", "Group", "Ip", "Nat", "Itself"]
        } | {"DefaultGroup": {"Value": {"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}}},
    }


@pytest.fixture
def server(start):
    return start("--interpreters", "nearest", "--iam", "off")


def put(server, operation, body):
    stacks = server.client("cloudformation")
    getattr(stacks, f"{operation}_stack")(StackName="net", TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_IAM"])
    stacks.get_waiter(f"stack_{operation}_complete").wait(StackName="net", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    [stack] = stacks.describe_stacks(StackName="net")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def test_a_function_in_a_network_of_a_template(server):
    ec2, functions = server.client("ec2"), server.client("lambda")
    told = put(server, "create", template())
    [vpc] = ec2.describe_vpcs(VpcIds=[told["Vpc"]])["Vpcs"]
    assert {"Key": "Name", "Value": "pix"} in vpc["Tags"]
    assert ec2.describe_vpc_attribute(VpcId=told["Vpc"], Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]
    subnets = ec2.describe_subnets(SubnetIds=[told["One"], told["Two"]])["Subnets"]
    assert {(subnet["CidrBlock"], subnet["AvailabilityZone"]) for subnet in subnets} == {
        ("10.0.0.0/24", f"{REGION}a"), ("10.0.1.0/24", f"{REGION}b"),
    }
    [table] = ec2.describe_route_tables(RouteTableIds=[told["Table"]])["RouteTables"]
    assert [route["State"] for route in table["Routes"]] == ["active"] * 3
    assert table["Associations"][0]["SubnetId"] == told["One"] and told["Route"] == f"{told['Table']}|0.0.0.0/0"
    [group] = ec2.describe_security_groups(GroupIds=[told["Group"]])["SecurityGroups"]
    assert sorted(rule["IpProtocol"] for rule in group["IpPermissions"]) == ["-1", "tcp"]
    assert sorted(rule["IpProtocol"] for rule in group["IpPermissionsEgress"]) == ["-1", "udp"]
    assert group["GroupName"].startswith("net-Group-") and told["DefaultGroup"].startswith("sg-")
    assert ec2.describe_addresses(PublicIps=[told["Ip"]])["Addresses"][0]["NetworkInterfaceId"].startswith("eni-")
    config = functions.get_function_configuration(FunctionName="inside")["VpcConfig"]
    assert config == {
        "SubnetIds": [told["One"], told["Two"]], "SecurityGroupIds": [told["Group"]], "VpcId": told["Vpc"],
        "Ipv6AllowedForDualStack": False,
    }
    assert json.load(functions.invoke(FunctionName="inside")["Payload"]) == "here"

    # Rules and tags change in place; the function leaves the network.
    changed = template()
    resources = changed["Resources"]
    resources["Group"]["Properties"]["SecurityGroupIngress"][0]["CidrIp"] = "10.0.0.0/16"
    resources["Vpc"]["Properties"]["Tags"] = [{"Key": "team", "Value": "pix"}]
    del resources["Function"]["Properties"]["VpcConfig"], resources["Itself"], changed["Outputs"]["Itself"]
    again = put(server, "update", changed)
    assert again["Vpc"] == told["Vpc"] and again["Group"] == told["Group"]
    [group] = ec2.describe_security_groups(GroupIds=[told["Group"]])["SecurityGroups"]
    assert [rule["IpRanges"] for rule in group["IpPermissions"]] == [[{"CidrIp": "10.0.0.0/16"}]]
    tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [told["Vpc"]]}])["Tags"]
    assert [(tag["Key"], tag["Value"]) for tag in tags if not tag["Key"].startswith("aws:")] == [("team", "pix")]
    config = functions.get_function_configuration(FunctionName="inside")["VpcConfig"]
    assert config["SubnetIds"] == [] and config["VpcId"] == ""

    stacks = server.client("cloudformation")
    stacks.delete_stack(StackName="net")
    stacks.get_waiter("stack_delete_complete").wait(StackName="net", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert len(ec2.describe_vpcs()["Vpcs"]) == 1 and ec2.describe_addresses()["Addresses"] == []


def zipped():
    import io
    import zipfile

    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return 1\n")
    return data.getvalue()


def test_a_function_needs_a_network_that_is_there(server):
    ec2, functions, s3 = server.client("ec2"), server.client("lambda"), server.client("s3")
    [subnet, *_] = ec2.describe_subnets()["Subnets"]
    [group] = ec2.describe_security_groups()["SecurityGroups"]
    here = {"SubnetIds": [subnet["SubnetId"]], "SecurityGroupIds": [group["GroupId"]]}
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="k", Body=zipped())
    common = {
        "Runtime": "python3.12", "Handler": "index.handler", "Role": f"arn:aws:iam::{ACCOUNT}:role/r",
    }
    for name, code in [("f", {"ZipFile": zipped()}), ("g", {"S3Bucket": "code", "S3Key": "k"})]:
        made = functions.create_function(FunctionName=name, Code=code, VpcConfig=here, **common)
        assert made["VpcConfig"]["VpcId"] == subnet["VpcId"] and made["State"] == "Pending"
    changed = functions.update_function_configuration(
        FunctionName="f", VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}
    )
    assert changed["VpcConfig"]["VpcId"] == ""
    changed = functions.update_function_configuration(FunctionName="f", VpcConfig=here)
    assert changed["VpcConfig"]["SubnetIds"] == here["SubnetIds"]

    def refused(**config):
        code, text = refusal(functions.update_function_configuration, FunctionName="f", VpcConfig=here | config)
        assert code == "InvalidParameterValueException"
        return text

    assert refused(SubnetIds=["subnet-1"]) == (
        "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. "
        "EC2 Error Message: The subnet ID 'subnet-1' does not exist"
    )
    assert refused(SecurityGroupIds=["sg-1"]) == (
        "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. "
        "EC2 Error Message: The security group 'sg-1' does not exist"
    )
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    filters = [{"Name": "vpc-id", "Values": [other]}]
    [stranger] = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    assert refused(SecurityGroupIds=[stranger["GroupId"]]) == "Security Groups are required to be in the same VPC."
    assert refused(SecurityGroupIds=[]) == "SubnetIds and SecurityIds must coexist or be both empty list."
    with pytest.raises(ClientError):
        functions.create_function(FunctionName="h", Code={"ZipFile": zipped()}, VpcConfig=here | {"SubnetIds": ["s-1"]}, **common)
