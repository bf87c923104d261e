"""What is typed after `draft` reaches the request, and nothing else does."""

from __future__ import annotations

import argparse
from dataclasses import fields

import pytest

from inference import GenerationRequest
from workstation.commands.draft_options import _FLAGS, add_draft_options, draft_settings


def _parse(*given: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_draft_options(parser)
    return draft_settings(parser.parse_args(given))


def test_each_flag_is_a_field_of_the_request() -> None:
    names = {field.name for field in fields(GenerationRequest)}
    assert {flag.field for flag in _FLAGS} <= names


def test_what_is_not_given_is_left_to_the_engine() -> None:
    assert _parse() == {}
    assert _parse("--temperature", "0.7", "--seed", "3") == {"temperature": 0.7, "seed": 3}


def test_prefix_and_strategy_reach_a_request() -> None:
    settings = _parse("--prefix", "Findings: No", "--remasking", "sequential", "--top-k", "5")
    request = GenerationRequest("r", (), **settings)  # type: ignore[arg-type]
    assert (request.prefix_text, request.remasking, request.top_k) == (
        "Findings: No",
        "sequential",
        5,
    )


@pytest.mark.parametrize("given", [("--remasking", "sideways"), ("--top-k", "x")])
def test_what_no_request_can_hold_is_refused(given: tuple[str, str]) -> None:
    with pytest.raises(SystemExit):
        _parse(*given)
