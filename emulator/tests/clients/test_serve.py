"""`garoa serve` itself: its own paths, its clock, its end."""

import datetime
import io
import signal
import urllib.error
import zipfile

import pytest


def test_health_names_the_services_and_their_operations(server):
    health = server.admin("GET", "health")
    assert health["status"] == "ok"
    assert "CreateSchedule" in health["services"]["scheduler"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_asked(start, how):
    assert start().stop(how) == 0


def test_reset_empties_the_cloud(server):
    scheduler = server.client("scheduler")
    scheduler.create_schedule_group(Name="g")
    server.admin("POST", "reset")
    assert [g["Name"] for g in scheduler.list_schedule_groups()["ScheduleGroups"]] == ["default"]


def test_a_frozen_clock_stands_until_it_is_advanced(start):
    server = start("--clock", "frozen=2026-03-02T12:00:00Z")
    assert server.admin("GET", "health")["now"] == "2026-03-02T12:00:00.000Z"
    assert server.admin("POST", "clock/advance", {"seconds": 900})["now"] == "2026-03-02T12:15:00.000Z"
    server.client("scheduler").create_schedule_group(Name="g")
    created = server.client("scheduler").get_schedule_group(Name="g")["CreationDate"]
    assert created == datetime.datetime(2026, 3, 2, 12, 15, tzinfo=datetime.timezone.utc)


def test_the_machines_clock_is_not_moved(server):
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.admin("POST", "clock/advance", {"seconds": 1})
    assert refused.value.code == 409


def test_a_schedule_fires_when_the_clock_is_advanced(start):
    server = start("--clock", "frozen=2026-03-02T12:00:00Z")
    role = "arn:aws:iam::123456789012:role/any"
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    server.client("lambda").create_function(
        FunctionName="f", Runtime="provided.al2023", Handler="bootstrap", Role=role, Code={"ZipFile": empty.getvalue()}
    )
    server.client("scheduler").create_schedule(
        Name="s",
        ScheduleExpression="rate(3 minutes)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "RoleArn": role},
    )
    server.admin("POST", "clock/advance", {"seconds": 600})
    logs = server.client("logs")
    events = logs.filter_log_events(logGroupName="/aws/lambda/f")["events"]
    assert sum(event["message"].startswith("START") for event in events) == 4 + retries(4)


def retries(runs):
    """An archive without code fails, and Lambda tries an asynchronous invocation twice again, after 1 and 2 minutes.
    Of runs at 0, 3, 6 and 9 minutes, two retries each fall before the tenth minute, save for the last: one."""
    return 2 * (runs - 1) + 1
