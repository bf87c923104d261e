"""What the parts of a report are called where they are drafted at the same time."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from workstation.reporting.redrafting.region_redraft import IMPRESSION

_translate = QCoreApplication.translate
_CONTEXT = "regions"


def name_region(region: str) -> str:
    """For the reader; a part that is unknown here keeps the engine's name."""
    names = {
        "thorax": _translate(_CONTEXT, "Thorax"),
        "mediastinum": _translate(_CONTEXT, "Mediastinum"),
        "lungs": _translate(_CONTEXT, "Lungs"),
        "pleura": _translate(_CONTEXT, "Pleura"),
        "heart": _translate(_CONTEXT, "Heart"),
        "hila": _translate(_CONTEXT, "Hila"),
        "diaphragm": _translate(_CONTEXT, "Diaphragm"),
        "bones": _translate(_CONTEXT, "Bones"),
        "devices": _translate(_CONTEXT, "Devices"),
        IMPRESSION: _translate(_CONTEXT, "Impression"),
    }
    return names.get(region, region)
