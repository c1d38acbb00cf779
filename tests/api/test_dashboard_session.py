"""Who may see and change what: browsers known by a pasted key, changes only from our own pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

NewKey = Callable[..., str]


@pytest.fixture
def browser(gate: Any) -> Iterator[httpx.Client]:
    """A client that keeps cookies and says where its requests come from, as browsers do."""
    with httpx.Client(base_url=gate.url, headers={"Origin": gate.url}, timeout=60) as made:
        yield made


@pytest.fixture
def key(gate_key: NewKey) -> str:
    """One that may do everything."""
    return gate_key()


def sign_in(browser: httpx.Client, key: str, target: str = "/") -> httpx.Response:
    return browser.post("/login", data={"key": key, "next": target})


def test_whoever_is_not_known_is_asked_for_a_key_and_comes_back(browser: httpx.Client, key: str) -> None:
    asked = browser.get("/queues?x=1")
    assert asked.status_code == 303
    form = browser.get(asked.headers["location"])
    assert form.status_code == 200
    assert 'value="/queues?x=1"' in form.text
    done = sign_in(browser, key, "/queues?x=1")
    assert (done.status_code, done.headers["location"]) == (303, "/queues?x=1")
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert browser.get("/queues").status_code == 200


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example", "/\\evil.example", "javascript:1"]
)
def test_signing_in_leads_nowhere_else(browser: httpx.Client, key: str, target: str) -> None:
    assert sign_in(browser, key, target).headers["location"] == "/"


def test_wrong_and_old_keys_are_refused_in_words(browser: httpx.Client, gate_key: NewKey) -> None:
    wrong = sign_in(browser, "cmk_aaaaaaaaaa_" + "x" * 43)
    assert wrong.status_code == 401
    assert "This key is not known." in wrong.text
    old = sign_in(browser, gate_key("*", ends_ms=2))
    assert "has expired or was revoked" in old.text
    assert not browser.cookies


def test_the_cookie_opens_pages_and_nothing_of_the_api(browser: httpx.Client, key: str) -> None:
    sign_in(browser, key)
    assert browser.get("/").status_code == 200
    assert browser.get("/v1/jobs").status_code == 401
    browser.post("/logout")
    assert browser.get("/").status_code == 303


def test_who_may_only_read_sees_no_buttons_and_changes_nothing(
    browser: httpx.Client, gate_key: NewKey
) -> None:
    sign_in(browser, gate_key("jobs:read"))
    assert "/jobs/new" not in browser.get("/").text
    assert browser.get("/jobs/new").status_code == 403
    assert browser.post("/queues/night", data={"paused": "yes"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_changes_come_from_our_own_pages_only(
    key: str, browser: httpx.Client, headers: dict[str, str]
) -> None:
    sign_in(browser, key)
    del browser.headers["Origin"]
    for path in ("/queues/night", "/jobs/new", f"/jobs/{'0' * 32}/cancel", "/logout", "/login"):
        answer = browser.post(path, data={"paused": "yes"}, headers=headers)
        assert answer.status_code == 403, path
    assert "begins nothing" not in browser.get("/queues").text


def test_a_queue_is_limited_by_hand(browser: httpx.Client, key: str) -> None:
    sign_in(browser, key)
    assert browser.post("/queues/day", data={"most": "3"}).status_code == 303
    assert 'value="3"' in browser.get("/queues").text
    assert browser.post("/queues/day", data={"most": "many"}).status_code == 422


def test_forms_are_taken_by_pages_only(browser: httpx.Client, key: str) -> None:
    refused = browser.post("/v1/jobs", data={"job": "shots"}, headers={"Authorization": f"Bearer {key}"})
    assert refused.status_code == 415
    sign_in(browser, key)
    assert browser.post("/jobs/new", json={"job": "shots"}).status_code == 400
    assert browser.post("/jobs/new", data={"job": "shots", "input.input": "a\0b"}).status_code == 400


def test_an_address_that_is_none_is_a_page_to_people_and_a_problem_to_programs(browser: httpx.Client) -> None:
    for path in ("/nowhere", "/v1/nowhere", "/jobs/nowhere/x"):
        page = browser.get(path, headers={"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"})
        assert (page.status_code, page.headers["vary"]) == (404, "Accept")
        assert page.headers["content-type"].startswith("text/html")
        assert 'href="/"' in page.text
        for accept in ("*/*", "application/json", "application/json, text/html;q=0.5", "text/html;q=x"):
            told = browser.get(path, headers={"Accept": accept})
            assert (told.status_code, told.json()["type"]) == (404, "/problems/not-found"), accept


def test_pages_may_load_nothing_but_what_is_ours(browser: httpx.Client, key: str) -> None:
    sign_in(browser, key)
    for path in ("/", "/jobs/new", "/queues", "/login", f"/jobs/{'1' * 32}"):
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert " style=" not in answer.text
        assert "<script>" not in answer.text


def test_a_form_sent_twice_is_one_job(browser: httpx.Client, key: str) -> None:
    sign_in(browser, key)
    form = {"job": "shots", "input.input": "title.mp4", "key": "f" * 32, "do": "submit"}
    first, again = browser.post("/jobs/new", data=form), browser.post("/jobs/new", data=form)
    assert first.status_code == again.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    filled = browser.get(first.headers["location"].replace("/jobs/", "/jobs/new?like="))
    assert "title.mp4" in filled.text
