"""Amazon ECR: repositories, of which none has images."""

import json

import pytest
from conftest import ACCOUNT, REGION, refusal

ARN = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/"
LIFECYCLE = json.dumps({
    "rules": [{
        "rulePriority": 1,
        "description": "images without a tag go after a fortnight",
        "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
        "action": {"type": "expire"},
    }]
})
POLICY = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{
        "Sid": "pull", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }],
})


@pytest.fixture
def ecr(server):
    return server.client("ecr")


def missing(name):
    return f"The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'"


def test_a_repository_is_made_shown_and_deleted(ecr):
    made = ecr.create_repository(repositoryName="team/api", tags=[{"Key": "team", "Value": "pix"}])["repository"]
    assert made["repositoryArn"] == ARN + "team/api"
    assert made["registryId"] == ACCOUNT
    assert made["repositoryUri"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/api"
    assert made["imageTagMutability"] == "MUTABLE"
    assert made["imageScanningConfiguration"] == {"scanOnPush": False}
    assert made["encryptionConfiguration"] == {"encryptionType": "AES256"}
    assert refusal(ecr.create_repository, repositoryName="team/api") == (
        "RepositoryAlreadyExistsException",
        f"The repository with name 'team/api' already exists in the registry with id '{ACCOUNT}'",
    )
    assert ecr.describe_repositories(repositoryNames=["team/api"])["repositories"] == [made]
    assert ecr.delete_repository(repositoryName="team/api", force=True)["repository"] == made
    gone = ("RepositoryNotFoundException", missing("team/api"))
    assert refusal(ecr.delete_repository, repositoryName="team/api") == gone
    assert refusal(ecr.describe_repositories, repositoryNames=["team/api"]) == gone


def test_repositories_come_in_pages(ecr):
    for number in range(5):
        ecr.create_repository(repositoryName=f"r{number}")
    pages = ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2})
    names = [[repository["repositoryName"] for repository in page["repositories"]] for page in pages]
    assert names == [["r0", "r1"], ["r2", "r3"], ["r4"]]


def test_what_is_wrong_is_told_in_the_words_of_ecr(ecr):
    code, text = refusal(ecr.create_repository, repositoryName="Team")
    assert code == "InvalidParameterException"
    start = "Invalid parameter at 'repositoryName' failed to satisfy constraint: "
    assert text.startswith(start + "'must satisfy regular expression '")
    ecr.create_repository(repositoryName="api")
    code, text = refusal(ecr.put_image_tag_mutability, repositoryName="api", imageTagMutability="SOMETIMES")
    assert code == "InvalidParameterException"
    start = "Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'Member must satisfy enum value set: ["
    assert text.startswith(start)
    assert refusal(ecr.list_tags_for_resource, resourceArn="api") == (
        "InvalidParameterException", "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'"
    )
    text = "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: " \
        "'ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as MUTABLE_WITH_EXCLUSION'"
    refused = refusal(ecr.put_image_tag_mutability, repositoryName="api", imageTagMutability="MUTABLE_WITH_EXCLUSION")
    assert refused == ("InvalidParameterException", text)


def test_settings_are_put(ecr):
    ecr.create_repository(repositoryName="api")
    filters = [{"filterType": "WILDCARD", "filter": "dev*"}]
    put = ecr.put_image_tag_mutability(
        repositoryName="api", imageTagMutability="IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=filters
    )
    assert put["imageTagMutabilityExclusionFilters"] == filters
    ecr.put_image_scanning_configuration(repositoryName="api", imageScanningConfiguration={"scanOnPush": True})
    [found] = ecr.describe_repositories()["repositories"]
    assert found["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert found["imageTagMutabilityExclusionFilters"] == filters
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    assert ecr.describe_registry()["replicationConfiguration"] == {"rules": []}


def test_a_policy_is_set(ecr):
    ecr.create_repository(repositoryName="api")
    none = (
        "RepositoryPolicyNotFoundException",
        f"Repository policy does not exist for the repository with name 'api' in the registry with id '{ACCOUNT}'",
    )
    assert refusal(ecr.get_repository_policy, repositoryName="api") == none
    assert refusal(ecr.set_repository_policy, repositoryName="api", policyText='{"Statement": [{"Effect": "Allow"}]}') == (
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
    )
    ecr.set_repository_policy(repositoryName="api", policyText=POLICY)
    assert ecr.get_repository_policy(repositoryName="api")["policyText"] == POLICY
    ecr.delete_repository_policy(repositoryName="api")
    assert refusal(ecr.delete_repository_policy, repositoryName="api") == none


def test_a_lifecycle_policy_is_put(ecr):
    ecr.create_repository(repositoryName="api")
    none = (
        "LifecyclePolicyNotFoundException",
        f"Lifecycle policy does not exist for the repository with name 'api' in the registry with id '{ACCOUNT}'",
    )
    assert refusal(ecr.get_lifecycle_policy, repositoryName="api") == none
    wrong = LIFECYCLE.replace('"countUnit": "days", ', "")
    code, text = refusal(ecr.put_lifecycle_policy, repositoryName="api", lifecyclePolicyText=wrong)
    assert code == "InvalidParameterException"
    assert text.startswith(
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: "
    )
    ecr.put_lifecycle_policy(repositoryName="api", lifecyclePolicyText=LIFECYCLE)
    assert ecr.get_lifecycle_policy(repositoryName="api")["lifecyclePolicyText"] == LIFECYCLE
    ecr.delete_lifecycle_policy(repositoryName="api")
    assert refusal(ecr.delete_lifecycle_policy, repositoryName="api") == none


def test_tags(ecr):
    ecr.create_repository(repositoryName="api", tags=[{"Key": "a", "Value": "1"}])
    ecr.tag_resource(resourceArn=ARN + "api", tags=[{"Key": "b", "Value": "2"}])
    ecr.untag_resource(resourceArn=ARN + "api", tagKeys=["a"])
    assert ecr.list_tags_for_resource(resourceArn=ARN + "api")["tags"] == [{"Key": "b", "Value": "2"}]
    code, _ = refusal(ecr.tag_resource, resourceArn=ARN + "api", tags=[{"Key": "aws:x", "Value": ""}])
    assert code == "InvalidTagParameterException"
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert refusal(ecr.tag_resource, resourceArn=ARN + "api", tags=many)[0] == "TooManyTagsException"
    assert len(ecr.list_tags_for_resource(resourceArn=ARN + "api")["tags"]) == 1


def test_there_are_no_images(ecr):
    ecr.create_repository(repositoryName="api")
    assert ecr.list_images(repositoryName="api")["imageIds"] == []
    assert ecr.describe_images(repositoryName="api", filter={"tagStatus": "TAGGED"})["imageDetails"] == []
    assert refusal(ecr.describe_images, repositoryName="api", imageIds=[{"imageTag": "v1"}]) == (
        "ImageNotFoundException",
        "The image with imageId {imageDigest:'null', imageTag:'v1'} does not exist within the repository with name 'api' in "
        f"the registry with id '{ACCOUNT}'",
    )
    got = ecr.batch_get_image(repositoryName="api", imageIds=[{"imageTag": "v1"}, {"imageDigest": "sha256"}])
    assert got["images"] == []
    assert [failure["failureCode"] for failure in got["failures"]] == ["ImageNotFound", "InvalidImageDigest"]
    assert refusal(ecr.list_images, repositoryName="other") == ("RepositoryNotFoundException", missing("other"))
    refused = refusal(ecr.put_image, repositoryName="api", imageManifest="{}")
    assert refused == ("NotImplemented", "Garoa does not implement the operation ecr:PutImage")
    refused = refusal(ecr.get_authorization_token)
    assert refused == ("NotImplemented", "Garoa does not implement the operation ecr:GetAuthorizationToken")


def test_a_key_of_kms(ecr, server):
    key = server.client("kms").create_key()["KeyMetadata"]
    encryption = {"encryptionType": "KMS", "kmsKey": key["KeyId"]}
    made = ecr.create_repository(repositoryName="own", encryptionConfiguration=encryption)["repository"]
    assert made["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": key["Arn"]}
    made = ecr.create_repository(repositoryName="managed", encryptionConfiguration={"encryptionType": "KMS"})["repository"]
    assert made["encryptionConfiguration"]["kmsKey"].startswith(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/")
    encryption["kmsKey"] = "alias/none"
    assert refusal(ecr.create_repository, repositoryName="no", encryptionConfiguration=encryption)[0] == "KmsException"


def test_a_stack_has_a_repository(server, ecr):
    cloudformation = server.client("cloudformation")
    properties = {
        "ImageTagMutability": "IMMUTABLE",
        "ImageScanningConfiguration": {"ScanOnPush": "true"},
        "LifecyclePolicy": {"LifecyclePolicyText": LIFECYCLE},
        "RepositoryPolicyText": json.loads(POLICY),
        "Tags": [{"Key": "team", "Value": "pix"}],
        "EmptyOnDelete": True,
    }
    template = {
        "Resources": {"Repository": {"Type": "AWS::ECR::Repository", "Properties": properties}},
        "Outputs": {
            "Name": {"Value": {"Ref": "Repository"}},
            "Arn": {"Value": {"Fn::GetAtt": ["Repository", "Arn"]}},
            "Uri": {"Value": {"Fn::GetAtt": ["Repository", "RepositoryUri"]}},
        },
    }
    cloudformation.create_stack(StackName="Images", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="Images", WaiterConfig={"Delay": 1})
    [stack] = cloudformation.describe_stacks(StackName="Images")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    [found] = ecr.describe_repositories()["repositories"]
    name = found["repositoryName"]
    assert name.startswith("images-repository-") and name == name.lower()
    assert outputs == {"Name": name, "Arn": found["repositoryArn"], "Uri": found["repositoryUri"]}
    assert (found["imageTagMutability"], found["imageScanningConfiguration"]) == ("IMMUTABLE", {"scanOnPush": True})
    assert json.loads(ecr.get_repository_policy(repositoryName=name)["policyText"]) == json.loads(POLICY)
    assert ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"] == LIFECYCLE

    properties.clear()
    properties["Tags"] = [{"Key": "team", "Value": "ops"}]
    cloudformation.update_stack(StackName="Images", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="Images", WaiterConfig={"Delay": 1})
    [found] = ecr.describe_repositories()["repositories"]
    assert (found["imageTagMutability"], found["imageScanningConfiguration"]) == ("MUTABLE", {"scanOnPush": False})
    assert ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"] == properties["Tags"]
    assert refusal(ecr.get_repository_policy, repositoryName=name)[0] == "RepositoryPolicyNotFoundException"
    assert refusal(ecr.get_lifecycle_policy, repositoryName=name)[0] == "LifecyclePolicyNotFoundException"

    cloudformation.delete_stack(StackName="Images")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="Images", WaiterConfig={"Delay": 1})
    assert ecr.describe_repositories()["repositories"] == []
