"""A small PACS of pynetdicom's own on loopback: verification, C-FIND, C-GET and C-MOVE."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from workstation.network.connections import ConnectionGuard
from workstation.network.storage_service import receiver_contexts

_KEYS = ("PatientName", "PatientID", "PatientBirthDate", "StudyDate", "StudyDescription")


@dataclass
class LoopbackPacs:
    """Answers from the given files. held: while set, answers wait until the request is
    cancelled. repeats: how often each study is found. asked: identifiers of C-FIND requests."""

    port: int
    films: list[pydicom.FileDataset]
    ae_title: str = "PACS"
    repeats: int = 1
    destinations: dict[str, int] = field(default_factory=dict)
    held: threading.Event = field(default_factory=threading.Event)
    asked: list[Dataset] = field(default_factory=list)
    was_cancelled: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self._entity = AE(ae_title=self.ae_title)
        self._entity.require_called_aet = True
        for model in (
            Verification,
            StudyRootQueryRetrieveInformationModelFind,
            StudyRootQueryRetrieveInformationModelGet,
            StudyRootQueryRetrieveInformationModelMove,
        ):
            self._entity.add_supported_context(model)
        for context in receiver_contexts():
            syntaxes = context.transfer_syntax
            self._entity.add_supported_context(
                context.abstract_syntax, syntaxes, scu_role=True, scp_role=True
            )
        handlers: list[Any] = [
            (evt.EVT_C_FIND, self._on_find),
            (evt.EVT_C_GET, self._on_get),
            (evt.EVT_C_MOVE, self._on_move),
            *ConnectionGuard().handlers,
        ]
        self._entity.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)

    def stop(self) -> None:
        self.held.clear()
        self._entity.shutdown()

    def _on_find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        self.asked.append(asked)
        for number in range(self.repeats):
            for film in self.films:
                if asked.PatientID not in ("", film.PatientID):
                    continue
                if self._is_cancelled(event):
                    yield 0xFE00, None
                    return
                yield 0xFF00, _answer(film, number)

    def _on_get(self, event: evt.Event) -> Iterator[Any]:
        films = self._films_of(event)
        yield len(films)
        for film in films:
            if self._is_cancelled(event):
                yield 0xFE00, None
                return
            yield 0xFF00, film

    def _on_move(self, event: evt.Event) -> Iterator[Any]:
        port = self.destinations.get(event.move_destination)
        if port is None:
            yield None, None
            return
        yield "127.0.0.1", port, {"contexts": [_context(film) for film in self.films]}
        films = self._films_of(event)
        yield len(films)
        for film in films:
            yield 0xFF00, film

    def _films_of(self, event: evt.Event) -> list[pydicom.FileDataset]:
        uid = event.identifier.StudyInstanceUID
        return [film for film in self.films if film.StudyInstanceUID == uid]

    def _is_cancelled(self, event: evt.Event) -> bool:
        """While held, waits for the cancel; ends by itself if none comes."""
        patience = threading.Event()
        for _ in range(400):
            if event.is_cancelled:  # true only once for each cancel
                self.was_cancelled.set()
                return True
            if not self.held.is_set():
                return False
            patience.wait(0.05)
        return False


def read_films(paths: list[Path]) -> list[pydicom.FileDataset]:
    return [pydicom.dcmread(path) for path in paths]


def _answer(film: pydicom.FileDataset, number: int) -> Dataset:
    answer = Dataset()
    answer.SpecificCharacterSet = "ISO_IR 192"
    answer.QueryRetrieveLevel = "STUDY"
    for keyword in _KEYS:
        setattr(answer, keyword, getattr(film, keyword, ""))
    answer.StudyInstanceUID = film.StudyInstanceUID if number == 0 else f"1.2.3.{number}"
    answer.ModalitiesInStudy = film.Modality
    answer.NumberOfStudyRelatedInstances = 1
    return answer


def _context(film: pydicom.FileDataset) -> Any:
    return build_context(film.SOPClassUID, film.file_meta.TransferSyntaxUID)
