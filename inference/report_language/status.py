"""Whether a clause affirms, denies or doubts what it names.

Status in the order pseudo-negation, uncertainty, negation, post-negation, positive
(`report-language.md`); the trigger nearest to the mention decides.
"""

from __future__ import annotations

from inference.report_language.clauses import Clause
from inference.report_language.mentions import Mention
from inference.report_language.statements import Status
from inference.report_language.tokens import Phrase, Token, join_words

_BACKWARD = ("pseudo", "uncertainty", "negation", "hypothetical")
_BESIDE = 3  # tokens a word such as "resolved" may stand from the term
_STOPPERS = ("scope_end",)
_SAYING = ("term", "predicate", "denied_with")
# Said last, these doubt what precedes them: "effusion suspected", "pneumonia, possibly".
_LAST_DOUBTS = {
    "suspected",
    "questionable",
    "questioned",
    "possible",
    "possibly",
    "probable",
    "unlikely",
    "equivocal",
}
_ADJECTIVES = {"suspicious", "concerning", "worrisome"}
_CHOICES = {"or", "nor"}
_TURNED = {
    "pseudo": "post_pseudo",
    "negation": "post_negation",
    "uncertainty": "post_uncertainty",
    "suggestion": "post_uncertainty",
    "hypothetical": "post_hypothetical",
}


def decide_status(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, *, free: bool = False
) -> tuple[Status, str] | None:
    """Status and rule of one mention; None where the clause states nothing about it.

    free: triggers may stand on either side of what they speak of (``Grammar``).
    """
    before = _nearest_trigger_before(tokens, clause, mention)
    after = _nearest_trigger_after(tokens, clause, mention, denied=before is not None, free=free)
    kind = before.kind if before is not None else ""
    words = _words(tokens, before) if before is not None else ""
    if kind == "hypothetical" or (after is not None and after.kind == "post_hypothetical"):
        return None
    if kind == "pseudo":
        return _affirm(mention, f"pseudo-negation:{words}")
    if kind == "uncertainty" and before is not None:
        return _doubt(mention, f"uncertainty:{words}")
    if after is not None and after.kind == "post_uncertainty":
        return _doubt(mention, f"uncertainty:{_words(tokens, after)}")
    if kind == "negation":
        return _deny(mention, f"negation:{words}")
    if after is not None and after.kind == "post_negation":
        return _deny(mention, f"post-negation:{_words(tokens, after)}")
    if after is not None and after.kind == "post_pseudo":
        return _affirm(mention, f"pseudo-negation:{_words(tokens, after)}")
    return _affirm(mention, "positive" if mention.status != "absent" else "")


def _affirm(mention: Mention, rule: str) -> tuple[Status, str] | None:
    if mention.only_denied:
        return None
    if mention.status == "absent":
        return "absent", f"normality:{mention.words}"
    if mention.status == "uncertain":
        return "uncertain", f"uncertainty:{mention.words}"
    return "present", rule


def _deny(mention: Mention, rule: str) -> tuple[Status, str] | None:
    """A denied finding is absent; a denied normal state ("is not normal") says too little."""
    if mention.only_denied and mention.words:
        return "absent", f"normality:{mention.words}"
    return ("absent", rule) if mention.status == "present" else None


def _doubt(mention: Mention, rule: str) -> tuple[Status, str] | None:
    return ("uncertain", rule) if not mention.only_denied else None


def _words(tokens: tuple[Token, ...], phrase: Phrase) -> str:
    return join_words(tokens[phrase.first : phrase.last])


def _nearest_trigger_before(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention
) -> Phrase | None:
    """The last trigger before the mention's anchor whose reach is not ended in between."""
    suggestion: Phrase | None = None
    phrases = [p for p in clause.phrases if p.last <= mention.anchor]
    for index in range(len(phrases) - 1, -1, -1):
        phrase = phrases[index]
        if phrase.kind in _STOPPERS or (
            phrase.kind in ("affirmation", "post_negation", "post_uncertainty")
            and phrase.last <= mention.first
            and _is_followed_by_comma(tokens, phrase, mention)
        ):
            break
        if phrase.kind == "suggestion" and suggestion is None:
            suggestion = phrase
        if phrase.kind == "negation" and suggestion is not None:
            if _is_said_apart(tokens, clause, phrase, suggestion):
                break
            return phrase
        if phrase.kind == "negation" and index > 0:
            # "possibly no effusion": doubt comes before denial.
            doubt = phrases[index - 1]
            if doubt.kind == "uncertainty" and doubt.last == phrase.first:
                return doubt
        if phrase.kind in _BACKWARD:
            return phrase
        if phrase.kind == "either_side" and mention.anchor - phrase.last < _BESIDE:
            return phrase._replace(kind="negation")
    return suggestion._replace(kind="uncertainty") if suggestion is not None else None


def _is_followed_by_comma(tokens: tuple[Token, ...], phrase: Phrase, mention: Mention) -> bool:
    return any(token.word == "," for token in tokens[phrase.last : mention.first])


def _nearest_trigger_after(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, *, denied: bool, free: bool
) -> Phrase | None:
    """The first trigger after the mention; one already under a "no" is reached only without comma.

    "No effusion, pneumothorax cannot be excluded" doubts the pneumothorax only.
    """
    for phrase in clause.phrases:
        if phrase.first < max(mention.last, mention.extent[1]):
            continue
        if free and phrase.kind in _TURNED and not _says_more(clause, phrase):
            if denied and phrase.kind == "suggestion":
                continue  # 无肺炎提示: nothing is suggested
            return phrase._replace(kind=_TURNED[phrase.kind])
        if phrase.kind == "uncertainty" and _is_last_doubt(tokens, clause, mention, phrase):
            return phrase._replace(kind="post_uncertainty")
        if phrase.kind in _STOPPERS or phrase.kind in ("affirmation", "uncertainty", "suggestion"):
            return None
        if phrase.kind in ("negation", "pseudo"):
            return None
        if phrase.kind == "either_side" and phrase.first - mention.last < _BESIDE:
            return phrase._replace(kind="post_negation")
        if phrase.kind in ("post_negation", "post_uncertainty", "post_hypothetical"):
            between = {token.word for token in tokens[mention.last : phrase.first]}
            return None if denied and "," in between else phrase
    return None


def _is_said_apart(
    tokens: tuple[Token, ...], clause: Clause, negation: Phrase, suggestion: Phrase
) -> bool:
    """ "No effusion, findings suspicious for ..." only suggests; without the comma it denies.

    "No effusion, suspicious opacity, or mass" is one list: there the word is an adjective.
    """
    is_adjective = tokens[suggestion.last - 1].word in _ADJECTIVES
    if is_adjective and any(t.word in _CHOICES for t in tokens[suggestion.last : clause.last]):
        return False
    said = [
        p
        for p in clause.phrases
        if p.kind in _SAYING and negation.last <= p.first and p.last <= suggestion.first
    ]
    return bool(said) and any(t.word == "," for t in tokens[said[-1].last : suggestion.first])


def _is_last_doubt(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, phrase: Phrase
) -> bool:
    """Whether a doubt at the end is of this mention: "opacity, pneumonia suspected" is of one."""
    if phrase.last < clause.last or tokens[phrase.first].word not in _LAST_DOUBTS:
        return False
    between = [p for p in clause.phrases if mention.last <= p.first and p.last <= phrase.first]
    return not any(p.kind in _SAYING for p in between)


def _says_more(clause: Clause, trigger: Phrase) -> bool:
    """Whether anything stands behind a trigger that it can speak of."""
    for phrase in clause.phrases:
        if phrase.first < trigger.last:
            continue
        if phrase.kind in _STOPPERS:
            return False
        if phrase.kind in _SAYING:
            return True
    return False
