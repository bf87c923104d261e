"""Which films the model may be asked about, by what their header says.

Header text never reaches the prompt; it only keeps the model from describing a hand as a chest.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from workstation.dicom.film import InstanceHeader
from workstation.dicom.view_position import FRONTAL_VIEWS

_RADIOGRAPHS = ("CR", "DX", "RG", "XR", "SC", "OT", "")
_CHEST_WORDS = ("CHEST", "THORAX", "LUNG", "RIB")


def reason_not_to_draft(header: InstanceHeader) -> str:
    """Empty where the film may be a frontal chest film, else why the model is not asked."""
    translate = QCoreApplication.translate
    if header.modality not in _RADIOGRAPHS:
        text = translate("eligibility", "The model reads chest radiographs; this is {0}.")
        return text.format(header.modality)
    view = header.view_position.upper()
    if view and view not in FRONTAL_VIEWS:  # often missing: then nothing is known
        text = translate("eligibility", "The model reads frontal films; this one is marked {0}.")
        return text.format(header.view_position)
    body_part = header.body_part.upper()
    if body_part and not any(word in body_part for word in _CHEST_WORDS):
        text = translate("eligibility", "The model reads chest films; this one is marked {0}.")
        return text.format(header.body_part)
    return ""


def describe_unseen(film_count: int, *, has_lateral: bool = False) -> str:
    """What a draft leaves out: said beside the draft, always, so in one short line.

    film_count: films of the study. has_lateral: the model is given the lateral film as well.
    """
    translate = QCoreApplication.translate
    unseen = film_count - 1 - has_lateral
    if has_lateral and unseen > 0:
        text = translate(
            "eligibility", "AI sees frontal, lateral; not: {0} more film(s), priors, indication"
        )
    elif has_lateral:
        text = translate("eligibility", "AI sees frontal, lateral; not: priors, indication")
    elif unseen > 0:
        text = translate(
            "eligibility", "AI sees frontal only; not: {0} more film(s), priors, indication"
        )
    else:
        text = translate("eligibility", "AI sees frontal only; not: lateral, priors, indication")
    return text.format(unseen)
