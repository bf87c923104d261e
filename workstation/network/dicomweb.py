"""QIDO-RS and WADO-RS (PS3.18 10.6, 10.4) from one configured service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID

from workstation.dicom.element_values import text_of
from workstation.dicom.unreadable import UnreadableInstance, muted_warnings
from workstation.network.failures import NetworkFailure, Stopped, StoreUnavailable
from workstation.network.instance_store import InstanceStore, StoredInstance
from workstation.network.multipart import BrokenMultipart, first_part
from workstation.network.settings import WebServer
from workstation.network.storage_service import SOP_CLASSES, IntakeEvent, Report
from workstation.network.study_query import (
    MAX_STUDIES,
    FoundStudy,
    Progress,
    RetrieveOutcome,
    StudyQuery,
    check_query,
    newest_first,
    read_found_study,
    spellings,
)
from workstation.network.web_client import WebClient

_JSON = "application/dicom+json"
_DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'  # as it is stored
_MAX_JSON_BYTES = 64 * 2**20
_PAGE = 1000
_NOBODY = "2.25.0"  # no study has this UID
_RETURN_FIELDS = (
    "StudyDescription",
    "ModalitiesInStudy",
    "PatientBirthDate",
    "PatientSex",
    "NumberOfStudyRelatedInstances",
)


@dataclass(frozen=True)
class _Instance:
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str


class WebStudySource:
    """A ``StudySource`` over HTTP(S). secret: password or token, where the server wants one."""

    def __init__(self, server: WebServer, secret: str = "") -> None:
        self._server = server
        self._client = WebClient(server, secret)

    def check(self) -> str:
        """Search for a study that nobody has."""
        self._search("studies", {"StudyInstanceUID": _NOBODY, "limit": "1"})
        return f"{self._server.name} answers (DICOMweb)."

    def find_studies(self, query: StudyQuery, stop: Event) -> list[FoundStudy]:
        check_query(query)
        found: list[FoundStudy] = []
        for spelled in spellings(query):
            found = found or self._find(spelled)
            if stop.is_set():
                raise Stopped
        return newest_first(found)[:MAX_STUDIES]

    def _find(self, query: StudyQuery) -> list[FoundStudy]:
        asked = {
            "PatientName": query.name_pattern,
            "PatientID": query.patient_id,
            "StudyDate": query.date_range,
            "ModalitiesInStudy": query.modality,
            "AccessionNumber": query.accession_number,
            "includefield": ",".join(_RETURN_FIELDS),
            "limit": str(MAX_STUDIES),
        }
        answers = self._search("studies", {key: value for key, value in asked.items() if value})
        with muted_warnings():
            return [study for study in map(read_found_study, answers) if study is not None]

    def retrieve(
        self,
        study: FoundStudy,
        store: InstanceStore,
        report: Report,
        progress: Progress,
        stop: Event,
    ) -> RetrieveOutcome:
        """One request a film: what is here already is not fetched again, a stop loses one film."""
        instances = self._list_instances(study.study_instance_uid)
        if not instances:
            raise NetworkFailure(self._server.name, "it lists no instances of this study")
        outcome = RetrieveOutcome()
        progress(0, len(instances))
        for done, instance in enumerate(instances):
            if stop.is_set():
                raise Stopped
            try:
                kind = self._retrieve_one(study, instance, store, report, stop)
            except StoreUnavailable as failure:
                uid = instance.sop_instance_uid
                report(IntakeEvent("failed", self._server.name, uid, reason=failure.reason))
                return replace(outcome, failed=len(instances) - done, reason=failure.reason)
            outcome = replace(outcome, **{kind: getattr(outcome, kind) + 1})
            progress(done + 1, len(instances))
        return outcome

    def _retrieve_one(
        self,
        study: FoundStudy,
        instance: _Instance,
        store: InstanceStore,
        report: Report,
        stop: Event,
    ) -> str:
        """ "stored", "known" or "refused", as reported."""
        uid, study_uid = instance.sop_instance_uid, study.study_instance_uid
        peer = self._server.name
        if store.is_listed(study_uid, uid):
            report(IntakeEvent("known", peer, uid, study_uid))
            return "known"
        try:
            if instance.sop_class_uid and instance.sop_class_uid not in SOP_CLASSES:
                reason = f"not received here: {UID(instance.sop_class_uid).name}"
                report(IntakeEvent("refused", peer, uid, study_uid, reason))
                return "refused"
            stored = self._fetch(study_uid, instance, store, stop)
        except UnreadableInstance as refusal:
            report(IntakeEvent("refused", peer, uid, study_uid, refusal.reason))
            return "refused"
        kind = "stored" if stored.is_new else "known"
        summary = f"{stored.modality or '?'} {stored.view_position}".strip()
        report(
            IntakeEvent(
                "stored" if stored.is_new else "known", peer, uid, study_uid, summary=summary
            )
        )
        return kind

    def _fetch(
        self, study_uid: str, instance: _Instance, store: InstanceStore, stop: Event
    ) -> StoredInstance:
        series_uid, uid = instance.series_instance_uid, instance.sop_instance_uid
        path = f"studies/{study_uid}/series/{series_uid}/instances/{uid}"
        with self._client.get(path, _DICOM) as response:
            content_type = response.headers.get("Content-Type", "")
            chunks = self._guarded(first_part(response, content_type), stop)
            return store.store(chunks, f"WADO-RS {self._server.name}", announced_uid=uid)

    def _guarded(self, chunks: Iterator[bytes], stop: Event) -> Iterator[bytes]:
        """So that a broken connection isn't taken for a full disk, and a stop is heeded."""
        try:
            for chunk in chunks:
                if stop.is_set():
                    raise Stopped
                yield chunk
        except BrokenMultipart as error:
            raise NetworkFailure(self._server.name, str(error)) from None
        except OSError as error:
            words = error.strerror or "no answer in time"
            raise NetworkFailure(self._server.name, f"the connection broke: {words}") from None

    def _list_instances(self, study_uid: str) -> list[_Instance]:
        """All of them, page by page; a server that knows no pages sends the same again."""
        found: dict[str, _Instance] = {}
        while True:
            page = {"limit": str(_PAGE), "offset": str(len(found))}
            answers = self._search(f"studies/{study_uid}/instances", page)
            before = len(found)
            for answer in answers:
                instance = _read_instance(answer)
                if instance is not None:
                    found.setdefault(instance.sop_instance_uid, instance)
            if len(found) == before or len(answers) < _PAGE:
                return list(found.values())

    def _search(self, path: str, query: Mapping[str, str]) -> list[Dataset]:
        with self._client.get(path, _JSON, query) as response:
            if response.status == 204:
                return []
            body = response.read(_MAX_JSON_BYTES + 1)
        if len(body) > _MAX_JSON_BYTES:
            raise NetworkFailure(self._server.name, "the search finds too much; narrow it")
        try:
            answers = json.loads(body) if body.strip() else []
            if not isinstance(answers, list):
                raise TypeError(type(answers).__name__)
            return [_read_json(answer) for answer in answers]
        except (ValueError, TypeError, RecursionError):
            reason = "the answer is not a DICOM JSON list; is this a DICOMweb address?"
            raise NetworkFailure(self._server.name, reason) from None


def _read_json(answer: Any) -> Dataset:
    """One object of the DICOM JSON model (PS3.18 Annex F); elements that are none are dropped."""
    dataset = Dataset()
    if not isinstance(answer, dict):
        raise TypeError(type(answer).__name__)
    with muted_warnings():
        for tag, element in answer.items():
            try:
                dataset.update(Dataset.from_json({tag: element}))
            except Exception:  # pydicom raises anything on a malformed element
                continue
    return dataset


def _read_instance(answer: Dataset) -> _Instance | None:
    with muted_warnings():
        uids = [
            text_of(answer, keyword)
            for keyword in ("SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
        ]
    # They go into a URL: nothing but a UID may.
    if not all(each and set(each) <= set("0123456789.") for each in uids[:2]):
        return None
    return _Instance(*uids)
