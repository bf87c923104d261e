"""Makes one account of what several sentences of a report say of a concept.

Findings win over the impression, a positive over a denial of the same place, the certain over
the doubtful, and the more specific over the general ("bilateral effusions, large on the left"
is a large left effusion and a right one).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from inference.report_language.slots import MEASURES, express_statement
from inference.report_language.statements import Side, Statement

_RANK = {"absent": 0, "uncertain": 1, "present": 2}
_OPPOSITE: dict[Side | None, Side] = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class MergedStatements:
    """kept: one status a place, slots as the canonical sentences express them, no offsets.

    overruled: statements that another one contradicted and that gave way to it.
    """

    kept: tuple[Statement, ...]
    overruled: tuple[Statement, ...]


def merge_statements(
    findings: Iterable[Statement], impression: Iterable[Statement]
) -> MergedStatements:
    """One account of both sections, concepts in order of first mention."""
    sections: dict[str, tuple[list[Statement], list[Statement]]] = {}
    for rank, said in enumerate((findings, impression)):
        for statement in said:
            sections.setdefault(statement.concept, ([], []))[rank].append(
                strip_statement(statement)
            )
    kept: list[Statement] = []
    overruled: list[Statement] = []
    for in_findings, in_impression in sections.values():
        settled = _settle_section(in_findings, overruled)
        concluded = _settle_section(in_impression, overruled)
        kept += _add_conclusions(settled, concluded, overruled)
    return MergedStatements(tuple(dict.fromkeys(express_statement(s) for s in kept)),
                            tuple(overruled))  # fmt: skip


def share_place(one: Statement, other: Statement) -> bool:
    """Whether two statements of one concept may be about the same spot."""
    sides = _is_compatible(one.side, other.side) or "bilateral" in (one.side, other.side)
    return sides and _is_compatible(one.zone, other.zone)


def _is_compatible(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def strip_statement(statement: Statement) -> Statement:
    """Without offsets, and without slots that no canonical sentence expresses."""
    bare = replace(statement, start=0, end=0, trigger_start=0, trigger_end=0)
    if statement.status == "absent":
        return bare  # "no left effusion" must not deny the right one
    expressed = express_statement(bare)
    return replace(expressed, side=None) if statement.side is None else expressed


def _settle_section(said: list[Statement], overruled: list[Statement]) -> list[Statement]:
    """One concept's statements of one section, without contradictions."""
    settled: list[Statement] = []
    for statement in said:
        _add_statement(settled, statement, overruled)
    if any(s.status != "absent" for s in settled):
        settled = [s for s in settled if s.status != "absent"]  # what is unsaid there is denied
    return settled


def _add_statement(
    settled: list[Statement], said: Statement, overruled: list[Statement]
) -> None:  # fmt: skip
    """Take in one more statement of the section that is being read."""
    for known in list(settled):
        if known.status == said.status:
            merged = _merge_alike(known, said)
            if merged is None:
                continue
            if merged == [known]:
                return
            settled.remove(known)
            for part in merged:
                _add_statement(settled, part, overruled)
            return
        if share_place(known, said):
            loser = known if _RANK[known.status] < _RANK[said.status] else said
            if loser.status == "absent" and loser.severity is None:
                overruled.append(loser)
            if loser is said:
                return
            settled.remove(known)
    settled.append(said)


def _merge_alike(known: Statement, said: Statement) -> list[Statement] | None:
    """Two statements of one status as one, or as left and right; None if of two things."""
    if not share_place(known, said):
        return None
    sizes_differ = not _is_compatible(known.severity, said.severity)
    if sizes_differ and MEASURES.get(known.concept) == "size":
        return None
    if _is_compatible(known.side, said.side):
        return [_fill_slots(known, said)]
    both, one = (known, said) if known.side == "bilateral" else (said, known)
    if (one.zone or both.zone) == both.zone and (one.severity or both.severity) == both.severity:
        return [both]
    return [_fill_slots(one, replace(both, side=None)), replace(both, side=_OPPOSITE[one.side])]


def _fill_slots(known: Statement, said: Statement) -> Statement:
    return replace(
        known,
        side=known.side or said.side,
        zone=known.zone or said.zone,
        severity=known.severity or said.severity,
    )


def _add_conclusions(
    settled: list[Statement], concluded: list[Statement], overruled: list[Statement]
) -> list[Statement]:
    """The findings' account, with what the impression adds to it and does not contradict."""
    weak = all(s.status == "absent" and s.rule.startswith("normality") for s in settled)
    if weak and any(s.status != "absent" for s in concluded):
        overruled += settled  # "the lungs are clear" denies nothing that is then named
        return concluded
    if not settled:
        return concluded
    account = list(settled)
    for said in concluded:
        alike = [s for s in account if s.status == said.status and share_place(s, said)]
        if alike:
            _refine(account, alike[0], said)
        elif not any(_leaves_room(s, said) for s in account):
            overruled.append(said)
    return account


def _refine(account: list[Statement], known: Statement, said: Statement) -> None:
    """Fill in what the findings leave open; a side that they do not name is not added."""
    agree = _is_compatible(known.severity, said.severity)
    widens = said.side == "bilateral" and known.side in ("left", "right")
    if (agree or known.side == said.side) and not widens:
        position = account.index(known)
        account[position : position + 1] = _merge_alike(known, said) or [known]


def _leaves_room(known: Statement, said: Statement) -> bool:
    """Whether the impression's words are no contradiction: doubt of a thing seen, no "large"."""
    if "absent" in (known.status, said.status):
        return not share_place(known, said) or said.severity is not None
    return share_place(known, said)
