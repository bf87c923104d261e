"""A report judged block after block: each time as if all of it were read anew."""

from __future__ import annotations

from random import Random

import pytest
from tokenizers import Tokenizer

from inference.model_folder.checkpoint import embedded_folder
from inference.phantom import sample_case
from inference.prompts import IMPRESSION_HEADINGS
from inference.report_language import REGIONS, Language, split_sentences
from inference.report_parts import HEADINGS, IMPRESSION, region_of, split_report
from inference.report_rules.report_conflicts import ReportSoFar
from inference.report_rules.report_grammar import (
    BrokenRuns,
    find_broken_runs,
    find_conflicting_runs,
)


def _faults(
    texts: list[str], begin: int, is_end: bool, language: Language, part: str, said: ReportSoFar
) -> list[int]:
    """Of a whole answer, one text a token: places from begin on that lie in a fault."""
    text = "".join(texts)
    faults = find_broken_runs(text, language, is_open=not is_end)
    above = len("".join(texts[:begin]))
    faults += find_conflicting_runs(text, language, above, is_open=not is_end, said=said)
    if part:
        for start, end in split_sentences(text):
            run = text[start:end].strip()
            is_foreign = part != IMPRESSION and region_of(run, language) not in (None, part)
            if is_foreign or any(heading in run for heading in HEADINGS[language]):
                faults.append((start, end))
    found, at = [], above
    for place, token in enumerate(texts[begin:]):
        if any(at < stop and at + len(token) > start for start, stop in faults):
            found.append(place)
        at += len(token)
    concludes = any(heading in text for heading in IMPRESSION_HEADINGS)
    lacks = not concludes if not part else part == IMPRESSION and not text.strip()
    if is_end and (lacks or any(stop == at for _, stop in faults)):
        found.append(len(texts) - begin)
    return found


@pytest.mark.skipif(not embedded_folder().is_dir(), reason="no embedded model here")
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("part", ["", "lungs", IMPRESSION])
def test_each_block_is_judged_as_the_whole_answer_would_be(language: Language, part: str) -> None:
    tokenizer = Tokenizer.from_file(str(embedded_folder() / "tokenizer.json"))
    random, judged = Random(language + part), 0
    for seed in range(12):
        text = sample_case(seed).report(language)
        said = ReportSoFar()
        if part:
            parts = split_report(text, language)
            if part == IMPRESSION:
                for region in REGIONS:
                    said = said.with_text(parts[region])
                said = said.with_heading()
            text = parts[part] + (parts["heart"] if random.random() < 0.3 else "")
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        for _ in range(random.randrange(4)):  # words lost, doubled and swapped
            at = random.randrange(len(ids))
            ids[at : at + 1] = random.choice([[], [ids[at]] * 2, [random.choice(ids)]])
        texts = [tokenizer.decode([token_id]) for token_id in ids]
        if any("�" in token for token in texts):
            continue  # characters of several tokens: see test_report_grammar
        find_broken, at = BrokenRuns(tokenizer, language, part, said), 0
        while at < len(ids):
            end = min(len(ids), at + random.choice([1, 4, 8]))
            for is_end in (False, True):
                found = find_broken(ids[:at], ids[at:end], is_end)
                assert found == _faults(texts[:end], at, is_end, language, part, said)
                judged += bool(found)
            at = end
    assert judged > 5
