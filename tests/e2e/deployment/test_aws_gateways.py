"""HTTP APIs and REST APIs in front of Lambda: as asked, with a right of their own, one of each, gone at the end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from adapters.aws.deploy import Aws
from adapters.aws.deployment import endpoints, gateways, inventory, rest_api
from adapters.deployment.function_spec import FunctionSpec
from adapters.deployment.provider import Resource
from adapters.deployment.session import Session
from tests.e2e.deployment.test_aws_variants import client, only_function
from tests.kits import deploy_rig

if TYPE_CHECKING:
    from tests.kits.deploy_rig import Rig

pytestmark = [pytest.mark.timeout(300)]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.rig("aws", tmp_path) as made, mock.patch.dict(os.environ, made.variables):
        yield made


@pytest.fixture
def session(rig: Rig, tmp_path: Path) -> Session:
    return Session(folder=tmp_path / ".tripoint", say=lambda line: None)


def test_an_http_api_stands_in_front_when_asked_and_goes_with_the_rest(rig: Rig, session: Session) -> None:
    [endpoint] = session.apply([FunctionSpec("aws", front="http-api")])
    [api] = client(rig, "apigatewayv2").get_apis()["Items"]
    [route] = client(rig, "apigatewayv2").get_routes(ApiId=api["ApiId"])["Items"]
    assert (route["RouteKey"], route["AuthorizationType"]) == ("$default", "AWS_IAM")
    assert endpoint.url == api["ApiEndpoint"]
    assert endpoint.details["service"] == "execute-api"
    session.apply([FunctionSpec("aws", front="function-url")])
    assert client(rig, "apigatewayv2").get_apis()["Items"] == []
    session.destroy()
    assert rig.left() == []


def test_a_rest_api_has_one_locked_stage_that_takes_images_and_goes_with_the_rest(rig: Rig, session: Session) -> None:
    [endpoint] = session.apply([FunctionSpec("aws", front="rest-api")])
    gateway = client(rig, "apigateway")
    [api] = gateway.get_rest_apis()["items"]
    assert (api["name"], api["binaryMediaTypes"]) == (endpoint.name, ["*/*"])
    assert api["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert set(api["tags"]) == {"tripoint-project", "tripoint-run", "tripoint-owner", "tripoint-expires"}
    resources = gateway.get_resources(restApiId=api["id"])["items"]
    assert sorted(each["path"] for each in resources) == ["/", "/{proxy+}"]
    function = only_function(rig)
    for each in resources:
        method = gateway.get_method(restApiId=api["id"], resourceId=each["id"], httpMethod="ANY")
        assert (method["authorizationType"], method["methodIntegration"]["type"]) == ("AWS_IAM", "AWS_PROXY")
        assert function["FunctionArn"] in method["methodIntegration"]["uri"]
    [stage] = gateway.get_stages(restApiId=api["id"])["item"]
    [deployment] = gateway.get_deployments(restApiId=api["id"])["items"]
    assert (stage["stageName"], stage["deploymentId"]) == ("live", deployment["id"])
    [statement] = policy_of(rig, function["FunctionName"])
    source = f"arn:aws:execute-api:us-east-1:123456789012:{api['id']}/live/*"
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": source}}
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert function["Timeout"] == 29, "the gateway waits no longer"
    assert endpoint.url == f"{rig.url}/_aws/execute-api/{api['id']}/live/"
    assert endpoint.details["service"] == "execute-api"
    session.apply([FunctionSpec("aws")])
    assert gateway.get_rest_apis()["items"] == []
    session.destroy()
    assert rig.left() == []


def policy_of(rig: Rig, function: str, **qualified: str) -> list[dict[str, Any]]:
    policy = client(rig, "lambda").get_policy(FunctionName=function, **qualified)["Policy"]
    return list(json.loads(policy)["Statement"])


def test_outside_an_emulator_a_rest_api_has_the_vendors_address() -> None:
    import boto3

    made: Any = boto3.Session("any", "any", region_name="eu-central-1").client("apigateway")
    assert rest_api._address(made, "abc123") == "https://abc123.execute-api.eu-central-1.amazonaws.com/live/"


@pytest.mark.parametrize("front", ["http-api", "rest-api"])
def test_behind_an_alias_the_gateway_invokes_it_and_its_right_is_the_aliass(
    rig: Rig, session: Session, front: str
) -> None:
    session.apply([FunctionSpec("aws", plan="snapstart", front=front)])
    name = only_function(rig)["FunctionName"]
    [statement] = policy_of(rig, name, Qualifier="live")
    assert statement["Sid"] == front
    assert statement["Resource"].endswith(f"{name}:live")
    session.destroy()
    assert rig.left() == []


@pytest.mark.parametrize("front", ["http-api", "rest-api"])
@pytest.mark.parametrize("gone", ["function", "api"])
def test_a_gateway_or_its_function_removed_by_hand_is_made_again_with_its_right(
    rig: Rig, session: Session, front: str, gone: str
) -> None:
    variant = FunctionSpec("aws", front=front)
    [endpoint] = session.apply([variant])
    kind = "function" if gone == "function" else front
    with mock.patch.dict(os.environ, rig.variables):
        inventory.remove(Aws().clients, Resource("aws", kind, endpoint.name, "us-east-1"))
    [again] = session.apply([variant])
    [statement] = policy_of(rig, endpoint.name)
    api = session.recorded().outputs()[f"aws/us-east-1/{front}/{endpoint.name}"]["api"]
    assert f":{api}/" in statement["Condition"]["ArnLike"]["AWS:SourceArn"]
    assert (again.url == endpoint.url) == (gone == "function")
    calls = len(rig.interruption.seen)
    session.apply([variant])
    assert rig.interruption.seen[calls:] == [], "not one changing request"
    session.destroy()
    assert rig.left() == []


def test_a_rest_api_opens_and_closes_without_a_second_one(rig: Rig, session: Session) -> None:
    gateway = client(rig, "apigateway")
    locks = []
    for access in ("closed", "public", "closed"):
        session.apply([FunctionSpec("aws", front="rest-api", access=access)])
        [api] = gateway.get_rest_apis()["items"]
        held = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "ANY"}
        locks.append((api["id"], gateway.get_method(**held)["authorizationType"]))
        [stage] = gateway.get_stages(restApiId=api["id"])["item"]
        [deployment] = gateway.get_deployments(restApiId=api["id"])["items"]
        assert stage["deploymentId"] == deployment["id"], "the stage serves the API as it is now"
    assert [lock for _, lock in locks] == ["AWS_IAM", "NONE", "AWS_IAM"]
    assert len({api for api, _ in locks}) == 1


def test_two_rest_apis_of_one_name_become_one_and_none_is_left(rig: Rig, session: Session) -> None:
    """A request that is sent again, its answer lost, makes a second one: names of REST APIs need not differ."""
    [endpoint] = session.apply([FunctionSpec("aws", front="rest-api")])
    gateway = client(rig, "apigateway")
    [first] = gateway.get_rest_apis()["items"]
    for _ in range(2):
        gateway.create_rest_api(name=endpoint.name, tags=first["tags"])
    session.apply([FunctionSpec("aws", front="rest-api", access="public")])
    assert len(gateway.get_rest_apis()["items"]) == 1
    gateway.create_rest_api(name=endpoint.name, tags=first["tags"])
    session.destroy()
    assert rig.left() == []


def test_rest_apis_are_removed_as_often_as_the_account_may(
    rig: Rig, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.apply([FunctionSpec("aws", front="rest-api", memory_mb=size) for size in (512, 1024)])
    rig.standin.rest_apis.delete_every_s = 3.0  # 30 s at AWS; boto3 alone gives up before, after at most 1 s here
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    monkeypatch.setattr(gateways, "_PAUSE_S", 0.5)
    session.destroy()
    assert rig.standin.rest_apis.waited > 1
    assert rig.left() == []


def test_fronts_stand_side_by_side(rig: Rig, session: Session) -> None:
    found = session.apply([FunctionSpec("aws", front=front) for front in endpoints.FRONTS])
    assert len({each.url for each in found}) == 3
    targets = json.loads((session.folder / "targets.json").read_text())["targets"]
    assert [target["gateway"] for target in targets] == list(endpoints.FRONTS)
    session.destroy()
    assert rig.left() == []


def test_the_stand_in_refuses_what_api_gateway_refuses_and_moto_takes(rig: Rig, session: Session) -> None:
    """Otherwise the tests above would say little of a REST API that is made in the wrong order, or twice."""
    session.apply([FunctionSpec("aws")])
    gateway, function = client(rig, "apigateway"), only_function(rig)["FunctionArn"]
    path = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations"
    api = gateway.create_rest_api(name="one")
    here, root = {"restApiId": api["id"]}, {"restApiId": api["id"], "resourceId": api["rootResourceId"]}
    method = {**root, "httpMethod": "ANY"}
    proxy = {**method, "type": "AWS_PROXY", "integrationHttpMethod": "POST"}

    def refused(operation: str, **given: Any) -> str:
        with pytest.raises(gateway.exceptions.ClientError) as found:
            getattr(gateway, operation)(**given)
        return str(found.value.response["Error"]["Code"])

    assert refused("create_deployment", **here) == "BadRequestException", "no method"
    gateway.put_method(**method, authorizationType="NONE")
    assert refused("put_method", **method, authorizationType="AWS_IAM") == "ConflictException"
    assert refused("put_integration", **proxy, uri=path.format(f"{function}-other")) == "NotFoundException"
    assert refused("put_integration", **proxy, uri=function) == "BadRequestException"
    late = {**proxy, "uri": path.format(function), "timeoutInMillis": 30_000}
    assert refused("put_integration", **late) == "BadRequestException"
    gateway.put_integration(**proxy, uri=path.format(function))
    below = gateway.create_resource(**here, parentId=api["rootResourceId"], pathPart="{proxy+}")["id"]
    again = {**here, "parentId": api["rootResourceId"], "pathPart": "{proxy+}"}
    assert refused("create_resource", **again) == "ConflictException"
    gateway.put_method(**here, resourceId=below, httpMethod="ANY", authorizationType="NONE")
    assert refused("create_deployment", **here) == "BadRequestException", "one method leads nowhere"
    gateway.delete_method(**here, resourceId=below, httpMethod="ANY")
    made = gateway.create_deployment(**here)["id"]
    assert refused("create_stage", **here, stageName="live", deploymentId="none") == "BadRequestException"
    gateway.create_stage(**here, stageName="live", deploymentId=made)
    assert refused("delete_deployment", **here, deploymentId=made) == "BadRequestException", "it is served"
    gateway.delete_rest_api(**here)
    assert refused("delete_rest_api", **here) == "NotFoundException"
    session.destroy()
