from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import write_transaction
from workstation.catalog.study_catalog import (
    DuplicateUid,
    PatientConflict,
    StudyCatalog,
    UnknownStudy,
)
from workstation.dicom.film import InstanceHeader
from workstation.reporting.report_state import ReportState, Sentence
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.versions.report_store import ReportStore

MakeHeader = Callable[..., InstanceHeader]


@pytest.fixture
def catalog(catalog_engine: Engine) -> StudyCatalog:
    return StudyCatalog(catalog_engine)


@pytest.fixture
def filled(catalog: StudyCatalog, make_header: MakeHeader) -> StudyCatalog:
    patients = [
        ("1", "DOE, JANE", "100%", "20260412", "A_1"),
        ("2", "YAMADA, TARO (山田, 太郎)", "P200", "20250101", "B-2"),
        ("3", "ÅSTRÖM, Eva", "P_30", "", ""),
        ("4", "O'BRIEN, Pat", "1000", "20260411", "AX1"),
    ]
    for uid, name, patient_id, date, accession in patients:
        header = make_header(
            sop_instance_uid=f"{uid}.1",
            study_instance_uid=uid,
            patient_name=name,
            patient_id=patient_id,
            study_date=date,
            accession_number=accession,
        )
        catalog.add_instance(header, Path(f"/films/{uid}.dcm"))
    return catalog


def test_imported_film_is_listed_once(catalog: StudyCatalog, make_header: MakeHeader) -> None:
    assert catalog.add_instance(make_header(), Path("/films/a.dcm"))
    assert not catalog.add_instance(make_header(), Path("/elsewhere/a.dcm"))
    (row,) = catalog.list_studies()
    assert (row.patient_name, row.instance_count, row.modalities) == ("DOE, JANE", 1, ("DX",))
    assert row == catalog.study("1.2.3")
    (film,) = catalog.instances("1.2.3")
    assert (film.path, film.rows, film.columns) == (Path("/films/a.dcm"), 64, 48)


def test_films_of_a_study_hang_frontal_first(
    catalog: StudyCatalog, make_header: MakeHeader
) -> None:
    for uid, view, modality in [("a", "LL", "CR"), ("b", "PA", "DX"), ("c", "", "DX")]:
        header = make_header(sop_instance_uid=uid, view_position=view, modality=modality)
        catalog.add_instance(header, Path(f"/{uid}"))
    assert [film.sop_instance_uid for film in catalog.instances("1.2.3")] == ["b", "a", "c"]
    assert catalog.study("1.2.3").modalities == ("CR", "DX")
    assert catalog.study("1.2.3").instance_count == 3


def test_newest_study_comes_first_and_undated_ones_last(filled: StudyCatalog) -> None:
    assert [row.study_instance_uid for row in filled.list_studies()] == ["1", "4", "2", "3"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("doe", ["1"]),
        ("jane doe", ["1"]),
        ("DOE^JANE", ["1"]),
        ("%", ["1"]),
        ("_", ["1", "3"]),
        ("100%", ["1"]),
        ("a_1", ["1"]),
        ("20260412", ["1"]),
        ("2026-04-12", ["1"]),
        ("2026/04/12", ["1"]),
        ("2026-04", ["1", "4"]),
        ("2026", ["1", "4"]),
        ("太郎", ["2"]),
        ("ＹＡＭＡＤＡ", ["2"]),
        ("åström", ["3"]),
        ("a\u030astro\u0308m", ["3"]),
        ("o'brien", ["4"]),
        ("p200 yamada", ["2"]),
        ("doe yamada", []),
        ("  ", ["1", "4", "2", "3"]),
        ("'; DROP TABLE study; --", []),
    ],
)
def test_search_finds_by_name_id_accession_and_date(
    filled: StudyCatalog, search: str, found: list[str]
) -> None:
    assert [row.study_instance_uid for row in filled.list_studies(search)] == found


def test_status_follows_the_report(
    catalog: StudyCatalog, catalog_engine: Engine, study_uid: str
) -> None:
    audit = AuditLog(catalog_engine)
    assert catalog.study(study_uid).status == "new"
    state = ReportState(findings=(Sentence(1, "Normal.", "human"),))
    ReportStore(catalog_engine, audit).save_draft(study_uid, state, [])
    assert catalog.study(study_uid).status == "draft"
    SignOff(catalog_engine, audit).sign(study_uid, "Dr. Roe")
    assert catalog.study(study_uid).status == "signed"
    assert [row.status for row in catalog.list_studies()] == ["signed"]


def test_another_patients_film_can_not_join_a_study(
    catalog: StudyCatalog, make_header: MakeHeader, study_uid: str
) -> None:
    stranger = make_header(sop_instance_uid="9", patient_id="P-2", patient_name="ROE, RICHARD")
    with pytest.raises(PatientConflict, match=r"/films/r.dcm: .*another patient"):
        catalog.add_instance(stranger, Path("/films/r.dcm"))
    assert catalog.study(study_uid).instance_count == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"study_instance_uid": "1.2.4"}, r"of study 1\.2\.3"),
        ({"study_instance_uid": "1.2.4", "patient_id": "P-2"}, r"of study 1\.2\.3"),
        ({"patient_id": "P-2"}, "Patient ID 'P-1', in this file 'P-2'"),
        ({"rows": 65}, "of 64 x 48 pixels"),
    ],
)
def test_another_film_of_the_same_uid_is_not_called_known(
    catalog: StudyCatalog,
    make_header: MakeHeader,
    study_uid: str,
    changes: dict[str, Any],
    why: str,
) -> None:
    other = make_header(**changes)
    with pytest.raises(
        DuplicateUid, match=rf"/films/r\.dcm: its SOP Instance UID 1\.2\.3\.1 .*{why}"
    ):
        catalog.add_instance(other, Path("/films/r.dcm"))
    assert [row.study_instance_uid for row in catalog.list_studies()] == [study_uid]
    assert not catalog.add_instance(make_header(), Path("/films/copy.dcm"))


def test_one_patient_id_for_two_people_is_told_by_name_and_birth_date(
    catalog: StudyCatalog, make_header: MakeHeader, study_uid: str
) -> None:
    def add(number: str, **changes: Any) -> None:
        header = make_header(sop_instance_uid=number, **changes)
        catalog.add_instance(header, Path(f"/films/{number}.dcm"))

    add("2", patient_name="DOE JANE", patient_birth_date="")
    add("3", patient_name="ROE, JANE")  # married since
    add("4", patient_birth_date="19700110")  # typed anew
    with pytest.raises(PatientConflict, match="the same Patient ID, but another name and birth"):
        add("5", patient_name="ROE, RICHARD", patient_birth_date="19991231")
    nobody = {"study_instance_uid": "1.5", "patient_id": "", "patient_birth_date": ""}
    add("6", **nobody)
    add("7", **nobody, patient_name="doe, jane")
    with pytest.raises(PatientConflict, match="the same Patient ID, but another name"):
        add("8", **nobody, patient_name="ROE, RICHARD")
    assert (catalog.study(study_uid).instance_count, catalog.study("1.5").instance_count) == (4, 2)


def test_unknown_study_is_named(catalog: StudyCatalog) -> None:
    with pytest.raises(UnknownStudy, match=r"no study 9\.9"):
        catalog.study("9.9")
    assert catalog.instances("9.9") == []


def test_film_and_audit_row_are_added_together_or_not_at_all(
    catalog: StudyCatalog, catalog_engine: Engine, make_header: MakeHeader
) -> None:
    audit = AuditLog(catalog_engine)

    def import_and_fail() -> None:
        with write_transaction(catalog_engine) as connection:
            catalog.add_instance(make_header(), Path("/a"), connection=connection)
            audit.append("import", user="u", connection=connection)
            raise OSError("disk pulled")

    with pytest.raises(OSError, match="pulled"):
        import_and_fail()
    assert catalog.list_studies() == []
    assert audit.entries() == []


def test_undecodable_names_are_kept(catalog: StudyCatalog, make_header: MakeHeader) -> None:
    path = Path(os.fsdecode(b"/films/\xc9\xbd.dcm"))  # GBK bytes, not UTF-8
    catalog.add_instance(make_header(patient_name="A\udc80B"), path)
    assert catalog.instances("1.2.3")[0].path == path
    assert catalog.list_studies()[0].patient_name == "A?B"
