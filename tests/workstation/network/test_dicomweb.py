"""DICOMweb against a plain HTTP server on loopback that answers as servers do, well and badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workstation.network.conftest import Reports
from workstation.network.dicomweb import WebStudySource
from workstation.network.failures import InvalidSettings, LoginRefused, NetworkFailure
from workstation.network.instance_store import InstanceStore
from workstation.network.multipart import BrokenMultipart, first_part
from workstation.network.settings import WebServer
from workstation.network.study_query import FoundStudy, StudyQuery

_TYPE = 'multipart/related; type="application/dicom"; boundary="edge"'
Answer = tuple[int, str, bytes]


class WebArchive:
    """Answers what ``answer(path, query)`` returns; remembers requests and their logins."""

    def __init__(self) -> None:
        self.answer: Callable[[str, dict[str, list[str]]], Answer] = lambda *_: (204, _TYPE, b"")
        self.requests: list[tuple[str, dict[str, list[str]]]] = []
        self.logins: list[str | None] = []
        archive = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                archive.requests.append((parts.path, query))
                archive.logins.append(self.headers.get("Authorization"))
                status, content_type, body = archive.answer(parts.path, query)
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                if 300 <= status < 400:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/web"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def archive() -> Iterator[WebArchive]:
    made = WebArchive()
    yield made
    made.close()


@pytest.fixture
def source(archive: WebArchive) -> WebStudySource:
    return WebStudySource(WebServer("Web", archive.url))


def _json(*objects: dict[str, object]) -> Answer:
    return 200, "application/dicom+json", json.dumps(objects).encode()


def _element(vr: str, value: object) -> dict[str, object]:
    return {"vr": vr, "Value": [value]}


def _study(uid: str = "1.2.3") -> dict[str, object]:
    return {
        "0020000D": _element("UI", uid),
        "00100010": _element("PN", {"Alphabetic": "DOE^JANE"}),
        "00100020": _element("LO", "P-1"),
        "00080020": _element("DA", "20260412"),
        "00080061": {"vr": "CS", "Value": ["DX", "CR"]},
        "00201208": _element("IS", 2),
    }


def _part(content: bytes) -> bytes:
    head = b"--edge\r\nContent-Type: application/dicom\r\n\r\n"
    return head + content + b"\r\n--edge--\r\n"


def _serve_films(archive: WebArchive, films: list[Path]) -> FoundStudy:
    """One study of these films, each instance at its own address."""
    headers = [pydicom.dcmread(film, stop_before_pixels=True) for film in films]
    by_uid = {str(h.SOPInstanceUID): film for h, film in zip(headers, films, strict=True)}

    def answer(path: str, query: dict[str, list[str]]) -> Answer:
        if path.endswith("/instances"):
            first = int(query["offset"][0])
            return _json(
                *[
                    {
                        "0020000E": _element("UI", str(h.SeriesInstanceUID)),
                        "00080018": _element("UI", str(h.SOPInstanceUID)),
                        "00080016": _element("UI", str(h.SOPClassUID)),
                    }
                    for h in headers[first:]
                ]
            )
        return 200, _TYPE, _part(by_uid[path.rsplit("/", 1)[1]].read_bytes())

    archive.answer = answer
    return FoundStudy(str(headers[0].StudyInstanceUID))


def _nothing(*_: object) -> None:
    return None


# -- searching -------------------------------------------------------------------------------


def test_a_search_asks_what_was_typed_and_reads_what_comes(
    archive: WebArchive, source: WebStudySource
) -> None:
    archive.answer = lambda *_: _json(_study())
    query = StudyQuery(patient_name="Doe", date_from="20260101")
    (study,) = source.find_studies(query, threading.Event())
    assert (study.patient_name, study.patient_id) == ("DOE, JANE", "P-1")
    assert (study.modalities, study.instance_count) == (("CR", "DX"), 2)
    path, asked = archive.requests[0]
    assert path == "/web/studies"
    assert asked["PatientName"] == ["Doe*"]
    assert asked["StudyDate"] == ["20260101-"]
    assert set(asked) == {"PatientName", "StudyDate", "includefield", "limit"}
    assert archive.logins == [None]


def test_a_name_is_looked_for_in_capitals_too(archive: WebArchive, source: WebStudySource) -> None:
    archive.answer = lambda _path, query: (
        _json(_study()) if query["PatientName"] == ["DOE*"] else (204, "", b"")
    )
    assert source.find_studies(StudyQuery(patient_name="doe"), threading.Event())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((200, "text/html", b"<html>"), "not a DICOM JSON list"),
        ((200, "application/json", b'{"error": 1}'), "not a DICOM JSON list"),
        ((200, "application/json", b"[[]]"), "not a DICOM JSON list"),
        ((200, "application/json", b"[" * 100_000), "not a DICOM JSON list"),
        ((302, "text/plain", b""), "points to another address"),
        ((404, "text/plain", b""), "no DICOMweb service"),
        ((500, "text/plain", b""), "HTTP 500"),
    ],
)
def test_answers_that_are_none_are_said(
    archive: WebArchive, source: WebStudySource, answer: Answer, reason: str
) -> None:
    archive.answer = lambda *_: answer
    with pytest.raises(NetworkFailure, match=reason):
        source.find_studies(StudyQuery(patient_id="P-1"), threading.Event())


def test_a_malformed_element_costs_only_itself(archive: WebArchive, source: WebStudySource) -> None:
    damaged = {**_study(), "00100020": {"vr": "??", "Value": 7}, "zzz": None}
    archive.answer = lambda *_: _json(damaged, {"0020000D": _element("UI", "../../etc")})
    (study,) = source.find_studies(StudyQuery(patient_id="P-1"), threading.Event())
    assert study.patient_name == "DOE, JANE"
    assert study.patient_id == ""


@pytest.mark.parametrize(
    ("login", "user", "header"),
    [("basic", "reader", "Basic cmVhZGVyOnPDqWNyZXQ="), ("none", "", None)],
)
def test_the_login_goes_along(archive: WebArchive, login: str, user: str, header: str) -> None:
    server = WebServer("Web", archive.url, login, user)  # type: ignore[arg-type]
    WebStudySource(server, "sécret").check()
    assert archive.logins == [header]


def test_tokens_are_sent_as_bearer_and_must_be_ascii(archive: WebArchive) -> None:
    server = WebServer("Web", archive.url, "bearer")
    WebStudySource(server, "abc.def").check()
    assert archive.logins == ["Bearer abc.def"]
    with pytest.raises(InvalidSettings):
        WebStudySource(server, "abc\r\nX-Evil: 1")


def test_a_refused_login_can_be_told_from_other_failures(
    archive: WebArchive, source: WebStudySource
) -> None:
    archive.answer = lambda *_: (401, "text/plain", b"")
    with pytest.raises(LoginRefused):
        source.check()


def test_proxies_of_the_environment_are_not_used(
    archive: WebArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert "answers" in WebStudySource(WebServer("Web", archive.url)).check()


# -- fetching --------------------------------------------------------------------------------


def test_films_are_fetched_one_by_one_and_once(
    archive: WebArchive,
    source: WebStudySource,
    store: InstanceStore,
    reports: Reports,
    phantom_films: list[Path],
) -> None:
    study = _serve_films(archive, phantom_films[:1])
    stop = threading.Event()
    assert source.retrieve(study, store, reports, _nothing, stop).stored == 1
    fetched = len(archive.requests)
    assert source.retrieve(study, store, reports, _nothing, stop).known == 1
    assert len(archive.requests) == fetched + 1  # the list again, no film


def test_a_film_that_breaks_off_leaves_nothing_and_a_retry_completes(
    archive: WebArchive,
    source: WebStudySource,
    store: InstanceStore,
    reports: Reports,
    phantom_films: list[Path],
) -> None:
    study = _serve_films(archive, phantom_films[:1])
    whole = archive.answer

    def cut(path: str, query: dict[str, list[str]]) -> Answer:
        status, content_type, body = whole(path, query)
        return status, content_type, body if path.endswith("/instances") else body[:-5000]

    archive.answer = cut
    with pytest.raises(NetworkFailure, match="cut short"):
        source.retrieve(study, store, reports, _nothing, threading.Event())
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []
    archive.answer = whole
    assert source.retrieve(study, store, reports, _nothing, threading.Event()).stored == 1


def test_another_instance_than_asked_for_is_refused(
    archive: WebArchive,
    source: WebStudySource,
    store: InstanceStore,
    reports: Reports,
    phantom_films: list[Path],
) -> None:
    study = _serve_films(archive, phantom_films[:1])
    right = archive.answer
    archive.answer = lambda path, query: (
        right(path, query)
        if path.endswith("/instances")
        else (200, _TYPE, _part(phantom_films[1].read_bytes()))
    )
    outcome = source.retrieve(study, store, reports, _nothing, threading.Event())
    assert (outcome.stored, outcome.refused) == (0, 1)
    assert "announced" in reports.of_kind("refused")[0].reason


# -- multipart -------------------------------------------------------------------------------


@given(content=st.binary(max_size=300), size=st.integers(1, 40), lead=st.sampled_from([b"", b"hi"]))
def test_a_part_comes_out_as_it_went_in(content: bytes, size: int, lead: bytes) -> None:
    if b"\r\n--edge" in b"\r\n" + content:
        return
    body = lead + (b"\r\n" if lead else b"") + _part(content)
    stream = BytesIO(body)

    class Slow:
        def read(self, _count: int) -> bytes:
            return stream.read(size)

    assert b"".join(first_part(Slow(), _TYPE)) == content  # type: ignore[arg-type]


@given(cut=st.integers(0, 80))
def test_a_part_cut_anywhere_is_never_taken_for_whole(cut: int) -> None:
    body = _part(b"x" * 30)
    end = body.index(b"\r\n--edge--") + len(b"\r\n--edge")
    if cut >= end:
        return
    with pytest.raises(BrokenMultipart):
        list(first_part(BytesIO(body[:cut]), _TYPE))


@pytest.mark.parametrize("content_type", ["text/html", "multipart/related", ""])
def test_what_is_not_multipart_is_refused(content_type: str) -> None:
    with pytest.raises(BrokenMultipart, match="not multipart"):
        list(first_part(BytesIO(_part(b"x")), content_type))
