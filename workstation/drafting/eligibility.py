"""Which films the model may be asked about, by what their header says.

Header text never reaches the prompt; it only keeps the model from describing a hand as a chest.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from workstation.dicom.instance_reader import InstanceHeader
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


def describe_unseen(film_count: int) -> str:
    """What a draft of one film leaves out: said beside the draft, always."""
    translate = QCoreApplication.translate
    if film_count > 1:
        text = translate(
            "eligibility",
            "The model sees this one film. Not seen: {0} more of this study, priors, indication.",
        )
        return text.format(film_count - 1)
    return translate(
        "eligibility", "The model sees this one film. Not seen: lateral, priors, indication."
    )
