"""Amazon EC2's networking: the default VPC, what is made beside it, and what is refused."""

import json

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, REGION, refusal

# What the resource lists, save images, of which the model's collection lists everybody's.
COLLECTIONS = [
    "classic_addresses", "dhcp_options_sets", "instances", "internet_gateways", "key_pairs", "network_acls",
    "network_interfaces", "placement_groups", "route_tables", "security_groups", "snapshots", "subnets", "volumes",
    "vpc_addresses", "vpc_peering_connections", "vpcs",
]


@pytest.fixture
def ec2(server):
    return server.client("ec2")


@pytest.fixture
def vpc(ec2):
    return ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def of(vpc):
    return [{"Name": "vpc-id", "Values": [vpc]}]


def named(value, kind):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": value}]}]


def test_a_region_begins_with_a_default_vpc(ec2):
    [vpc] = ec2.describe_vpcs()["Vpcs"]
    assert vpc["CidrBlock"] == "172.31.0.0/16" and vpc["IsDefault"] and vpc["State"] == "available"
    assert vpc["OwnerId"] == ACCOUNT and "Tags" not in vpc
    [options] = ec2.describe_dhcp_options(DhcpOptionsIds=[vpc["DhcpOptionsId"]])["DhcpOptions"]
    assert {one["Key"]: [value["Value"] for value in one["Values"]] for one in options["DhcpConfigurations"]} == {
        "domain-name": ["ec2.internal"], "domain-name-servers": ["AmazonProvidedDNS"],
    }
    subnets = ec2.describe_subnets()["Subnets"]
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert sorted(subnet["AvailabilityZone"] for subnet in subnets) == [zone["ZoneName"] for zone in zones]
    assert all(subnet["DefaultForAz"] and subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    assert {subnet["AvailableIpAddressCount"] for subnet in subnets} == {4091}
    [group] = ec2.describe_security_groups()["SecurityGroups"]
    assert group["GroupName"] == "default" and group["Description"] == "default VPC security group"
    assert group["IpPermissions"] == [{
        "IpProtocol": "-1", "UserIdGroupPairs": [{"UserId": ACCOUNT, "GroupId": group["GroupId"]}],
        "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [],
    }]
    [gateway] = ec2.describe_internet_gateways()["InternetGateways"]
    assert gateway["Attachments"] == [{"State": "available", "VpcId": vpc["VpcId"]}]
    [table] = ec2.describe_route_tables()["RouteTables"]
    assert table["Associations"][0]["Main"] is True
    assert [(route["DestinationCidrBlock"], route["GatewayId"], route["State"]) for route in table["Routes"]] == [
        ("172.31.0.0/16", "local", "active"), ("0.0.0.0/0", gateway["InternetGatewayId"], "active"),
    ]
    [acl] = ec2.describe_network_acls()["NetworkAcls"]
    assert acl["IsDefault"] and len(acl["Associations"]) == len(subnets) and len(acl["Entries"]) == 4


def test_each_account_and_region_has_its_own(server, ec2):
    mine = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    others = server.client("ec2", key="111122223333").describe_vpcs()["Vpcs"]
    assert len(others) == 1 and others[0]["VpcId"] != mine and others[0]["OwnerId"] == "111122223333"
    west = server.session().client("ec2", endpoint_url=server.url, region_name="us-west-2")
    assert west.describe_vpcs()["Vpcs"][0]["VpcId"] != mine
    assert {zone["ZoneId"] for zone in west.describe_availability_zones()["AvailabilityZones"]} == {
        "usw2-az1", "usw2-az2", "usw2-az3",
    }
    regions = ec2.describe_regions(Filters=[{"Name": "region-name", "Values": ["us-*"]}])["Regions"]
    assert [region["RegionName"] for region in regions] == ["us-east-1", "us-east-2", "us-west-1", "us-west-2"]
    assert len(ec2.describe_regions(AllRegions=True)["Regions"]) > len(ec2.describe_regions()["Regions"])


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_collection_of_the_resource_is_listed(server, name):
    resource = server.session().resource("ec2", endpoint_url=server.url)
    empty = {
        "key_pairs", "snapshots", "volumes", "vpc_peering_connections", "vpc_addresses", "classic_addresses", "instances",
        "network_interfaces", "placement_groups",
    }
    found = list(getattr(resource, name).limit(5))
    assert bool(found) == (name not in empty), found


def test_what_is_not_offered_is_refused_by_name(server, ec2):
    assert refusal(ec2.run_instances, ImageId="ami-1", MinCount=1, MaxCount=1) == (
        "NotImplemented", "Garoa does not implement the operation ec2:RunInstances",
    )
    code, text = refusal(ec2.create_vpc, CidrBlock="10.0.0.0/16", Ipv4IpamPoolId="ipam-pool-1")
    assert code == "NotImplemented" and "Ipv4IpamPoolId" in text
    assert refusal(ec2.describe_vpcs, Filters=[{"Name": "no-such", "Values": ["a"]}]) == (
        "InvalidParameterValue", "The filter 'no-such' is invalid",
    )
    assert refusal(ec2.describe_vpcs, VpcIds=["vpc-1"]) == (
        "InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist",
    )
    assert refusal(ec2.describe_instances, InstanceIds=["i-1"])[0] == "InvalidInstanceID.NotFound"
    lax = server.client("ec2", parameter_validation=False)
    assert refusal(lax.describe_vpcs, MaxResults=1) == (
        "InvalidParameterValue", "Value ( 1 ) for parameter maxResults is invalid. Expecting a value greater than 5.",
    )


def test_a_dry_run_changes_nothing(ec2):
    with pytest.raises(ClientError) as refused:
        ec2.create_vpc(CidrBlock="10.0.0.0/16", DryRun=True)
    assert refused.value.response["Error"] == {
        "Code": "DryRunOperation", "Message": "Request would have succeeded, but DryRun flag is set.",
    }
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert len(ec2.describe_vpcs()["Vpcs"]) == 1


def test_a_vpc_is_made_changed_and_deleted(ec2):
    made = ec2.create_vpc(CidrBlock="10.1.2.3/16", TagSpecifications=named("a", "vpc"))["Vpc"]
    assert made["CidrBlock"] == "10.1.0.0/16" and made["State"] == "pending" and not made["IsDefault"]
    assert made["Tags"] == [{"Key": "Name", "Value": "a"}]
    vpc = made["VpcId"]
    ec2.get_waiter("vpc_available").wait(VpcIds=[vpc], WaiterConfig={"Delay": 1, "MaxAttempts": 2})
    ec2.get_waiter("vpc_exists").wait(VpcIds=[vpc], WaiterConfig={"Delay": 1, "MaxAttempts": 2})
    assert ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["?"]}])["Vpcs"] == [made | {"State": "available"}]
    attribute = lambda name: ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)
    assert attribute("enableDnsSupport")["EnableDnsSupport"] == {"Value": True}
    assert attribute("enableDnsHostnames")["EnableDnsHostnames"] == {"Value": False}
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    assert attribute("enableDnsHostnames")["EnableDnsHostnames"] == {"Value": True}
    [group] = ec2.describe_security_groups(Filters=of(vpc))["SecurityGroups"]
    assert refusal(ec2.delete_security_group, GroupId=group["GroupId"])[0] == "CannotDelete"
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    assert refusal(ec2.delete_vpc, VpcId=vpc) == (
        "DependencyViolation", f"The vpc '{vpc}' has dependencies and cannot be deleted.",
    )
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)
    for listing in [ec2.describe_security_groups, ec2.describe_route_tables, ec2.describe_network_acls]:
        assert [value for key, value in listing(Filters=of(vpc)).items() if key != "ResponseMetadata"] == [[]]
    assert refusal(ec2.delete_vpc, VpcId=vpc)[0] == "InvalidVpcID.NotFound"
    assert refusal(ec2.create_vpc, CidrBlock="10.0.0.0/8") == ("InvalidVpc.Range", "The CIDR '10.0.0.0/8' is invalid.")
    assert refusal(ec2.create_vpc, CidrBlock="10.0.0/8")[0] == "InvalidParameterValue"
    assert refusal(ec2.create_vpc) == ("MissingParameter", "The request must contain the parameter cidrBlock")


def test_subnets_keep_out_of_each_other(ec2, vpc):
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=f"{REGION}b")["Subnet"]
    assert made["AvailableIpAddressCount"] == 251 and made["AvailabilityZoneId"] == "use1-az2"
    assert made["SubnetArn"] == f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/{made['SubnetId']}"
    create = ec2.create_subnet
    assert refusal(create, VpcId=vpc, CidrBlock="10.0.1.128/25") == (
        "InvalidSubnet.Conflict", "The CIDR '10.0.1.128/25' conflicts with another subnet",
    )
    assert refusal(create, VpcId=vpc, CidrBlock="10.1.0.0/24")[0] == "InvalidSubnet.Range"
    assert refusal(create, VpcId=vpc, CidrBlock="10.0.2.0/29")[0] == "InvalidSubnet.Range"
    assert refusal(create, VpcId=vpc, CidrBlock="10.0.2.0/24", AvailabilityZone="eu-west-1a")[0] == "InvalidParameterValue"
    assert refusal(create, VpcId="vpc-1", CidrBlock="10.0.2.0/24")[0] == "InvalidVpcID.NotFound"
    ec2.modify_subnet_attribute(SubnetId=made["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    [changed] = ec2.describe_subnets(Filters=[*of(vpc), {"Name": "map-public-ip-on-launch", "Values": ["true"]}])["Subnets"]
    assert changed == made | {"MapPublicIpOnLaunch": True}
    for number in range(2, 13):
        create(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")
    pages = list(ec2.get_paginator("describe_subnets").paginate(Filters=of(vpc), PaginationConfig={"PageSize": 5}))
    assert [len(page["Subnets"]) for page in pages] == [5, 5, 2]
    assert len({subnet["SubnetId"] for page in pages for subnet in page["Subnets"]}) == 12


def test_rules_of_security_groups(ec2, vpc):
    made = ec2.create_security_group(
        GroupName="web", Description="the web", VpcId=vpc, TagSpecifications=named("w", "security-group")
    )
    web = made["GroupId"]
    assert made["SecurityGroupArn"].endswith(f":security-group/{web}")
    assert refusal(ec2.create_security_group, GroupName="web", Description="d", VpcId=vpc) == (
        "InvalidGroup.Duplicate", f"The security group 'web' already exists for VPC '{vpc}'",
    )
    api = ec2.create_security_group(GroupName="api", Description="the api", VpcId=vpc)["GroupId"]
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    rules = ec2.authorize_security_group_ingress(
        GroupId=web,
        IpPermissions=[https | {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "office"}, {"CidrIp": "0.0.0.0/0"}]}],
        TagSpecifications=named("r", "security-group-rule"),
    )["SecurityGroupRules"]
    assert [(rule["CidrIpv4"], rule.get("Description"), rule["IsEgress"]) for rule in rules] == [
        ("10.0.0.0/8", "office", False), ("0.0.0.0/0", None, False),
    ]
    assert rules[0]["Tags"] == [{"Key": "Name", "Value": "r"}]
    assert refusal(ec2.authorize_security_group_ingress, GroupId=web, CidrIp="0.0.0.0/0", **https) == (
        "InvalidPermission.Duplicate",
        'the specified rule "peer: 0.0.0.0/0, TCP, from port: 443, to port: 443, ALLOW" already exists',
    )
    ec2.authorize_security_group_egress(
        GroupId=web, IpPermissions=[https | {"UserIdGroupPairs": [{"GroupId": api}]}]
    )
    [group] = ec2.describe_security_groups(Filters=[{"Name": "ip-permission.cidr", "Values": ["10.*"]}])["SecurityGroups"]
    assert group["GroupId"] == web and len(group["IpPermissions"][0]["IpRanges"]) == 2
    assert len(group["IpPermissionsEgress"]) == 2
    assert refusal(ec2.delete_security_group, GroupId=api) == (
        "DependencyViolation", f"resource {api} has a dependent object",
    )
    ec2.revoke_security_group_egress(GroupId=web, IpPermissions=[https | {"UserIdGroupPairs": [{"GroupId": api}]}])
    gone = ec2.revoke_security_group_ingress(GroupId=web, SecurityGroupRuleIds=[rules[0]["SecurityGroupRuleId"]])
    assert gone["RevokedSecurityGroupRules"][0]["CidrIpv4"] == "10.0.0.0/8"
    assert refusal(ec2.revoke_security_group_ingress, GroupId=web, CidrIp="1.2.3.4/32", **https)[0] == (
        "InvalidPermission.NotFound"
    )
    listed = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [web]}])["SecurityGroupRules"]
    assert sorted(rule["IpProtocol"] for rule in listed) == ["-1", "tcp"]
    ec2.delete_security_group(GroupId=api)
    assert refusal(ec2.describe_security_groups, GroupIds=[api]) == (
        "InvalidGroup.NotFound", f"The security group '{api}' does not exist",
    )
    wrong = lambda **rule: refusal(ec2.authorize_security_group_ingress, GroupId=web, CidrIp="0.0.0.0/0", **rule)[1]
    assert wrong(IpProtocol="tcp", FromPort=2, ToPort=1) == "Invalid TCP/UDP port range (2:1)"
    assert "Unknown protocol" in wrong(IpProtocol="smoke")
    assert refusal(ec2.authorize_security_group_ingress, GroupId="web", CidrIp="0.0.0.0/0", **https)[0] == (
        "InvalidGroupId.Malformed"
    )


def test_routes_to_the_internet(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    assert refusal(ec2.create_route, GatewayId=gateway, **route)[1] == (
        f"route table {table} and network gateway {gateway} belong to different networks"
    )
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert refusal(ec2.attach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)[0] == "Resource.AlreadyAssociated"
    assert ec2.create_route(GatewayId=gateway, **route)["Return"] is True
    other = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert refusal(ec2.attach_internet_gateway, InternetGatewayId=other, VpcId=vpc)[0] == "InvalidParameterValue"
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    assert refusal(ec2.delete_route_table, RouteTableId=table)[0] == "DependencyViolation"
    [found] = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["RouteTables"]
    assert found["RouteTableId"] == table and len(found["Routes"]) == 2
    assert refusal(ec2.delete_route, RouteTableId=table, DestinationCidrBlock="10.0.0.0/16")[0] == "InvalidParameterValue"
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    state = lambda: ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"][1]["State"]
    assert state() == "blackhole"
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert state() == "active"
    assert refusal(ec2.delete_internet_gateway, InternetGatewayId=gateway)[0] == "DependencyViolation"
    ec2.disassociate_route_table(AssociationId=association)
    ec2.delete_route(**route)
    assert refusal(ec2.delete_route, **route)[0] == "InvalidRoute.NotFound"
    ec2.delete_route_table(RouteTableId=table)


def test_a_nat_gateway_has_an_address_and_an_interface(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc")
    wanted = {"SubnetId": subnet, "AllocationId": address["AllocationId"]}
    assert refusal(ec2.create_nat_gateway, **wanted)[0] == "Gateway.NotAttached"
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    nat = ec2.create_nat_gateway(**wanted)["NatGateway"]
    assert nat["State"] == "pending" and nat["NatGatewayAddresses"][0]["PublicIp"] == address["PublicIp"]
    id = nat["NatGatewayId"]
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[id], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    [interface] = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet]}])["NetworkInterfaces"]
    assert interface["InterfaceType"] == "nat_gateway" and interface["Association"]["PublicIp"] == address["PublicIp"]
    assert ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"] == 250
    assert refusal(ec2.release_address, AllocationId=address["AllocationId"])[0] == "InvalidIPAddress.InUse"
    assert refusal(ec2.delete_subnet, SubnetId=subnet)[0] == "DependencyViolation"
    assert ec2.delete_nat_gateway(NatGatewayId=id)["NatGatewayId"] == id
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[id], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    ec2.release_address(AllocationId=address["AllocationId"])
    assert refusal(ec2.describe_addresses, PublicIps=[address["PublicIp"]])[0] == "InvalidAddress.NotFound"
    ec2.delete_subnet(SubnetId=subnet)


def test_endpoints_are_gateways_or_interfaces(ec2, vpc):
    table = ec2.describe_route_tables(Filters=of(vpc))["RouteTables"][0]["RouteTableId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[table])["VpcEndpoint"]
    assert made["VpcEndpointType"] == "Gateway" and made["State"] == "available"
    assert json.loads(made["PolicyDocument"])["Statement"][0]["Effect"] == "Allow"
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert routes[1]["GatewayId"] == made["VpcEndpointId"] and routes[1]["DestinationPrefixListId"].startswith("pl-")
    sqs = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.sqs", VpcEndpointType="Interface", SubnetIds=[subnet]
    )["VpcEndpoint"]
    assert sqs["State"] == "pending" and len(sqs["NetworkInterfaceIds"]) == 1 and sqs["Groups"][0]["GroupName"] == "default"
    ec2.modify_vpc_endpoint(VpcEndpointId=sqs["VpcEndpointId"], RemoveSubnetIds=[subnet])
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert refusal(ec2.create_vpc_endpoint, VpcId=vpc, ServiceName="com.amazonaws.mars.s3") == (
        "InvalidServiceName", "The Vpc Endpoint Service 'com.amazonaws.mars.s3' does not exist",
    )
    failed = ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"], "vpce-1"])["Unsuccessful"]
    assert [(one["ResourceId"], one["Error"]["Code"]) for one in failed] == [("vpce-1", "InvalidVpcEndpointId.NotFound")]


def test_peerings_wait_until_they_are_accepted(ec2, vpc):
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)["VpcPeeringConnection"]
    id = made["VpcPeeringConnectionId"]
    status = lambda: ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[id])["VpcPeeringConnections"][0]["Status"]
    assert made["Status"]["Code"] == "initiating-request" and status()["Code"] == "pending-acceptance"
    assert refusal(ec2.delete_vpc, VpcId=other)[0] == "DependencyViolation"
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=id)
    assert status() == {"Code": "active", "Message": "Active"}
    assert refusal(ec2.reject_vpc_peering_connection, VpcPeeringConnectionId=id)[0] == "InvalidStateTransition"
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=id)
    ec2.get_waiter("vpc_peering_connection_deleted").wait(VpcPeeringConnectionIds=[id])
    same = ec2.create_vpc(CidrBlock="10.0.0.0/20")["Vpc"]["VpcId"]
    failed = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=same)["VpcPeeringConnection"]
    assert failed["Status"]["Code"] == "failed"


def test_tags_are_found_by_what_they_are_on(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", TagSpecifications=named("s", "subnet"))["Subnet"]["SubnetId"]
    ec2.create_tags(Resources=[vpc, subnet], Tags=[{"Key": "team", "Value": "pix"}, {"Key": "Name", "Value": "n"}])
    tags = lambda **filters: {
        (tag["ResourceId"], tag["ResourceType"], tag["Key"], tag["Value"])
        for tag in ec2.describe_tags(Filters=[{"Name": name, "Values": [value]} for name, value in filters.items()])["Tags"]
    }
    assert tags(key="team") == {(vpc, "vpc", "team", "pix"), (subnet, "subnet", "team", "pix")}
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "team", "Value": "other"}, {"Key": "Name"}])
    assert tags(value="*") == {
        (vpc, "vpc", "team", "pix"), (subnet, "subnet", "team", "pix"), (subnet, "subnet", "Name", "n"),
    }
    assert refusal(ec2.create_tags, Resources=["vpc-1"], Tags=[{"Key": "a"}])[0] == "InvalidID"
    assert refusal(ec2.create_tags, Resources=[vpc], Tags=[{"Key": "aws:a"}])[0] == "InvalidParameterValue"
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_tags(Resources=[vpc])
    assert tags(value="*") == set()


def test_volumes_and_snapshots_are_records(ec2):
    made = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=8, VolumeType="gp3")
    assert made["State"] == "creating" and made["Iops"] == 3000
    volume = made["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    snapshot = ec2.create_snapshot(VolumeId=volume, Description="d")
    assert snapshot["State"] == "pending"
    ec2.get_waiter("snapshot_completed").wait(
        SnapshotIds=[snapshot["SnapshotId"]], WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    assert len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 1
    assert ec2.describe_snapshots(OwnerIds=["amazon"])["Snapshots"] == []
    copy = ec2.create_volume(AvailabilityZone=f"{REGION}b", SnapshotId=snapshot["SnapshotId"])
    assert copy["Size"] == 8 and copy["VolumeType"] == "gp2"
    ec2.delete_volume(VolumeId=volume)
    ec2.get_waiter("volume_deleted").wait(VolumeIds=[volume])
    ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
    assert refusal(ec2.delete_snapshot, SnapshotId=snapshot["SnapshotId"]) == (
        "InvalidSnapshot.NotFound", f"The snapshot '{snapshot['SnapshotId']}' does not exist.",
    )
    assert refusal(ec2.create_volume, AvailabilityZone="us-east-1z", Size=1)[0] == "InvalidZone.NotFound"
    assert refusal(ec2.create_volume, AvailabilityZone=f"{REGION}a", Size=1, VolumeType="st1")[0] == "InvalidParameterValue"


def test_dhcp_options_and_keys(ec2, vpc):
    options = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["example.com"]}])["DhcpOptions"]
    ec2.associate_dhcp_options(DhcpOptionsId=options["DhcpOptionsId"], VpcId=vpc)
    assert refusal(ec2.delete_dhcp_options, DhcpOptionsId=options["DhcpOptionsId"])[0] == "DependencyViolation"
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=options["DhcpOptionsId"])
    key = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBbRqQGOxHLqYJhmbyiMtHBLbZc8R0ny0p0NMO9Qp8uD me"
    made = ec2.import_key_pair(KeyName="me", PublicKeyMaterial=key)
    [found] = ec2.describe_key_pairs(KeyNames=["me"])["KeyPairs"]
    assert found["KeyPairId"] == made["KeyPairId"] and found["KeyType"] == "ed25519"
    assert refusal(ec2.import_key_pair, KeyName="me", PublicKeyMaterial=key)[0] == "InvalidKeyPair.Duplicate"
    assert refusal(ec2.import_key_pair, KeyName="you", PublicKeyMaterial=b"a")[0] == "InvalidKey.Format"
    ec2.delete_key_pair(KeyName="me")
    assert refusal(ec2.describe_key_pairs, KeyNames=["me"]) == (
        "InvalidKeyPair.NotFound", "The key pair 'me' does not exist",
    )


def test_permissions_are_asked_in_ec2_s_words(start):
    server = start("--iam", "enforce")
    iam = server.client("iam")
    iam.create_user(UserName="u")
    statement = [
        {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"},
        {"Effect": "Allow", "Action": "ec2:DeleteVpc", "Resource": "*",
         "Condition": {"StringEquals": {"aws:ResourceTag/team": "pix"}}},
    ]
    iam.put_user_policy(
        UserName="u", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement})
    )
    pair = iam.create_access_key(UserName="u")["AccessKey"]
    user = server.client("ec2", pair["AccessKeyId"], pair["SecretAccessKey"])
    [vpc] = user.describe_vpcs()["Vpcs"]
    code, text = refusal(user.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True)
    assert code == "UnauthorizedOperation"
    assert text.startswith("You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/u")
    assert refusal(user.delete_vpc, VpcId=vpc["VpcId"], DryRun=True)[0] == "UnauthorizedOperation"
    server.client("ec2").create_tags(Resources=[vpc["VpcId"]], Tags=[{"Key": "team", "Value": "pix"}])
    assert refusal(user.delete_vpc, VpcId=vpc["VpcId"], DryRun=True)[0] == "DryRunOperation"


def test_the_network_is_saved_and_reset(server, ec2, vpc):
    assert len(ec2.describe_vpcs()["Vpcs"]) == 2
    first = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    server.admin("POST", "reset")
    # The ids follow from the seed of the run.
    assert [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]] == [first]
