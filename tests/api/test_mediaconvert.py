"""A stock boto3 client creates, gets, lists and cancels jobs; what it asks for and we do not carry out is refused by name."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import av
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from archer import Client
from archer.templates import read_order
from pipelines.mediaconvert.errors import Unsupported
from pipelines.mediaconvert.mapping import order_of

H264 = {
    "RateControlMode": "QVBR",
    "QvbrSettings": {"QvbrQualityLevel": 8},
    "MaxBitrate": 5_000_000,
    "QualityTuningLevel": "SINGLE_PASS",
}
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
        "preset": "fast",
        "ladder": "720p,360p",
        "audio": "default",
        "subtitles": "none",
    }


SRT = {"SourceType": "SRT", "FileSourceSettings": {"SourceFile": "captions-of-title.srt"}}
SECOND: dict[str, Any] = {
    "FileInput": "second.mp4",
    "TimecodeSource": "SPECIFIEDSTART",
    "TimecodeStart": "01:00:00:00",
    "InputClippings": [{"StartTimecode": "01:00:00:10"}],
    "AudioSelectors": {
        "Audio Selector 1": {"Tracks": [2], "SelectorType": "TRACK"},
        "Audio Selector 2": {
            "LanguageCode": "FRA",
            "SelectorType": "LANGUAGE_CODE",
            "DefaultSelection": "DEFAULT",
        },
    },
}
AAC = {
    "Codec": "AAC",
    "AacSettings": {"Bitrate": 96000, "CodingMode": "CODING_MODE_2_0", "SampleRate": 48000},
}


def two_inputs() -> dict[str, Any]:
    """Two inputs with clippings, sound by name, and captions of the first."""
    job = copy.deepcopy(JOB)
    first = job["Settings"]["Inputs"][0]
    first["InputClippings"] = [
        {"EndTimecode": "00:00:00:09"},
        {"StartTimecode": "00:00:00:20", "EndTimecode": "00:00:00;24"},
    ]
    first["CaptionSelectors"] = {
        "File": {"LanguageCode": "ENG", "SourceSettings": SRT},
        "Track": {"SourceSettings": {"SourceType": "TT_3GPP", "TrackSourceSettings": {"TrackNumber": 2}}},
    }
    job["Settings"]["Inputs"].append(copy.deepcopy(SECOND))
    webvtt = {"DestinationType": "WEBVTT"}
    job["Settings"]["OutputGroups"][0]["Outputs"][2:] = [
        {"AudioDescriptions": [{"CodecSettings": AAC}]},
        {"AudioDescriptions": [{"CodecSettings": AAC, "AudioSourceName": "Audio Selector 2"}]},
        {
            "CaptionDescriptions": [
                {"CaptionSelectorName": "File", "DestinationSettings": webvtt},
                {"CaptionSelectorName": "Track", "DestinationSettings": webvtt},
            ]
        },
    ]
    return job


def test_clippings_inputs_selectors_and_captions() -> None:
    """The end of a clipping is in it; a selector that an input has not is its default one, or silence."""
    order = order_of(two_inputs())
    assert order["input"] == {
        "input": "title.mp4",
        "join1": "second.mp4",
        "captions1": "captions-of-title.srt",
    }
    params = order["params"]
    assert params["clips"] == "1@-00:00:00:09+,1@00:00:00:20-00:00:00;24+,2@01:00:00:10-"
    assert params["timecode"] == "zero|01:00:00:00"
    assert params["audio"] == "default|2,default|fra"
    assert (params["subtitles"], params["captions"]) == ("2|none", "1@eng")
    read_order({name: order[name] for name in ("job", "input", "params")})


def test_hls_groups_have_transport_streams_where_they_are_asked_for() -> None:
    hls = {"Destination": "s3://out/title/", "SegmentLength": 4, "SegmentControl": "SEGMENTED_FILES"}
    job = changed(
        "Settings.OutputGroups.0.OutputGroupSettings", {"Type": "HLS_GROUP_SETTINGS", "HlsGroupSettings": hls}
    )
    params = order_of(job)["params"]
    assert (params["output"], params["segment_s"], "ts" in params) == ("s3://out/title", "4", False)
    job["Settings"]["OutputGroups"][0]["Outputs"][0]["ContainerSettings"] = {"Container": "M3U8"}
    assert order_of(job)["params"]["ts"] is True
    with pytest.raises(Unsupported, match="Container"):
        order_of(changed("Settings.OutputGroups.0.Outputs.0.ContainerSettings", {"Container": "M3U8"}))


def test_templates_and_presets_lie_under_what_the_job_says() -> None:
    group = {
        "OutputGroupSettings": CMAF,
        "Outputs": [{"Preset": "hd"}, {"Preset": "arn:aws:x:presets/sound"}],
    }
    kept: dict[tuple[str, str], Any] = {
        ("JobTemplate", "film"): {
            "Queue": "night",
            "Priority": 3,
            "Settings": {
                "Inputs": [
                    {"TimecodeSource": "ZEROBASED", "AudioSelectors": {"Audio Selector 1": {"Tracks": [1]}}}
                ],
                "OutputGroups": [group],
            },
        },
        ("Preset", "hd"): {
            "Settings": {
                "ContainerSettings": {"Container": "CMFC"},
                "VideoDescription": {**VIDEO, "Height": 720},
            }
        },
        ("Preset", "sound"): {"Settings": {"AudioDescriptions": [{"CodecSettings": AAC}]}},
    }
    inputs = [
        {"FileInput": "a.mp4"},
        {"FileInput": "b.mp4", "AudioSelectors": {"Audio Selector 1": {"Tracks": [2]}}},
    ]
    place = {"CmafGroupSettings": {"Destination": "s3://other/", "SegmentLength": 8}}
    lower = {"VideoDescription": {"Height": 360}}
    job = {
        "JobTemplate": "film",
        "Priority": 7,
        "Settings": {"Inputs": inputs, "OutputGroups": [{"OutputGroupSettings": place, "Outputs": [lower]}]},
    }
    order = order_of(job, lambda kind, name: kept.get((kind, name)))
    assert (order["queue"], order["priority"]) == ("night", 7)
    assert order["input"] == {"input": "a.mp4", "join1": "b.mp4"}
    params = order["params"]
    assert (params["output"], params["segment_s"], params["ladder"]) == ("s3://other", "8", "360p")
    assert (params["target_vmaf"], params["audio"]) == ("95", "1|2")
    group["Outputs"][0]["ContainerSettings"] = {"Container": "CMFC"}  # type: ignore[index]
    for names, field in ((set(), "JobTemplate"), ({"film"}, "Preset"), ({"film", "hd", "sound"}, "Preset")):
        with pytest.raises(Unsupported, match=field):
            order_of(job, lambda kind, name: kept.get((kind, name)) if name in names else None)  # noqa: B023


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
        ("Settings.Inputs.0.InputClippings", [{"EndTimecode": "10 s"}]),
        ("Settings.Inputs.0.InputClippings", [{}]),
        ("Settings.Inputs.0.TimecodeSource", "SYSTEMCLOCK"),
        ("Settings.Inputs.0.TimecodeStart", "00:00:00:00"),
        ("Settings.Inputs.0.AudioSelectorGroups", {}),
        ("Settings.Inputs.0.ImageInserter", {}),
        ("Settings.Inputs.0.DenoiseFilter", "ENABLED"),
        ("Settings.Inputs.0.VideoSelector", {"Rotate": "DEGREES_90"}),
        ("Settings.Inputs.0.AudioSelectors", {"Audio Selector 1": {"Tracks": [1, 2]}}),
        ("Settings.Inputs.0.AudioSelectors", {"Audio Selector 1": {"Pids": [256]}}),
        ("Settings.Inputs.0.AudioSelectors", {"Audio Selector 1": {"Offset": 40}}),
        ("Settings.OutputGroups.0.OutputGroupSettings.Type", "MS_SMOOTH_GROUP_SETTINGS"),
        ("Settings.OutputGroups.0.Outputs.0.ContainerSettings.Container", "MXF"),
        ("Settings.OutputGroups.0.Outputs.0.ContainerSettings.CmfcSettings", {"ScteX": "NONE"}),
        ("Settings.OutputGroups.0.OutputGroupSettings.CmafGroupSettings.Encryption", {}),
        ("Settings.OutputGroups.0.Outputs.0.VideoDescription.VideoPreprocessors", {}),
        ("Settings.OutputGroups.0.Outputs.0.VideoDescription.CodecSettings", {"Codec": "PRORES"}),
        ("Settings.OutputGroups.0.Outputs.1.VideoDescription.CodecSettings", {"Codec": "H_265"}),
        ("Settings.OutputGroups.0.Outputs.2.CaptionDescriptions", [{"CaptionSelectorName": "none such"}]),
        ("Settings.OutputGroups.0.Outputs.2.AudioDescriptions.0.RemixSettings", {}),
        (
            "Settings.OutputGroups.0.Outputs.2.AudioDescriptions.0.CodecSettings.AacSettings",
            {"SampleRate": 96000},
        ),
        ("Settings.OutputGroups.0.Outputs.2.AudioDescriptions.0.CodecSettings.Codec", "AC3"),
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(path: str, value: Any) -> None:
    with pytest.raises(Unsupported) as caught:
        order_of(changed(path, value))
    dotted = ".".join(f"[{word}]" if word.isdigit() else word for word in path.split(".")).replace(".[", "[")
    assert caught.value.field.startswith(dotted.partition(".CodecSettings")[0])


def client_of(url: str, token: str | None = None) -> Any:
    return boto3.client(
        "mediaconvert",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106  nobody reads it
        aws_session_token=token,
        config=Config(retries={"max_attempts": 1}),
    )


def test_boto3_keeps_templates_and_presets(locked: tuple[Any, str]) -> None:
    server, key = locked
    theirs = client_of(server.url, key)
    settings = {"ContainerSettings": {"Container": "CMFC"}, "VideoDescription": {**VIDEO, "Height": 360}}
    made = theirs.create_preset(
        Name="small", Category="web", Description="For telephones", Settings=settings
    )["Preset"]
    assert (made["Name"], made["Type"], made["Settings"]) == ("small", "CUSTOM", settings)
    assert made["CreatedAt"].year >= 2026
    for name in ("b 2", "a-1", "c"):
        theirs.create_preset(Name=name, Settings=settings)
    first = theirs.list_presets(MaxResults=3)
    second = theirs.list_presets(MaxResults=3, NextToken=first["NextToken"])
    assert [each["Name"] for page in (first, second) for each in page["Presets"]] == [
        "a-1",
        "b 2",
        "c",
        "small",
    ]
    assert [each["Name"] for each in theirs.list_presets(Category="web")["Presets"]] == ["small"]
    assert [each["Name"] for each in theirs.list_presets(Order="DESCENDING")["Presets"]][:2] == ["small", "c"]
    assert theirs.get_preset(Name="b 2")["Preset"]["Settings"] == settings
    theirs.delete_preset(Name="b 2")
    for missing in (theirs.get_preset, theirs.delete_preset):
        for name in ("b 2", "b\0", "b" * 201):
            with pytest.raises(theirs.exceptions.NotFoundException):
                missing(Name=name)
    with pytest.raises(theirs.exceptions.BadRequestException, match="Category"):
        theirs.create_preset(Name="wide", Category="w" * 201, Settings=settings)
    assert theirs.list_presets(Category="w\0")["Presets"] == []
    with pytest.raises(theirs.exceptions.ConflictException):
        theirs.create_preset(Name="small", Settings=settings)
    group = {"OutputGroupSettings": {"Type": "CMAF_GROUP_SETTINGS"}, "Outputs": [{"Preset": "small"}]}
    kept = {"OutputGroups": [group], "Inputs": [{"TimecodeSource": "ZEROBASED"}]}
    template = theirs.create_job_template(Name="film", Queue="day", Priority=4, Settings=kept)["JobTemplate"]
    assert (template["Settings"], template["Priority"]) == (kept, 4)
    changed_to = theirs.update_job_template(Name="film", Description="ours", Priority=5)["JobTemplate"]
    assert (changed_to["Description"], changed_to["Priority"], changed_to["Settings"]) == ("ours", 5, kept)
    assert [each["Name"] for each in theirs.list_job_templates()["JobTemplates"]] == ["film"]
    asked = {"Role": "x", "JobTemplate": "film", "Settings": {"Inputs": [{"FileInput": "title.mp4"}]}}
    job = theirs.create_job(**asked)["Job"]
    assert (job["Priority"], job["JobTemplate"], job["Queue"].rpartition("/")[2]) == (5, "film", "day")
    theirs.cancel_job(Id=job["Id"])
    theirs.delete_job_template(Name="film")
    with pytest.raises(theirs.exceptions.BadRequestException, match="JobTemplate"):
        theirs.create_job(**asked)
    theirs.delete_preset(Name="small")


def test_boto3_clips_joins_selects_and_captions(served: Any, media: Path) -> None:
    """One job with a preset, two inputs with clippings, an audio selector and captions, from the request to its package."""
    theirs = client_of(served.url)
    (media / "captions-of-title.srt").write_text("1\n00:00:00,100 --> 00:00:00,300\nHello\n")
    settings = {"ContainerSettings": {"Container": "CMFC"}, "VideoDescription": {**VIDEO, "Height": 90}}
    theirs.create_preset(Name="tiny", Settings=settings)
    job = two_inputs()
    first, second = job["Settings"]["Inputs"]
    del first["CaptionSelectors"]["Track"]
    second |= {"FileInput": "title.mp4", "AudioSelectors": {"Audio Selector 1": {"Tracks": [1]}}}
    group = job["Settings"]["OutputGroups"][0]
    del group["OutputGroupSettings"]["CmafGroupSettings"]["Destination"]
    captions = group["Outputs"][4]["CaptionDescriptions"][:1]
    group["Outputs"] = [{"Preset": "tiny"}, group["Outputs"][2], {"CaptionDescriptions": captions}]
    first["InputClippings"][1]["EndTimecode"] = "00:00:00:24"
    second["InputClippings"] = [{"StartTimecode": "01:00:00:10", "EndTimecode": "01:00:00:19"}]
    made = theirs.create_job(Role="x", Settings=job["Settings"])["Job"]
    with Client(served.url) as client:
        found = client.job(made["Id"])
        assert [event.type for event in found.watch()][-1] == "job-done", found.refresh().document
        shown = theirs.get_job(Id=made["Id"])["Job"]
        assert (shown["Status"], shown["Settings"]["Inputs"][1]["FileInput"]) == ("COMPLETE", "title.mp4")
        out = found.fetch("packaging.package", media.parent / "fetched")
    assert "00:00:00.100 --> 00:00:00.300\nHello" in next(out.rglob("*.vtt")).read_text()
    master = (out / "master.m3u8").read_text()
    assert master.count("TYPE=AUDIO") == master.count("TYPE=SUBTITLES") == 1
    (video,) = out.glob("video-*")
    data = b"".join(path.read_bytes() for path in [video / "init.mp4", *sorted(video.glob("*.m4s"))])
    with av.open(io.BytesIO(data)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10 + 5 + 10


def test_boto3_creates_gets_lists_and_cancels(locked: tuple[Any, str]) -> None:
    server, key = locked

    def client(token: str | None) -> Any:
        return client_of(server.url, token)

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
    with pytest.raises(theirs.exceptions.BadRequestException, match="DenoiseFilter"):
        theirs.create_job(**changed("Settings.Inputs.0.DenoiseFilter", "ENABLED"))
    with pytest.raises(theirs.exceptions.NotFoundException):
        theirs.get_job(Id="0" * 32)
    with pytest.raises(ClientError, match="ForbiddenException"):
        client(None).list_jobs()
