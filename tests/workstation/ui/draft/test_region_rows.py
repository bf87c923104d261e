"""A draft by regions: fixed places, what each region waits for, and the report made of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inference import BlockCommitted, PrefillDone
from inference.report_language import REGIONS, Language
from workstation.ui.draft.block_rail import BlockTiles
from workstation.ui.draft.draft_view import DraftView

PARTS = (*REGIONS, "impression")
SAID: dict[Language, dict[str, tuple[str, ...]]] = {
    "en": {
        "thorax": (" The thorax is symmetric.",),
        "mediastinum": (" The mediastinum", " is not widened."),
        "lungs": (" No pulmonary edema. Opac", "ity in the right", " mid zone. No consolidation."),
        "pleura": (" No pleural effusion.", " No pneumothorax."),
        "heart": (" The cardiac silhouette is not enlarged.",),
        "hila": (" The hila are not enlarged.",),
        "diaphragm": (" The diaphragm is not elevated.",),
        "bones": (" No displaced fracture.",),
        "devices": ("",),
        "impression": (" Opacity in the right", " mid zone."),
    },
    "zh": {
        "thorax": ("两侧胸廓对称。",),
        "mediastinum": ("纵隔未见增宽。",),
        "lungs": ("未见肺水肿。右中肺", "野密度增高影。"),
        "pleura": ("未见胸腔积液。未见", "气胸。"),
        "heart": ("心影不大。",),
        "hila": ("两肺门影不大。",),
        "diaphragm": ("膈肌未见抬高。",),
        "bones": ("未见错位骨折。",),
        "devices": ("",),
        "impression": ("右中肺野密度增高影。",),
    },
}
PREFILL = PrefillDone("r", 300, 8, 40.0, regions=PARTS)


def passes_of(language: Language) -> Iterator[list[BlockCommitted]]:
    """One list a pass: every region's next block, then the impression's one after the other."""
    said = SAID[language]
    index = passes = 0
    for group in (REGIONS, ("impression",)):
        for at in range(max(len(said[region]) for region in group)):
            passes += 1
            blocks = []
            for region in group:
                if at >= len(said[region]):
                    continue
                is_end = at + 1 == len(said[region])
                texts = (said[region][at], "") if is_end else (said[region][at],)
                blocks.append(
                    BlockCommitted(
                        "r",
                        index,
                        (5,) * len(texts),
                        texts,
                        (0.9,) * len(texts),
                        passes,
                        40.0 + 10 * passes,
                        region=region,
                        is_region_end=is_end,
                    )
                )
                index += 1
            yield blocks


@pytest.fixture
def view(qtbot) -> DraftView:
    view = DraftView()
    qtbot.addWidget(view)
    view.is_motion_enabled = False
    view.resize(420, 700)
    view.show()
    return view


def begin(view: DraftView, language: Language = "en") -> None:
    view.begin(language=language)
    view.set_prefill(PREFILL)
    view._refresh()


def places(view: DraftView) -> dict[str, tuple[float, float, float]]:
    """Where each region's row begins and how wide and high it is."""
    assert view._rows is not None
    return {
        row.region: (row.rect.left(), row.rect.top(), row.rect.height()) for row in view._rows.rows
    }


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [230, 420, 1000])
def test_every_row_keeps_its_place_while_all_regions_fill(view, language, width) -> None:
    view.resize(width, 900)
    begin(view, language)
    before = places(view)
    assert list(before) == list(PARTS)
    for blocks in passes_of(language):
        for block in blocks:
            view.add_block(block)
        view._refresh()
        after = places(view)
        assert {name: after[name][:2] for name in REGIONS} == {
            name: before[name][:2] for name in REGIONS
        }
    assert after["impression"][:2] == before["impression"][:2]


def test_words_that_stand_never_move(view) -> None:
    begin(view)
    stood: dict[tuple[str, int, int], tuple[float, float]] = {}
    for blocks in passes_of("en"):
        for block in blocks:
            view.add_block(block)
        view._refresh()
        assert view._rows is not None
        stands = {
            (row.region, placed.word.start, placed.word.end): (
                placed.rect.left(),
                placed.rect.top(),
            )
            for row in view._rows.rows
            for placed in row.words
        }
        assert all(stands[key] == stood[key] for key in stood if key in stands)
        stood |= stands


def test_the_impression_waits_for_all_regions(view) -> None:
    begin(view)
    assert view.regions is not None
    rounds = list(passes_of("en"))
    findings = [blocks for blocks in rounds if blocks[0].region != "impression"]
    for blocks in findings:
        assert view.regions.state_of("impression") == "waiting"
        assert "impression" not in {row.region for row in view._rows.rows if row.bar}
        for block in blocks:
            view.add_block(block)
    view._refresh()
    assert view.regions.state_of("impression") == "filling"
    assert view.placeholder_count == 1
    for block in (each for blocks in rounds[len(findings) :] for each in blocks):
        view.add_block(block)
    view._refresh()
    assert view.regions.state_of("impression") == "done"
    assert view.placeholder_count == 0


def test_a_bar_stands_only_where_a_region_still_fills(view) -> None:
    begin(view)
    assert view.placeholder_count == len(REGIONS)
    for block in next(iter(passes_of("en"))):
        view.add_block(block)
    view._refresh()
    filling = {row.region for row in view._rows.rows if row.bar}
    assert filling == {"mediastinum", "lungs", "pleura"}
    view.finish()
    view._refresh()
    assert view.placeholder_count == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_answer_is_whole_and_in_report_order(view, language) -> None:
    begin(view, language)
    for blocks in passes_of(language):
        for block in blocks:
            view.add_block(block)
    text = "".join(each for each, _ in view.transcript.answer(language))
    said = {name: "".join(parts) for name, parts in SAID[language].items()}
    first, second = ("Findings:", " Impression:") if language == "en" else ("所见：", " 结论：")
    findings = "".join(said[name] for name in REGIONS)
    assert text == first + findings + second + said["impression"]


def test_a_block_leads_to_its_region(view) -> None:
    begin(view)
    for blocks in passes_of("en"):
        for block in blocks:
            view.add_block(block)
    view._refresh()
    lungs = [block.index for block in view.transcript.blocks if block.region == "lungs"]
    assert view.passage_of(lungs[0]) == "No pulmonary edema."
    assert view.passage_of(lungs[1]) == "Opacity in the right"


def test_screen_readers_hear_each_region_by_name(view) -> None:
    begin(view)
    for block in next(iter(passes_of("en"))):
        view.add_block(block)
    view._refresh()
    lines = view.accessibleDescription().splitlines()
    assert lines[0] == "Thorax: The thorax is symmetric."
    assert not any(line.startswith("Impression") for line in lines)


def test_kept_regions_stand_quietly_and_wait_for_nothing(view) -> None:
    begin(view)
    view.keep_regions([(name, "Kept words.") for name in REGIONS if name != "lungs"])
    view._refresh()
    assert view.regions is not None
    assert view.regions.state_of("heart") == "kept"
    assert {row.region for row in view._rows.rows if row.bar} == {"lungs"}
    word = next(placed.word for row in view._rows.rows for placed in row.words)
    assert view.describe_word(word) == "kept as it is"


def test_the_impression_comes_into_sight_where_not_all_fits(view) -> None:
    view.resize(260, 240)
    begin(view)
    bar = view.verticalScrollBar()
    for blocks in passes_of("en"):
        if blocks[0].region != "impression":
            assert bar.value() == 0
        for block in blocks:
            view.add_block(block)
        view._refresh()
    assert bar.maximum() > 0
    assert bar.value() == bar.maximum()


def test_tiles_of_one_pass_stand_together_and_share_its_time(qtbot, view) -> None:
    begin(view)
    for blocks in passes_of("en"):
        for block in blocks:
            view.add_block(block)
    tiles = BlockTiles()
    qtbot.addWidget(tiles)
    tiles.resize(900, 30)
    tiles.blocks = view.transcript.blocks
    first = [rank for rank, block in enumerate(tiles.blocks) if block.passed == 1]
    assert {tiles.blocks[rank].duration_ms for rank in first} == {10.0}
    steps = [
        tiles.tile_rect(rank + 1).left() - tiles.tile_rect(rank).left()
        for rank in range(len(first))
    ]
    assert len(set(steps[:-1])) == 1
    assert steps[-1] > steps[0]
    assert tiles.describe_block(2).startswith("Lungs · Block 3:")
