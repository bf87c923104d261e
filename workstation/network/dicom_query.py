"""C-ECHO, C-FIND, C-GET and C-MOVE to one configured server, study root (PS3.4 Annexes A and C)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, Association, build_context, build_role, evt
from pynetdicom.events import Event as NetworkEvent
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from workstation.dicom.unreadable import muted_warnings
from workstation.network.caller_tls import open_caller_tls
from workstation.network.connections import ConnectionGuard
from workstation.network.failures import NetworkFailure, Stopped
from workstation.network.instance_store import InstanceStore
from workstation.network.settings import DicomServer, check_ae_title, check_server
from workstation.network.storage_service import (
    SOP_CLASSES,
    IntakeEvent,
    Report,
    answer_c_store,
    retrieve_contexts,
)
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

_CONNECT_S = 10.0
_ANSWER_S = 60.0
_CANCEL_GRACE_S = 3.0

_FIND = StudyRootQueryRetrieveInformationModelFind
_GET = StudyRootQueryRetrieveInformationModelGet
_MOVE = StudyRootQueryRetrieveInformationModelMove

# PS3.4 C.4.1.1.4, C.4.2.1.5 and C.4.3.1.4; ranges by their first digits.
_REASONS = {
    0xA700: "it is out of resources",
    0xA701: "it can not count the matches: out of resources",
    0xA702: "it could not send: out of resources",
    0xA801: "it does not know our AE title as a destination; its administrator has to add it",
    0xA900: "it does not understand the query",
    0x0110: "it failed to process the query",
    0x0122: "it does not offer this service",
    0x0124: "we are not authorised there",
    0x0211: "it does not know this operation",
}
_RETURN_KEYS = (
    "PatientBirthDate",
    "PatientSex",
    "StudyTime",
    "StudyDescription",
    "NumberOfStudyRelatedInstances",
)


@dataclass(frozen=True)
class DicomStudySource:
    """A ``StudySource`` over DIMSE. own_ae_title: how we call ourselves, and where C-MOVE sends.

    can_receive: whether our receiver listens; without it C-MOVE has nowhere to send to.
    """

    server: DicomServer
    own_ae_title: str
    can_receive: bool = False

    def __post_init__(self) -> None:
        check_server(self.server)
        check_ae_title(self.own_ae_title)

    def check(self) -> str:
        """C-ECHO."""
        with self._association([build_context(Verification)]) as association:
            status = association.send_c_echo()
            if status.get("Status") != 0x0000:
                raise self._failure(status)
        return f"{self.server.ae_title} answers (C-ECHO)."

    def find_studies(self, query: StudyQuery, stop: Event) -> list[FoundStudy]:
        check_query(query)
        found: list[FoundStudy] = []
        for spelled in spellings(query):
            found = found or self._find(spelled, stop)
            if stop.is_set():
                raise Stopped
        return newest_first(found)

    def _find(self, query: StudyQuery, stop: Event) -> list[FoundStudy]:
        found: list[FoundStudy] = []
        with muted_warnings():
            identifier = _identifier(query)
        with (
            self._association([build_context(_FIND)]) as association,
            _cancelled_by(stop, association, _FIND),
        ):
            for status, answer in association.send_c_find(identifier, _FIND):
                code = status.get("Status")
                if code in (0xFF00, 0xFF01) and answer is not None:
                    with muted_warnings():
                        study = read_found_study(answer)
                    if study is not None and len(found) < MAX_STUDIES:
                        found.append(study)
                        if len(found) == MAX_STUDIES:
                            association.send_c_cancel(1, query_model=_FIND)
                elif code not in (0x0000, 0xFE00) and not stop.is_set():
                    raise self._failure(status)
        return found

    def retrieve(
        self,
        study: FoundStudy,
        store: InstanceStore,
        report: Report,
        progress: Progress,
        stop: Event,
    ) -> RetrieveOutcome:
        if self.server.retrieve_by == "move":
            return self._move(study, progress, stop)
        return self._get(study, store, report, progress, stop)

    def _get(
        self,
        study: FoundStudy,
        store: InstanceStore,
        report: Report,
        progress: Progress,
        stop: Event,
    ) -> RetrieveOutcome:
        peer = f"{self.server.ae_title}@{self.server.host}"
        seen: Counter[str] = Counter()

        def count(event: IntakeEvent) -> None:
            seen[event.kind] += 1
            report(event)
            progress(seen.total(), max(study.instance_count, seen.total()))

        def on_c_store(event: NetworkEvent) -> Dataset:
            return answer_c_store(event, store, peer, count)

        contexts = [build_context(_GET), *retrieve_contexts()]
        roles = [build_role(each, scp_role=True) for each in SOP_CLASSES]
        with (
            self._association(contexts, roles, [(evt.EVT_C_STORE, on_c_store)]) as association,
            _cancelled_by(stop, association, _GET),
        ):
            final = Dataset()
            for status, _ in association.send_c_get(_study_level(study), _GET):
                final = status
        unsent = max(0, _failed(final) - seen["refused"] - seen["failed"])
        if final.get("Status") == 0xA702 and seen:
            final.Status = 0xB000  # every sub-operation failed, some of them because we refused
        reason = self._ending(final, stop)
        return RetrieveOutcome(
            seen["stored"], seen["known"], seen["refused"], unsent + seen["failed"], reason
        )

    def _move(self, study: FoundStudy, progress: Progress, stop: Event) -> RetrieveOutcome:
        """The films arrive at the receiver, which stores, counts and reports them."""
        if not self.can_receive:
            reason = "it sends films to our receiver (C-MOVE), which is switched off"
            raise NetworkFailure(self.server.name, reason)
        with (
            self._association([build_context(_MOVE)]) as association,
            _cancelled_by(stop, association, _MOVE),
        ):
            final = Dataset()
            moves = association.send_c_move(_study_level(study), self.own_ae_title, _MOVE)
            for status, _ in moves:
                final = status
                remaining = status.get("NumberOfRemainingSuboperations") or 0
                done = _completed(status) + _failed(status)
                progress(done, max(done + remaining, study.instance_count))
        reason = self._ending(final, stop)
        return RetrieveOutcome(stored=_completed(final), failed=_failed(final), reason=reason)

    def _ending(self, final: Dataset, stop: Event) -> str:
        """Raises for an ending that is none; else what the server says of films not sent, or ""."""
        code = final.get("Status")
        if stop.is_set():
            raise Stopped
        if code == 0x0000:
            return ""
        if code == 0xB000:  # sub-operations complete, one or more failures
            return str(final.get("ErrorComment", ""))
        raise self._failure(final)

    def _failure(self, status: Dataset) -> NetworkFailure:
        code = status.get("Status")
        if code is None:
            return NetworkFailure(self.server.name, "no answer, or the connection broke")
        comment = str(status.get("ErrorComment", ""))
        words = _REASONS.get(code) or _REASONS.get(code & 0xFF00) or "it refused"
        return NetworkFailure(
            self.server.name, f"{words} (status {code:04X}{', ' if comment else ''}{comment})"
        )

    @contextmanager
    def _association(
        self,
        contexts: list[PresentationContext],
        roles: list[Any] | None = None,
        handlers: list[Any] | None = None,
    ) -> Iterator[Association]:
        """An association with all its contexts, released at the end; aborted on an error."""
        server = self.server
        entity = AE(ae_title=self.own_ae_title.strip())
        entity.connection_timeout = _CONNECT_S
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _ANSWER_S
        association = entity.associate(
            server.host,
            server.port,
            contexts=contexts,
            ae_title=server.ae_title.strip(),
            ext_neg=roles,
            tls_args=(open_caller_tls(server), server.host) if server.uses_tls else None,
            evt_handlers=[*(handlers or []), *ConnectionGuard().handlers],
        )
        if not association.is_established:
            raise NetworkFailure(server.name, _why_not(association, server))
        try:
            wanted = contexts[0].abstract_syntax
            if not any(each.abstract_syntax == wanted for each in association.accepted_contexts):
                association.release()
                raise NetworkFailure(server.name, _REASONS[0x0122])
            yield association
        except BaseException:
            association.abort()
            raise
        if association.is_established:
            association.release()


def _why_not(association: Association, server: DicomServer) -> str:
    if association.is_rejected:
        answer = association.acceptor.primitive
        words = getattr(answer, "reason_str", "") or "no reason given"
        return f"it rejects the connection ({words}); check both AE titles"
    tls = " by TLS" if server.uses_tls else ""
    return f"no answer{tls} from {server.host}:{server.port}"


@contextmanager
def _cancelled_by(stop: Event, association: Association, model: str) -> Iterator[None]:
    """Send a C-CANCEL when stop is set (PS3.7 9.3.2.3), and abort if that is not heeded."""
    is_over = Event()

    def watch() -> None:
        while not is_over.wait(0.05):
            if stop.is_set():
                if association.is_established:
                    association.send_c_cancel(1, query_model=model)
                if not is_over.wait(_CANCEL_GRACE_S):
                    association.abort()
                return

    watcher = Thread(target=watch, name="networkStop", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


def _identifier(query: StudyQuery) -> Dataset:
    identifier = Dataset()
    if not f"{query.patient_name}{query.patient_id}{query.accession_number}".isascii():
        identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = ""
    identifier.PatientName = query.name_pattern
    identifier.PatientID = query.patient_id
    identifier.StudyDate = query.date_range
    identifier.ModalitiesInStudy = query.modality
    identifier.AccessionNumber = query.accession_number
    for keyword in _RETURN_KEYS:
        setattr(identifier, keyword, None if keyword.startswith("NumberOf") else "")
    return identifier


def _study_level(study: FoundStudy) -> Dataset:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = study.study_instance_uid
    return identifier


def _completed(status: Dataset) -> int:
    warned = status.get("NumberOfWarningSuboperations") or 0
    return int((status.get("NumberOfCompletedSuboperations") or 0) + warned)


def _failed(status: Dataset) -> int:
    return int(status.get("NumberOfFailedSuboperations") or 0)
