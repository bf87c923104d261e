"""One HTML file people can look at: tables with intervals, pictures, marked drafts. No network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from inference.evaluation.bootstrap import RESAMPLES, SEED, Figure
from inference.evaluation.charts import draw_concept_bars, draw_reliability, draw_speed_and_f1
from inference.evaluation.outcomes import RunDescription
from inference.evaluation.scored_study import ScoredStudy
from inference.evaluation.summary import Difference, Estimate, Result
from inference.report_language import is_canonical, split_sentences
from inference.report_language.statements import Language

_EXAMPLES = 6
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2.2rem } h3 { font-size: 1rem }
table { border-collapse: collapse; margin: .6rem 0 }
th, td { padding: .2rem .7rem; text-align: left; border-bottom: 1px solid #ddd;
  vertical-align: top }
td.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
th + th { text-align: right } small { color: #666 }
mark { background: #ffd7c2; text-decoration: underline wavy #d55e00 } del { color: #a33 }
.draft { border-left: 3px solid #ddd; padding-left: .8rem; margin: .8rem 0 }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem } .wide { overflow-x: auto }
svg { max-width: 100%; height: auto }
"""
_COMPARED_IN_PAIRS = 4  # decodings; of more, each is held against the first alone
_NOTES = (
    f"Intervals: 95 %, percentile bootstrap over studies, {RESAMPLES} resamples, seed {SEED}. "
    f"Differences are taken on the same resamples; of more than {_COMPARED_IN_PAIRS} decodings, "
    "those to the first are shown here, every pair's with --json. A share that no study shows, or "
    "every one, has Clopper and Pearson's interval.",
    "What a report says is measured on chest films. An empty, failed or refused draft misses "
    "everything there; it is never left out.",
    "CIDEr-D takes its IDF from the references of this run: it doesn't compare with other runs.",
    "The grammar is the canonical wording the embedded model was trained on: for reports in "
    "free prose the share of sentences outside it says nothing.",
    "Confidence is the model's probability of its own words, never a probability of disease. A "
    "statement is right if its status is, and the side where it is present.",
)


def compose_page(
    run: RunDescription,
    results: Sequence[Result],
    differences: Sequence[Difference],
    unavailable: Mapping[str, str],
    progress: str,
) -> str:
    """The page's HTML. progress: how many studies were drafted, and whether that was all."""
    languages = list(dict.fromkeys(result.language for result in results))
    parts = [_head(run, progress)]
    for language in languages:
        said = [result for result in results if result.language == language]
        parts.append(f"<h2>Figures, {escape(language)}</h2>{_figure_table(said)}")
        compared = [d for d in differences if d.first.endswith(f"/{language}")]
        if len(said) > _COMPARED_IN_PAIRS:
            compared = [d for d in compared if d.first == said[0].name]
        parts.append(_difference_tables(compared, said))
        parts.append(_pictures(said))
        parts += [_examples(result) for result in said]
    parts.append(_unavailable_list(unavailable))
    parts.append("<h2>How to read this</h2><ul>" + "".join(f"<li>{n}</li>" for n in _NOTES))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Evaluation: {escape(run.model_name)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</ul></body></html>\n"
    )


def _head(run: RunDescription, progress: str) -> str:
    return (
        f"<h1>Evaluation of {escape(run.model_name)} {escape(run.model_version)}</h1>"
        f"<p>{escape(run.source)}; {escape(progress)}.<br><small>model sha256 "
        f"{escape(run.model_sha256)}, block length {run.block_length}, {escape(run.device)}"
        "</small></p>"
    )


def show_value(value: float | None, unit: str) -> str:
    """A figure as people read it: per cent for a share."""
    if value is None:
        return "–"
    places = {"share": 1, "score": 3, "count": 2}[unit]
    rounded = round(100 * value if unit == "share" else value, places) + 0.0  # no minus zero
    shown = f"{rounded:.{places}f}".replace("-", "−")
    return f"{shown} %" if unit == "share" else shown


def show_estimate(estimate: Estimate | None, unit: str) -> str:
    """The value and its interval in plain text."""
    if estimate is None or estimate.value is None:
        return "–"
    shown = show_value(estimate.value, unit)
    if estimate.interval is None:
        return shown
    low, high = (show_value(bound, unit).removesuffix(" %") for bound in estimate.interval)
    return f"{shown} ({low} to {high})"


def _row(label: str, cells: Sequence[str]) -> str:
    return (
        f"<tr><td>{escape(label)}</td>"
        + "".join(f'<td class="figure">{escape(cell)}</td>' for cell in cells)
        + "</tr>"
    )


def _header(cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in cells) + "</tr>"


def _figure_table(results: Sequence[Result]) -> str:
    rows = [
        _row(
            f"{figure.label}{_arrow(figure)}",
            [show_estimate(r.estimates.get(figure.name), figure.unit) for r in results],
        )
        for figure in results[0].figures
    ]
    counts = [
        f"{len(r.studies)} ({sum(s.outcome.is_chest for s in r.studies)} chests)" for r in results
    ]
    header = _header(["", *(result.decoding for result in results)])
    table = f"<table>{header}{_row('studies', counts)}{''.join(rows)}</table>"
    return f'<div class="wide">{table}</div>'


def _arrow(figure: Figure) -> str:
    return {"higher": " ↑", "lower": " ↓", "": ""}[figure.better]


def _difference_tables(differences: Sequence[Difference], results: Sequence[Result]) -> str:
    if not differences:
        return ""
    names = [f"{d.first.split('/')[0]} − {d.second.split('/')[0]}" for d in differences]
    rows = [
        _row(
            figure.label,
            [show_estimate(d.estimates.get(figure.name), figure.unit) for d in differences],
        )
        for figure in results[0].figures
    ]
    studies = _row("studies in both", [str(d.studies) for d in differences])
    table = f"<table>{_header(['', *names])}{studies}{''.join(rows)}</table>"
    return f'<h3>Differences</h3><div class="wide">{table}</div>'


def _pictures(results: Sequence[Result]) -> str:
    reliability = [draw_reliability(r.reliability, r.decoding) for r in results]
    return (
        "<h3>F1 per concept (number of true ones)</h3>"
        f"{draw_concept_bars(results)}<h3>Speed and F1</h3>{draw_speed_and_f1(results)}"
        f'<h3>Reliability of statement confidence</h3><div class="pictures">{"".join(reliability)}'
        "</div>"
    )


def _examples(result: Result) -> str:
    """Drafts with broken sentences, the most broken first, then other failed ones."""
    broken = [s for s in result.studies if s.wording.broken and s.outcome.is_chest]
    broken.sort(key=lambda s: -len(s.wording.broken))
    parts = [_mark_draft(study) for study in broken[:_EXAMPLES]]
    parts += [
        f'<p class="draft"><del>{escape(failure)}</del></p>'
        for failure in result.failures[:_EXAMPLES]
    ]
    if not parts:
        return ""
    return (
        f"<h3>Drafts with broken sentences, {escape(result.decoding)}</h3>"
        f"<p>{len(broken)} of {len(result.studies)} drafts; broken sentences are marked.</p>"
        + "".join(parts)
    )


def _mark_draft(study: ScoredStudy) -> str:
    outcome = study.outcome
    sections = zip(
        ("Findings", "Impression"),
        outcome.sections,
        (outcome.reference_findings, outcome.reference_impression),
        strict=True,
    )
    shown = "".join(
        f"<b>{name}:</b> {_mark_sentences(section, outcome.language)}"
        f"<br><small>Reference: {escape(reference)}</small><br>"
        for name, section, reference in sections
    )
    return f'<div class="draft"><small>{escape(outcome.study)}</small><br>{shown}</div>'


def _mark_sentences(section: str, language: Language) -> str:
    parts, position = [], 0
    for start, end in split_sentences(section):
        parts.append(escape(section[position:start]))
        sentence = escape(section[start:end])
        is_broken = not is_canonical(section[start:end], language)
        parts.append(f"<mark>{sentence}</mark>" if is_broken else sentence)
        position = end
    return "".join(parts) + escape(section[position:])


def _unavailable_list(unavailable: Mapping[str, str]) -> str:
    if not unavailable:
        return ""
    items = "".join(f"<li>{escape(n)}: {escape(why)}</li>" for n, why in unavailable.items())
    return f"<h2>Not measured</h2><ul>{items}</ul>"
