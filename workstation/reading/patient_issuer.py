"""Who gave a patient ID: two hospitals may give the same one to two people (PS3.3 C.2.2)."""

from __future__ import annotations

import logging
from pathlib import Path

import pydicom

_log = logging.getLogger(__name__)
_TAGS = ["IssuerOfPatientID"]


def read_issuer(path: Path) -> str:
    """Issuer of Patient ID (0010,0021) of a file, "" where it has none or is no DICOM file.

    Reads the header up to the pixels: not for the UI's thread.
    """
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
        return str(header.get("IssuerOfPatientID", "") or "").strip()
    except Exception as error:  # a file without one is refused, or shown, by those who decode it
        _log.debug("issuer of %s: %s", path, error)
        return ""
