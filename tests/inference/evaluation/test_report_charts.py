"""The page's pictures and tables hold every decoding there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from inference import DECODING_MODES, REGION_MODES
from inference.evaluation.charts import draw_concept_bars, draw_speed_and_f1
from inference.evaluation.outcomes import RunDescription, StudyOutcome
from inference.evaluation.report_page import compose_page
from inference.evaluation.summary import Result, compare, summarise
from inference.report_language import Statement

MODES = (*DECODING_MODES, *REGION_MODES)
_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def results(
    make_outcome: Callable[..., StudyOutcome], make_report: Callable[..., str],
    true_statements: tuple[Statement, Statement],
) -> list[Result]:  # fmt: skip
    """Every decoding of two studies, none as fast as another."""
    drafted = [make_outcome(make_report(*true_statements), study=name) for name in "ab"]
    return summarise(
        replace(outcome, decoding=mode, passes=number)
        for number, mode in enumerate(MODES, 2)
        for outcome in drafted
    )


def test_every_decoding_has_its_dot_its_bars_and_its_name(results: list[Result]) -> None:
    speed = ElementTree.fromstring(draw_speed_and_f1(results))
    assert len(MODES) > 5
    assert len(speed.findall(f"{_SVG}circle")) == len(MODES)
    assert len({dot.get("fill") for dot in speed.findall(f"{_SVG}circle")}) == len(MODES)
    bars = ElementTree.fromstring(draw_concept_bars(results))
    colours = [bar.get("fill") for bar in bars.findall(f"{_SVG}rect")]
    assert all(colours.count(colour) == 3 for colour in set(colours))  # a legend, two concepts
    for number, mode in enumerate(MODES, 1):
        assert f"{number} {mode}" in [text.text for text in speed.findall(f"{_SVG}text")]
        assert mode in [text.text for text in bars.findall(f"{_SVG}text")]


def test_nothing_is_written_beyond_the_picture(results: list[Result]) -> None:
    for svg in (draw_speed_and_f1(results), draw_concept_bars(results)):
        picture = ElementTree.fromstring(svg)
        for text in picture.findall(f"{_SVG}text"):
            if text.get("text-anchor") == "start":
                end = float(text.get("x") or 0) + 6.5 * len(text.text or "")
                assert end < float(picture.get("width") or 0), text.text


def test_of_many_decodings_each_is_held_against_the_first_alone(results: list[Result]) -> None:
    run = RunDescription("tiny", "0", "a" * 64, "cpu float32", 8, "phantoms")
    few = results[:3]
    page = compose_page(run, few, compare(few), {}, "2 studies")
    assert "<th>adaptive − guided</th>" in page
    page = compose_page(run, results, compare(results), {}, "2 studies")
    assert "<th>adaptive − guided</th>" not in page
    assert all(f"<th>{MODES[0]} − {mode}</th>" in page for mode in MODES[1:])
