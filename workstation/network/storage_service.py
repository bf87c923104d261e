"""Which SOP classes and encodings we take, and how a C-STORE is answered (PS3.4 Annex B)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID
from pynetdicom import _config
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event
from pynetdicom.presentation import PresentationContext, build_context

from workstation.catalog.study_catalog import InstanceConflict
from workstation.dicom.acceptance import (
    CODESTREAM_SYNTAXES,
    DEFLATED_FRAME,
    NATIVE_SYNTAXES,
    RLE_LOSSLESS,
)
from workstation.dicom.presentation_state import GRAYSCALE_SOFTCOPY
from workstation.dicom.unreadable import UnreadableInstance
from workstation.network.failures import StoreUnavailable
from workstation.network.instance_store import AnnouncedOtherwise, InstanceStore

# pynetdicom logs data sets at INFO: patients' names are not for logs (a process-wide switch).
_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False

_log = logging.getLogger(__name__)

_STORAGE = "1.2.840.10008.5.1.4.1.1."
SOP_CLASSES = tuple(
    _STORAGE + suffix
    for suffix in (
        "1",  # Computed Radiography
        "1.1",  # Digital X-Ray, For Presentation
        "1.1.1",  # Digital X-Ray, For Processing
        "1.2",  # Digital Mammography, For Presentation
        "1.2.1",  # Digital Mammography, For Processing
        "1.3",  # Digital Intra-Oral X-Ray, For Presentation
        "1.3.1",  # Digital Intra-Oral X-Ray, For Processing
        "2",  # CT
        "4",  # MR
        "7",  # Secondary Capture
        "7.1",  # Multi-frame Single Bit Secondary Capture
        "7.2",  # Multi-frame Grayscale Byte Secondary Capture
        "7.3",  # Multi-frame Grayscale Word Secondary Capture
        "11.1",  # Grayscale Softcopy Presentation State
        "12.1",  # X-Ray Angiographic
        "12.2",  # X-Ray Radiofluoroscopic
    )
)
"""Storage SOP classes (PS3.4 B.5) that can hold a greyscale film or a series of frames, or say
how one is shown."""

NATIVE_FIRST = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    *sorted(NATIVE_SYNTAXES - {"1.2.840.10008.1.2.1", "1.2.840.10008.1.2"}),
)
COMPRESSED = (*sorted(CODESTREAM_SYNTAXES), RLE_LOSSLESS, DEFLATED_FRAME)

# PS3.4 table B.2-1
SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
_NAMES_SHOWN = 4
_COMMENT_LENGTH = 64  # Error Comment (0000,0902) is an LO


@dataclass(frozen=True)
class IntakeEvent:
    """One thing that came, or was kept out. peer: "AETITLE@address". No patient's name in it.

    kind: stored, known (was there before), refused (this instance), rejected (the caller, or a
    SOP class it offered), failed (nothing wrong with the film: it may be sent again).
    """

    kind: Literal["stored", "known", "refused", "rejected", "failed"]
    peer: str
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    reason: str = ""
    summary: str = ""


Report = Callable[[IntakeEvent], None]
"""Called on a thread of the network's."""


def receiver_contexts() -> list[PresentationContext]:
    """As acceptor: each SOP class in every encoding we decode."""
    return [build_context(each, [*NATIVE_FIRST, *COMPRESSED]) for each in SOP_CLASSES]


def retrieve_contexts() -> list[PresentationContext]:
    """As C-GET requestor: of each SOP class one context uncompressed and one for each usual
    compression, so that the server can send what it has as it is; 128 contexts at most
    (PS3.8 9.3.2.2), one of which is the query's."""
    usual = ("50", "57", "70", "80", "90", "91")
    compressed = [f"1.2.840.10008.1.2.4.{each}" for each in usual]
    contexts = []
    for sop_class in SOP_CLASSES:
        contexts.append(build_context(sop_class, list(NATIVE_FIRST)))
        if sop_class == GRAYSCALE_SOFTCOPY:
            continue  # has no pixels to compress
        contexts.extend(build_context(sop_class, [each]) for each in compressed)
    return contexts


def answer_c_store(event: Event, store: InstanceStore, peer: str, report: Report) -> Dataset:
    """Store what a C-STORE request brings; the response's status and comment (PS3.7 9.3.1.2)."""
    request = event.request
    assert isinstance(request, C_STORE)
    uid, sop_class = str(request.AffectedSOPInstanceUID), str(request.AffectedSOPClassUID)
    try:
        stored = store.store(_file_chunks(event), f"C-STORE {peer}", uid, sop_class)
    except StoreUnavailable as failure:
        report(IntakeEvent("failed", peer, uid, reason=failure.reason))
        return make_status(OUT_OF_RESOURCES, failure.reason)
    except UnreadableInstance as refusal:
        report(IntakeEvent("refused", peer, uid, reason=refusal.reason))
        is_mismatch = isinstance(refusal, AnnouncedOtherwise | InstanceConflict)
        status = DOES_NOT_MATCH if is_mismatch else CANNOT_UNDERSTAND
        return make_status(status, refusal.reason)
    except Exception as bug:
        _log.exception("storing %s from %s", uid, peer)
        reason = f"unexpected error: {type(bug).__name__}"
        report(IntakeEvent("failed", peer, uid, reason=reason))
        return make_status(CANNOT_UNDERSTAND, reason)
    report(
        IntakeEvent(
            "stored" if stored.is_new else "known",
            peer,
            stored.sop_instance_uid,
            stored.study_instance_uid,
            summary=f"{stored.modality or '?'} {stored.view_position}".strip(),
        )
    )
    return make_status(SUCCESS)


def make_status(status: int, comment: str = "") -> Dataset:
    """Of a C-STORE response (PS3.4 Table B.2-1). comment: cut to what Error Comment holds."""
    response = Dataset()
    response.Status = status
    if comment:
        plain = comment.encode("ascii", "replace").decode().replace("\\", "/")
        response.ErrorComment = plain[:_COMMENT_LENGTH].strip()
    return response


def class_names(contexts: Iterable[PresentationContext]) -> str:
    """Their SOP classes by name, each once; of many the first few and how many more."""
    names = list(dict.fromkeys(UID(str(context.abstract_syntax)).name for context in contexts))
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def _file_chunks(event: Event) -> Iterator[bytes]:
    """The request as a DICOM file (PS3.10 7.1): preamble, meta, then the data set as sent."""
    meta = DicomBytesIO()
    meta.is_little_endian, meta.is_implicit_VR = True, False
    write_file_meta_info(meta, event.file_meta)
    yield b"\x00" * 128 + b"DICM" + meta.getvalue()
    yield event.encoded_dataset(include_meta=False)
