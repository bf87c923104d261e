"""Searching 100,000 studies as one types, and importing many small films.

Both in the same run beside what was there before: a search in SQLite that makes every row anew;
one transaction, with its wait for the disk, for each film.
"""

from __future__ import annotations

import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from PySide6.QtWidgets import QApplication
from sqlalchemy import insert

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import open_database, write_transaction
from workstation.catalog.schema import InstanceRecord, StudyRecord
from workstation.catalog.study_catalog import StudyCatalog
from workstation.catalog.study_search import make_search_text
from workstation.dicom.film import InstanceHeader
from workstation.intake.import_run import ImportRun
from workstation.intake.instance_recorder import InstanceRecorder
from workstation.ui.studies.study_list import StudyList
from workstation.ui.theme import apply_theme

_FAMILIES = ("DOE", "ROE", "YAMADA", "MÜLLER", "GARCIA", "SMITH", "NOVAK", "山田", "OKAFOR", "LEE")
_GIVEN = ("JANE", "RICHARD", "TARO", "EVA", "JOSE", "ANNA", "IVAN", "太郎", "AMARA", "MIN")
_SEARCHES = ("d", "do", "doe", "doe j", "doe ja", "2024", "2024-05", "p012", "p01234", "nobody")


class _Silent:
    """An import's listener that only counts."""

    def __init__(self) -> None:
        self.added = self.refused = 0

    def on_progress(self, done: int, total: int) -> None: ...
    def on_known(self, study_instance_uid: str, sop_instance_uid: str) -> None: ...
    def on_state_kept(self, study_instance_uid: str, sop_instance_uid: str) -> None: ...

    def on_added(self, header: InstanceHeader, path: Path) -> None:
        self.added += 1

    def on_refused(self, path: Path, reason: str) -> None:
        self.refused += 1


def run_studies(studies: int, films: int) -> int:
    """Measure and print; returns the exit code."""
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    with tempfile.TemporaryDirectory(prefix="echo-bench-") as folder:
        _bench_search(Path(folder) / "search", studies, machine)
        _bench_import(Path(folder), films, machine)
    return 0


def _bench_search(folder: Path, count: int, machine: str) -> None:
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    apply_theme(app)
    engine = open_database(folder)
    catalog = StudyCatalog(engine)
    with write_transaction(engine) as connection:
        studies, instances = _invent_studies(count)
        connection.execute(insert(StudyRecord), studies)
        connection.execute(insert(InstanceRecord), instances)
    began, began_cpu = time.perf_counter(), time.process_time()
    rows = catalog.list_studies()
    read_ms = 1000 * (time.perf_counter() - began)
    read_cpu_ms = 1000 * (time.process_time() - began_cpu)
    widget = StudyList()
    widget.resize(340, 900)
    widget.show()
    filled = _time([lambda: widget.set_studies(rows)])
    app.processEvents()

    def type_and_paint(words: str) -> None:
        widget.search_field.setText(words)
        widget.view.viewport().repaint()

    def search_in_sqlite(words: str) -> None:
        catalog.list_studies(words)

    typed = _time_searches(type_and_paint)
    queried = _time_searches(search_in_sqlite)
    print(f"studies: {count}; {machine}, Qt platform {app.platformName()}")
    print(
        f"  read from SQLite {read_ms:.0f} ms ({read_cpu_ms:.0f} of processor time), "
        f"into the list {filled}"
    )
    print(f"  a keystroke, rows painted: {typed} (aim: below 50 ms)")
    print(
        f"  the same words in SQLite, rows made, nothing painted: {queried}: "
        f"{queried.median_cpu / typed.median_cpu:.1f}x the processor time"
    )
    asked = [row.study_instance_uid for row in rows[:: count // 5]]
    print(f"  one study read: {_time([partial(catalog.study, uid) for uid in asked])}")
    print(f"  one study changed: {_time([lambda: widget.put_study(rows[count // 2])] * 5)}")
    widget.close()
    engine.dispose()


@dataclass(frozen=True)
class Times:
    """Milliseconds by the clock and of the processor: they differ on a busy machine."""

    clock: tuple[float, ...]
    processor: tuple[float, ...]

    @property
    def median_cpu(self) -> float:
        return statistics.median(self.processor)

    def __str__(self) -> str:
        return (
            f"median {statistics.median(self.clock):.1f}, slowest {max(self.clock):.1f} ms; "
            f"processor {self.median_cpu:.1f}, at most {max(self.processor):.1f} ms"
        )


def _time_searches(search: Callable[[str], None]) -> Times:
    """After one warm round."""
    words = (*_SEARCHES, "")
    for each in words:
        search(each)
    return _time([partial(search, each) for each in words])


def _time(calls: Sequence[Callable[[], object]]) -> Times:
    clock, processor = [], []
    for call in calls:
        began, began_cpu = time.perf_counter(), time.process_time()
        call()
        clock.append(1000 * (time.perf_counter() - began))
        processor.append(1000 * (time.process_time() - began_cpu))
    return Times(tuple(clock), tuple(processor))


def _invent_studies(count: int) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    rng = random.Random(0)
    studies: list[dict[str, object]] = []
    instances: list[dict[str, object]] = []
    for number in range(count):
        patient = rng.randrange(count * 2 // 3)
        name = f"{_FAMILIES[patient % 10]}, {_GIVEN[patient // 10 % 10]} {patient % 997}"
        patient_id = f"P{patient:06}"
        day = f"20{rng.randrange(15, 27)}{rng.randrange(1, 13):02}{rng.randrange(1, 29):02}"
        uid = f"2.25.{number}"
        studies.append(
            {
                "study_instance_uid": uid,
                "patient_name": name,
                "patient_id": patient_id,
                "patient_birth_date": f"19{patient % 90 + 10}0101",
                "patient_sex": "FM"[patient % 2],
                "study_date": day,
                "study_time": f"{rng.randrange(24):02}0000",
                "study_description": "Chest",
                "accession_number": f"A{number}",
                "search_text": make_search_text(name, patient_id, f"A{number}", day),
                "added_at": "2026-11-21",
            }
        )
        for view in ("PA", "LL")[: 1 + number % 2]:
            instances.append(
                {
                    "sop_instance_uid": f"{uid}.{view}",
                    "study_instance_uid": uid,
                    "series_instance_uid": uid,
                    "sop_class_uid": "1.2",
                    "modality": ("CR", "DX")[number % 3 == 0],
                    "view_position": view,
                    "image_laterality": "",
                    "rows": 10,
                    "columns": 10,
                    "source_format": "DICOM",
                    "path": f"/films/{uid}/{view}.dcm",
                    "added_at": "2026-11-21",
                }
            )
    return studies, instances


def _bench_import(folder: Path, count: int, machine: str) -> None:
    films = folder / "films"
    for number in range(count):
        _write_film(films / f"{number % 100:02}" / f"{number}.dcm", number)
    print(f"import: {count} films of 64 x 64 in 100 folders; {machine}")
    seconds: dict[str, Times] = {}
    for name, is_batched in (("one transaction a film", False), ("batches", True)):
        engine = open_database(folder / name)
        recorder = InstanceRecorder(StudyCatalog(engine), AuditLog(engine), "bench")
        record = recorder if is_batched else recorder.__call__
        heard = _Silent()
        run = ImportRun([films], record, None, heard, Event())
        seconds[name] = _time([run.run])
        assert (heard.added, heard.refused) == (count, 0)
        print(f"  {name:24} {_rate(count, seconds[name])}")
        if is_batched:
            again = ImportRun([films], record, None, _Silent(), Event())
            print(f"  {'all known already':24} {_rate(count, _time([again.run]))}")
        engine.dispose()
    ratio = seconds["one transaction a film"].clock[0] / seconds["batches"].clock[0]
    print(f"  batches against one transaction a film: {ratio:.1f}x (aim: 150 files/s)")


def _rate(count: int, times: Times) -> str:
    by_clock, by_processor = 1000 * count / times.clock[0], 1000 * count / times.processor[0]
    return f"{by_clock:6.0f} files/s by the clock, {by_processor:6.0f} per second of processor time"


def _write_film(path: Path, number: int) -> None:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number + 1}"
    dataset.SOPInstanceUID = f"2.25.{number + 1}"
    dataset.StudyInstanceUID = f"2.25.9{number // 2}"
    dataset.SeriesInstanceUID = f"2.25.8{number // 2}"
    dataset.PatientName, dataset.PatientID = f"DOE^{number // 2}", f"P{number // 2}"
    dataset.StudyDate, dataset.Modality, dataset.ViewPosition = "20260412", "DX", "PA"
    dataset.Rows = dataset.Columns = 64
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelData = bytes(64 * 64 * 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
