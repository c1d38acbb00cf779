"""A stock boto3 client creates, gets, lists and cancels jobs; what it asks for and we do not carry out is refused by name."""

from __future__ import annotations

import copy
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pipelines.mediaconvert.errors import Unsupported
from pipelines.mediaconvert.mapping import order_of

H264 = {"RateControlMode": "QVBR", "QvbrSettings": {"QvbrQualityLevel": 8}, "MaxBitrate": 5_000_000}
VIDEO = {"CodecSettings": {"Codec": "H_264", "H264Settings": H264}}
CMAF = {
    "Type": "CMAF_GROUP_SETTINGS",
    "CmafGroupSettings": {"Destination": "s3://out/title/", "SegmentLength": 6},
}
JOB: dict[str, Any] = {
    "Role": "arn:aws:iam::1:role/x",
    "Queue": "arn:aws:mediaconvert:eu-west-1:1:queues/night",
    "Priority": 5,
    "UserMetadata": {"show": "7"},
    "Settings": {
        "TimecodeConfig": {"Source": "ZEROBASED"},
        "Inputs": [
            {
                "FileInput": "title.mp4",
                "AudioSelectors": {"Audio Selector 1": {"DefaultSelection": "DEFAULT"}},
                "TimecodeSource": "ZEROBASED",
            }
        ],
        "OutputGroups": [
            {
                "OutputGroupSettings": CMAF,
                "Outputs": [
                    {
                        "ContainerSettings": {"Container": "CMFC"},
                        "VideoDescription": {**VIDEO, "Height": 720},
                    },
                    {
                        "ContainerSettings": {"Container": "CMFC"},
                        "VideoDescription": {**VIDEO, "Height": 360},
                    },
                    {
                        "AudioDescriptions": [
                            {"CodecSettings": {"Codec": "AAC", "AacSettings": {"Bitrate": 96000}}}
                        ]
                    },
                ],
            }
        ],
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The job with one field set; `path` by dots, numbers for places in lists."""
    job = copy.deepcopy(JOB)
    at: Any = job
    *steps, last = [int(word) if word.isdigit() else word for word in path.split(".")]
    for step in steps:
        at = at[step]
    at[last] = value
    return job


def test_a_ladder_in_a_cmaf_group() -> None:
    order = order_of(JOB)
    assert (order["job"], order["input"], order["queue"], order["priority"]) == (
        "encode",
        "title.mp4",
        "night",
        5,
    )
    assert order["tags"] == {"show": "7"}
    assert order["params"] == {
        "output": "s3://out/title",
        "segment_s": "6",
        "codec": "x264",
        "peak_kbps": "5000",
        "target_vmaf": "95",
        "ladder": "720p,360p",
    }


def test_automated_abr_and_a_single_file() -> None:
    group = "Settings.OutputGroups.0"
    job = changed(f"{group}.Outputs", [{"VideoDescription": VIDEO}])
    rules = {"MaxAbrBitrate": 8_000_000, "MinAbrBitrate": 600_000, "MaxRenditions": 5}
    job["Settings"]["OutputGroups"][0]["AutomatedEncodingSettings"] = {"AbrSettings": rules}
    params = order_of(job)["params"]
    assert (params["ladder"], params["max_kbps"], params["min_kbps"], params["max_renditions"]) == (
        "auto",
        "8000",
        "600",
        5,
    )
    job = changed(
        f"{group}.OutputGroupSettings",
        {"Type": "FILE_GROUP_SETTINGS", "FileGroupSettings": {"Destination": "s3://out/t"}},
    )
    job["Settings"]["OutputGroups"][0]["Outputs"] = [{"VideoDescription": VIDEO}]
    params = order_of(job)["params"]
    assert (params["output"], params["single"]) == ("s3://out/t.mp4", "mp4")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("JobTemplate", "mine"),
        ("Settings.NielsenConfiguration", {}),
        ("Settings.Inputs", []),
        ("Settings.Inputs.0.InputClippings", [{"EndTimecode": "00:00:10:00"}]),
        ("Settings.Inputs.0.ImageInserter", {}),
        ("Settings.Inputs.0.DenoiseFilter", "ENABLED"),
        ("Settings.Inputs.0.VideoSelector", {"Rotate": "DEGREES_90"}),
        ("Settings.Inputs.0.AudioSelectors", {"a": {"Tracks": [2]}}),
        (
            "Settings.OutputGroups.0.OutputGroupSettings",
            {"Type": "HLS_GROUP_SETTINGS", "HlsGroupSettings": {}},
        ),
        ("Settings.OutputGroups.0.OutputGroupSettings.CmafGroupSettings.Encryption", {}),
        ("Settings.OutputGroups.0.Outputs.0.VideoDescription.VideoPreprocessors", {}),
        ("Settings.OutputGroups.0.Outputs.0.VideoDescription.CodecSettings", {"Codec": "PRORES"}),
        ("Settings.OutputGroups.0.Outputs.1.VideoDescription.CodecSettings", {"Codec": "H_265"}),
        ("Settings.OutputGroups.0.Outputs.2.CaptionDescriptions", []),
        ("Settings.OutputGroups.0.Outputs.2.AudioDescriptions.0.CodecSettings.Codec", "AC3"),
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(path: str, value: Any) -> None:
    with pytest.raises(Unsupported) as caught:
        order_of(changed(path, value))
    dotted = ".".join(f"[{word}]" if word.isdigit() else word for word in path.split(".")).replace(".[", "[")
    assert caught.value.field.startswith(dotted.partition(".CodecSettings")[0])


def test_boto3_creates_gets_lists_and_cancels(locked: tuple[Any, str]) -> None:
    server, key = locked

    def client(token: str | None) -> Any:
        return boto3.client(
            "mediaconvert",
            region_name="eu-west-1",
            endpoint_url=server.url,
            aws_access_key_id="x",
            aws_secret_access_key="x",  # noqa: S106  nobody reads it
            aws_session_token=token,
            config=Config(retries={"max_attempts": 1}),
        )

    group = copy.deepcopy(JOB)
    del group["Settings"]["OutputGroups"][0]["OutputGroupSettings"]["CmafGroupSettings"]["Destination"]
    theirs = client(key)
    made = theirs.create_job(**group, ClientRequestToken="once")["Job"]
    assert made["Status"] == "SUBMITTED"
    assert theirs.create_job(**group, ClientRequestToken="once")["Job"]["Id"] == made["Id"]
    found = theirs.get_job(Id=made["Id"])["Job"]
    assert found["Settings"]["Inputs"][0]["FileInput"] == "title.mp4"
    assert found["UserMetadata"] == {"show": "7"}
    assert found["CreatedAt"].year >= 2026
    listed = [
        job["Id"]
        for page in theirs.get_paginator("list_jobs").paginate(Queue="night")
        for job in page["Jobs"]
    ]
    assert listed == [made["Id"]]
    theirs.cancel_job(Id=made["Id"])
    assert theirs.get_job(Id=made["Id"])["Job"]["Status"] == "CANCELED"
    assert theirs.describe_endpoints()["Endpoints"][0]["Url"] == server.url
    with pytest.raises(theirs.exceptions.BadRequestException, match="allow-output"):
        theirs.create_job(**JOB)
    with pytest.raises(theirs.exceptions.BadRequestException, match="InputClippings"):
        theirs.create_job(**changed("Settings.Inputs.0.InputClippings", [{"EndTimecode": "00:00:10:00"}]))
    with pytest.raises(theirs.exceptions.NotFoundException):
        theirs.get_job(Id="0" * 32)
    with pytest.raises(ClientError, match="ForbiddenException"):
        client(None).list_jobs()
