"""The trigger words of the extraction rules (English), as patterns of ``tokens.expand_pattern``.

After ConText (Harkema et al., J Biomed Inform 2009): negation and uncertainty before and after
the term, pseudo-negation, hypotheticals, and where the scope of a trigger ends.
"""

from __future__ import annotations

_ADVERB = "[definitely|definitively|clearly|currently|convincingly|significantly|grossly]"
_SEEN = (
    "seen|identified|visualized|visualised|evident|demonstrated|present|appreciated|noted|detected"
    "|visible|observed|apparent|found|shown"
)
_CHANGE = (
    "change|changes|increase|decrease|difference|progression|worsening|improvement"
    "|interval_enlargement"
)

# Deny the word beside them, before or after: "resolved effusion", "effusion, resolved".
EITHER_SIDE = ("resolved", "absent")
# What ends the reach of a trigger without ending the clause.
SCOPE_ENDS = (
    "with",
    "which",
    "because",
    "given",
    "despite",
    "though",
    "due to",
    "secondary to",
    "related to",
    "there is|are|was|were",
    ", stable|persistent|unchanged|again|old|chronic",
)
CLAUSE_BREAKS = (
    ";",
    "but",
    "[,] however [,]",
    "although",
    "yet",
    "while",
    "whereas",
    "except [for]",
    "with the exception of",
    "with exception of",
    "other than",
    "apart from",
    "aside from",
    "besides",
    "otherwise",
)
PSEUDO_NEGATIONS = (
    "no|without [definite|significant|appreciable|substantial|major|acute|large|marked] "
    f"[interval|short_interval] {_CHANGE} [in|of|to|since|from|for]",
    "not [significantly|substantially|appreciably] changed|increased|decreased [in]",
    "no longer as",
    "not only",
    "not limited to",
    "no significant interval|further",
)
NEGATIONS = (
    "no [definite|convincing|specific|clear|obvious|radiographic|new|acute] evidence|sign|signs"
    "|findings|finding|indication|suggestion|suspicion of|for|to_suggest|suggesting|suggestive_of",
    "no",
    "without [definite|radiographic|convincing] evidence|sign|signs of|for",
    "without",
    "negative for",
    "free of|from",
    "clear of",
    "absence of",
    "lack of",
    "neither",
    "nor",
    "not",
    "isn't|aren't|wasn't|doesn't",
    "never",
    "denies",
    "resolution|clearing of",
    "rather than",
    "instead of",
    "no longer",
    "non",
    "no longer seen|visualized|visualised|identified|present is|are",
    "interval removal of",
    "removal of",
)
POST_NEGATIONS = (
    f"not {_ADVERB} {_SEEN}",
    f"no longer {_ADVERB} {_SEEN}",
    "is|are|was|were absent|negative|gone",
    "has|have [now|completely] resolved|cleared|disappeared",
    "is|are|has|have now resolved",
    "has|have been removed",
    "was|were removed",
    "is|are|was|were|has_been|have_been ruled out",
    "is|are|was|were excluded",
    "is|are|was|were not suspected|favored|suggested",
)
UNCERTAINTIES = (
    "may|might|could",
    "may|might|could [also|possibly|potentially] represent|reflect|indicate|suggest|be|relate_to"
    "|be_due_to|be_secondary_to|be_related_to|be_consistent_with|be_compatible_with"
    "|be_associated_with|be_seen_with",
    "possible|possibly",
    "probable|probably",
    "potential|potentially",
    "questionable",
    "question [of]",
    "suspected|suspect",
    "cannot|can't|can_not|could_not|unable_to|difficult_to|not [entirely|completely|definitely] "
    "exclude|rule_out",
    "does|do not exclude",
    "differential [diagnosis|considerations] [includes|include|considerations_include]",
    "equivocal",
    "favor|favored|favors|favoring [to_represent|to_be]",
    "versus|vs",
    "if",
    "presumed|presumably",
    "unlikely",
    "considered|consider",
)
# Uncertain words that only soften what precedes them: under a "no" they stay denied.
SUGGESTIONS = (
    "[most] suggest|suggests|suggesting|suggestive [of]",
    "suspicious|suspicion [for|of]",
    "concerning|worrisome [for|of]",
    "concern for|of|about|regarding",
    # Raised is the question, not the finding: "the diaphragm is raised" states one.
    "possibility of",
    "raise|raises|raising|raised [the|a] question|possibility|suspicion|concern of|for|about",
)
POST_UNCERTAINTIES = (
    "cannot|can't|can_not|could_not|not [be] [entirely|completely|definitely|definitively] [be] "
    "excluded|ruled_out",
    "is|are not [entirely|completely|definitely] excluded",
    "not [entirely|completely] excluded",
    f"not well {_SEEN}",
    "difficult|hard|impossible to exclude",
    "is|are [also] possible|suspected|questioned|unlikely|questionable|considered|probable",
    "would be difficult to exclude",
    "is|are a possibility|consideration",
    "is|are|was|were [also] suspected|suggested",
    "difficult to entirely|completely|definitively exclude",
)
AFFIRMATIONS = (
    f"is|are|was|were [again|also|now] {_SEEN.replace('|found|shown', '')}",
    "remains|remain|persists|persist",
    "again [is|are] demonstrated|noted|seen|identified|visualized|evident is|are",
    "also|incidentally|redemonstrated demonstrated|noted|seen|identified is|are",
    "demonstrated|noted|seen|identified|redemonstrated is|are",
    "[near|nearly|almost|partial|partially|incomplete|incompletely] "
    "near|nearly|almost|partial|partially|incomplete|incompletely [completely|complete] "
    "resolution|clearing [of]",
    "[has|have] nearly|almost|partially|partly|incompletely|largely [completely] "
    "resolved|cleared|disappeared",
)
# The concept is named, yet nothing is said about this film.
HYPOTHETICALS = (
    "history of",
    "rule out",
    "r/o",
    "correlate|correlation [clinically] for",
    "in view of [the] history",
    "evaluate|evaluation|assess|assessment|evaluating for|of [possible]",
    "limits|limit [the] evaluation|assessment|detection for|of",
    "patient's known",
)

# Words that look like a side, a zone, a severity or a finding and are not.
NEUTRAL = (
    "left|right heart border",
    "left|right ventricle|ventricular|atrium|atrial|atrial_enlargement|ventricular_enlargement",
    "lower|upper thoracic|lumbar|cervical|abdomen|extremity|spine|trachea",
    "breast|chest_wall mass|masses|density|densities",
    "body|soft_tissue mass index",
    "bone|bony density|mineralization",
    "pericardial effusion|effusions",
    "hepatic|bowel|colonic opacity",
    "or less likely",
    "grossly",
    "in|for comparison",
    "consistent|compatible|associated|in_keeping|combination|along with",
    "subcutaneous|soft_tissue|mediastinal emphysema",
    "subcutaneous|soft_tissue|peripheral|leg edema",
    "cystic fibrosis",
    f"not [previously|definitely|clearly|well] {_SEEN} on|in "
    "[the|a] prior|previous|lateral|frontal|pa",
    "lung volume|volumes",
    "normal [in] volume|volumes|inflation",
    "large body habitus",
    "small bowel",
    "clear of the",
)

# Added in this order: of two equal phrases the first wins.
TRIGGERS = {
    "neutral": NEUTRAL,
    "break": CLAUSE_BREAKS,
    "pseudo": PSEUDO_NEGATIONS,
    "hypothetical": HYPOTHETICALS,
    "post_uncertainty": POST_UNCERTAINTIES,
    "uncertainty": UNCERTAINTIES,
    "suggestion": SUGGESTIONS,
    "post_negation": POST_NEGATIONS,
    "negation": NEGATIONS,
    "either_side": EITHER_SIDE,
    "affirmation": AFFIRMATIONS,
    "scope_end": SCOPE_ENDS,
}
