"""Redrafts whose unit is a region: what the model is given, and where its new texts belong.

Where all regions fill at the same time, a region that the reader gives is no prefix: the model
takes its text as it stands and drafts the others and the impression, which reads them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inference import region_of
from inference.report_language import REGIONS, Language
from workstation.reporting.redrafting.redraft import (
    NothingToRedraft,
    RedraftedSentence,
    RedraftPlan,
    reword_for_model,
)
from workstation.reporting.report_state import JOINERS, ReportState, Sentence
from workstation.reporting.sentences.sentence_statements import concepts_of, statements_of
from workstation.reporting.sentences.statement_comparison import Assertions, assertions_of

IMPRESSION = "impression"
PARTS: tuple[str, ...] = (*REGIONS, IMPRESSION)


def split_by_part(state: ReportState) -> dict[str, tuple[Sentence, ...]]:
    """The sentences of every part of PARTS.

    A finding's sentence belongs to the region of the first concept it states; one that states none
    goes with the sentence before it.
    """
    parts: dict[str, list[Sentence]] = {part: [] for part in PARTS}
    region: str = REGIONS[0]
    for sentence in state.findings:
        region = region_of(sentence.text, state.language) or region
        parts[region].append(sentence)
    parts[IMPRESSION] = list(state.impression)
    return {part: tuple(sentences) for part, sentences in parts.items()}


def part_of_sentence(state: ReportState, sentence_id: int) -> str:
    """Raises NothingToRedraft for a sentence that is gone."""
    for part, sentences in split_by_part(state).items():
        if any(each.id == sentence_id for each in sentences):
            return part
    raise NothingToRedraft("that sentence is no longer in the report")


def plan_region_redraft(state: ReportState, part: str, *, varied: bool = False) -> RedraftPlan:
    """One part of the report anew, all others as they stand. Raises NothingToRedraft.

    A locked sentence of a region keeps the whole of it: the model writes a region in one go. One of
    the impression stays beside what the model says.
    """
    parts = split_by_part(state)
    own = parts[part]
    if part == IMPRESSION and not state.findings:
        raise NothingToRedraft("there are no findings to conclude from")
    if part == IMPRESSION and own and all(each.locked for each in own):
        raise NothingToRedraft("every sentence of the impression is locked")
    if part != IMPRESSION and any(each.locked for each in own):
        raise NothingToRedraft("a sentence of this region is locked")
    drafted = {each.id for each in own if not each.locked}
    places = [each.id for each in (*state.findings, *state.impression)]
    head = next((at for at, number in enumerate(places) if number in drafted), len(places))
    kept = frozenset(places) - drafted
    is_impression = part == IMPRESSION
    return RedraftPlan(
        state,
        "impression" if is_impression else "region",
        kept,
        head,
        "impression" if is_impression else "findings",
        varied,
    )


def is_by_region(plan: RedraftPlan) -> bool:
    """Whether what stays of the findings are whole regions."""
    if plan.scope in ("region", "impression"):
        return True
    parts = split_by_part(plan.state)
    stays = ({each.id in plan.kept for each in parts[region]} for region in REGIONS)
    return plan.scope == "all" and all(len(kept) < 2 for kept in stays)


def given_texts(plan: RedraftPlan) -> tuple[tuple[str, str], ...]:
    """(region, text) of the regions that stay, as the model reads them; a region of which nothing
    is said stays so, unless everything is redrafted."""
    parts = split_by_part(plan.state)
    joiner = JOINERS[plan.state.language]
    given = []
    for region in REGIONS:
        sentences = parts[region]
        stays = all(each.id in plan.kept for each in sentences)
        if stays and (sentences or plan.scope != "all"):
            read = (_read_by_model(each, plan.state.language) for each in sentences)
            given.append((region, "".join(joiner + text for text in read if text)))
    return tuple(given)


def kept_texts(plan: RedraftPlan) -> tuple[tuple[str, str], ...]:
    """The same regions in the report's own words."""
    parts = split_by_part(plan.state)
    joiner = JOINERS[plan.state.language]
    names = [region for region, _ in given_texts(plan)]
    return tuple((name, joiner.join(each.text for each in parts[name])) for name in names)


def place_parts(
    plan: RedraftPlan, drafted: Mapping[str, Sequence[RedraftedSentence]]
) -> tuple[RedraftedSentence, ...]:
    """The redraft as a report: new sentences where their region's old ones stood, kept ones at
    their place.

    drafted: of each part that was. Where one region was and states the same as before, the
    impression stays too.
    """
    parts = split_by_part(plan.state)
    given = {region for region, _ in given_texts(plan)}
    new = {part: list(drafted.get(part, ())) for part in REGIONS if part not in given}
    placed: list[RedraftedSentence] = []
    for region, sentence in _in_order(plan.state, parts):
        if sentence is not None and region in given:
            placed.append(RedraftedSentence("findings", sentence.text, sentence.id))
        elif region in new:
            placed += new.pop(region)
    return (*placed, *_place_impression(plan, drafted))


def _in_order(
    state: ReportState, parts: Mapping[str, tuple[Sentence, ...]]
) -> list[tuple[str, Sentence | None]]:
    """Every sentence of the findings with its region; one that has none, where it would stand."""
    region_of = {each.id: part for part, own in parts.items() for each in own}
    order: list[tuple[str, Sentence | None]] = [
        (region_of[each.id], each) for each in state.findings
    ]
    for rank, region in enumerate(REGIONS):
        if not parts[region]:
            before = [at for at, (name, _) in enumerate(order) if REGIONS.index(name) < rank]
            order.insert(max(before, default=-1) + 1, (region, None))
    return order


def _place_impression(
    plan: RedraftPlan, drafted: Mapping[str, Sequence[RedraftedSentence]]
) -> list[RedraftedSentence]:
    old = plan.state.impression
    if plan.scope == "region" and not _states_otherwise(plan, drafted):
        return [RedraftedSentence("impression", each.text, each.id) for each in old]
    locked = [each for each in old if each.locked]
    language = plan.state.language
    new = [
        each
        for each in drafted.get(IMPRESSION, ())
        if not _is_said(each.text, [kept.text for kept in locked], language)
    ]
    for kept in locked:
        new.insert(old.index(kept), RedraftedSentence("impression", kept.text, kept.id))
    return new


def _states_otherwise(
    plan: RedraftPlan, drafted: Mapping[str, Sequence[RedraftedSentence]]
) -> bool:
    """Whether a region that was drafted anew now states something else."""
    language = plan.state.language
    given = {region for region, _ in given_texts(plan)}
    parts = split_by_part(plan.state)
    return any(
        _stated([each.text for each in parts[region]], language)
        != _stated([each.text for each in drafted.get(region, ())], language)
        for region in REGIONS
        if region not in given
    )


def _stated(sentences: Sequence[str], language: Language) -> dict[str, Assertions]:
    return assertions_of(s for text in sentences for s in statements_of(text, language))


def _is_said(text: str, others: Sequence[str], language: Language) -> bool:
    """Whether another sentence says it, or speaks of all that it speaks of."""
    concepts = concepts_of(text, language)
    return any(
        text == other or (concepts and concepts <= concepts_of(other, language)) for other in others
    )


def _read_by_model(sentence: Sentence, language: Language) -> str:
    is_own = sentence.provenance == "ai"
    return sentence.text if is_own else reword_for_model(sentence.text, language)
