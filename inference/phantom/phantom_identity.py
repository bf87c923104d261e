"""Who a phantom's films say they are of: invented, and marked as a phantom wherever it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from inference.phantom.case import PhantomCase

_GIVEN = {"F": ("ADA", "MARIE", "ROSALIND", "GRACE"), "M": ("GODFREY", "WILHELM", "ALLAN", "IAN")}
# (pinyin, ideographs); the family name stands for "phantom" as PHANTOM does in the others.
_CHINESE_FAMILY = ("MOTI", "模体")
_CHINESE_GIVEN = {
    "F": (("LIHUA", "丽华"), ("XIULAN", "秀兰"), ("MIN", "敏")),
    "M": (("WEI", "伟"), ("JIANGUO", "建国"), ("QIANG", "强")),
}


@dataclass(frozen=True)
class PhantomIdentity:
    """Patient and study as DICOM states them. Dates YYYYMMDD, time HHMMSS."""

    name: str  # PN, e.g. "PHANTOM^ADA" or "MOTI^LIHUA=模体^丽华" (PS3.5 6.2.1)
    character_set: str  # Specific Character Set that can hold the name
    patient_id: str
    birth_date: str
    sex: str
    age: int  # whole years on the study date
    study_date: str
    study_time: str
    accession_number: str


def identity_of(case: PhantomCase) -> PhantomIdentity:
    """The same seed always gives the same patient; a later study, a later date."""
    seed, build = case.seed, case.build
    name, character_set = _name(seed, build.sex)
    first = date(2026, 1, 5) + timedelta(days=seed % 200)
    between = 9 + seed % 40  # days from one study to the next
    study_day = first + timedelta(days=between * case.study)
    birthday = (1 + seed % 12, 1 + seed % 28)
    born = date(first.year - build.age - (birthday > (first.month, first.day)), *birthday)
    age = study_day.year - born.year - (birthday > (study_day.month, study_day.day))
    return PhantomIdentity(
        name=name,
        character_set=character_set,
        patient_id=f"PH-{seed:06d}",
        birth_date=born.strftime("%Y%m%d"),
        sex=build.sex,
        age=age,
        study_date=study_day.strftime("%Y%m%d"),
        study_time=f"{8 + (seed + case.study) % 10:02d}{(seed + 7 * case.study) % 60:02d}00",
        accession_number=f"DEMO{seed:06d}{case.study:02d}",
    )


def _name(seed: int, sex: str) -> tuple[str, str]:
    """Every third patient has a Chinese name, in one of the two encodings met in practice."""
    if seed % 3:
        return f"PHANTOM^{_GIVEN[sex][seed % 4]}", "ISO_IR 192"
    given, ideographs = _CHINESE_GIVEN[sex][seed // 3 % 3]
    name = f"{_CHINESE_FAMILY[0]}^{given}={_CHINESE_FAMILY[1]}^{ideographs}"
    return name, "GB18030" if seed % 2 else "ISO_IR 192"
