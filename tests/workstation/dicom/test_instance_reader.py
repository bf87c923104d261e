"""Each rule of PS3.3/PS3.5 on a synthetic file: what opens, as what, with which badge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, RLELossless

from workstation.dicom.display_attributes import BADGE_LOSSY, BADGE_PERCENTILE, BADGE_POLARITY
from workstation.dicom.display_pipeline import modality_values, render_grey
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.voi import LookupTable, Window
from workstation.dicom.window_choices import badges, default_window

WriteDicom = Callable[..., Path]
RAMP = np.arange(64, dtype=np.uint16).reshape(8, 8) * 64


def test_header_and_film_agree_and_pixels_are_exact(write_dicom: WriteDicom) -> None:
    path = write_dicom(RAMP, StudyDate="20260412", PatientOrientation=["L", "F"])
    film = read_film(path)
    assert film.header == read_header(path)
    assert film.header.patient_name == "DOE, JANE"
    assert film.header.study_date == "20260412"
    assert film.header.patient_orientation == ("L", "F")
    assert (film.header.rows, film.header.columns) == (8, 8)
    assert np.array_equal(film.stored, RAMP)
    assert not film.stored.flags.writeable
    assert len(film.image_sha256) == 64


def test_image_sha256_depends_on_values_shape_and_type(write_dicom: WriteDicom) -> None:
    films = [
        read_film(write_dicom(pixels, name=f"{n}.dcm"))
        for n, pixels in enumerate((RAMP, RAMP.reshape(4, 16), RAMP.astype(np.int16), RAMP + 1))
    ]
    assert len({film.image_sha256 for film in films}) == 4


@pytest.mark.parametrize(
    ("shape", "interpretation", "has_badge"),
    [
        ("IDENTITY", "MONOCHROME2", False),
        ("INVERSE", "MONOCHROME1", False),
        ("INVERSE", "MONOCHROME2", True),
        ("IDENTITY", "MONOCHROME1", True),
    ],
)
def test_polarity_follows_photometric_interpretation(
    write_dicom: WriteDicom, shape: str, interpretation: str, has_badge: bool
) -> None:
    film = read_film(
        write_dicom(RAMP, PresentationLUTShape=shape, PhotometricInterpretation=interpretation)
    )
    shown = render_grey(film)
    assert (shown[0, 0] > shown[-1, -1]) == (interpretation == "MONOCHROME1")
    assert (BADGE_POLARITY in badges(film)) == has_badge


def test_high_bit_above_bits_stored_is_shifted_down(write_dicom: WriteDicom) -> None:
    path = write_dicom(RAMP << 4, BitsStored=12, HighBit=15)
    assert np.array_equal(read_film(path).stored, RAMP)


def test_signed_values_ignore_garbage_above_the_high_bit(write_dicom: WriteDicom) -> None:
    values = np.array([[-2048, -1, 0, 2047]], np.int16)
    words = (values.view(np.uint16) & 0x0FFF) | 0xA000
    film = read_film(write_dicom(words, BitsStored=12, HighBit=11, PixelRepresentation=1))
    assert film.stored.tolist() == values.tolist()


def test_contradictory_bits_are_badged_not_fatal(write_dicom: WriteDicom) -> None:
    film = read_film(write_dicom(RAMP, BitsStored=16, HighBit=3))
    assert np.array_equal(film.stored, RAMP)
    assert "contradictory bit depth" in badges(film)


def test_eight_bit_samples_in_big_endian_words_are_unswapped(write_dicom: WriteDicom) -> None:
    values = np.arange(16, dtype=np.uint8).reshape(4, 4)
    swapped = values.reshape(-1, 2)[:, ::-1].reshape(4, 4)
    path = write_dicom(np.ascontiguousarray(swapped), syntax=ExplicitVRBigEndian)
    assert np.array_equal(read_film(path).stored, values)


@pytest.mark.parametrize("is_implicit", [True, False])
@pytest.mark.parametrize("is_big_endian", [True, False])
def test_file_without_preamble_and_meta_opens(
    write_dicom: WriteDicom, is_implicit: bool, is_big_endian: bool
) -> None:
    if is_implicit and is_big_endian:
        pytest.skip("no such transfer syntax")
    pixels = RAMP.byteswap() if is_big_endian else RAMP
    path = write_dicom(
        pixels, with_meta=False, is_implicit=is_implicit, is_big_endian=is_big_endian
    )
    assert path.read_bytes()[128:132] != b"DICM"
    assert np.array_equal(read_film(path).stored, RAMP)


def test_missing_uids_come_from_the_bytes_and_stay_the_same(write_dicom: WriteDicom) -> None:
    bare = {"StudyInstanceUID": None, "SeriesInstanceUID": None}
    first = read_header(write_dicom(RAMP, name="a.dcm", **bare))
    again = read_header(write_dicom(RAMP, name="b.dcm", **bare))
    other = read_header(write_dicom(RAMP + 1, name="c.dcm", **bare))
    assert first == again
    assert first.study_instance_uid.startswith("2.25.")
    uids = {first.study_instance_uid, first.series_instance_uid, other.study_instance_uid}
    assert len(uids) == 3


def test_malformed_uid_is_replaced_by_one_that_groups_the_same(write_dicom: WriteDicom) -> None:
    headers = [
        read_header(write_dicom(RAMP + n, name=f"{n}.dcm", StudyInstanceUID="my study"))
        for n in range(2)
    ]
    assert headers[0].study_instance_uid == headers[1].study_instance_uid
    assert headers[0].study_instance_uid.startswith("2.25.")


@pytest.mark.parametrize(
    ("stated", "shown"),
    [
        ("DOE^JANE", "DOE, JANE"),
        ("DOE^JANE^Q^DR^MD", "DOE, JANE Q, DR, MD"),
        ("DOE", "DOE"),
        ("^JANE", "JANE"),
        ("YAMADA^TARO=山田^太郎=やまだ^たろう", "YAMADA, TARO (山田, 太郎)"),
        ("=山田^太郎", "山田, 太郎"),
        ("DOE\u202e^JA\x07NE", "DOE , JA NE"),
        ("", ""),
    ],
)
def test_person_names_are_displayable(write_dicom: WriteDicom, stated: str, shown: str) -> None:
    path = write_dicom(RAMP, SpecificCharacterSet="ISO_IR 192", PatientName=stated)
    assert read_header(path).patient_name == shown


@pytest.mark.parametrize(
    ("stated", "read"),
    [
        ("20240229", "20240229"),
        ("1994.01.31", "19940131"),
        ("20260230", ""),
        ("19700000", ""),
        ("00000000", ""),
        ("99999999", ""),
        ("2026    ", ""),
    ],
)
def test_dates_are_days_of_the_calendar(
    write_dicom: WriteDicom, make_dataset: Callable[..., Dataset], stated: str, read: str
) -> None:
    dataset = make_dataset(RAMP)
    for keyword in ("StudyDate", "PatientBirthDate"):
        dataset[keyword] = DataElement(keyword, "DA", stated, validation_mode=IGNORE)
    header = read_header(write_dicom(dataset=dataset))
    assert (header.study_date, header.patient_birth_date) == (read, read)


@pytest.mark.parametrize(
    ("slope", "intercept"),
    [("1e308", "0"), ("1e38", "0"), ("1e-300", "0"), ("-1e300", "1e308"), ("1", "1e17")],
)
def test_rescale_that_swallows_the_picture_is_ignored_and_badged(
    write_dicom: WriteDicom, slope: str, intercept: str
) -> None:
    film = read_film(write_dicom(RAMP, RescaleSlope=slope, RescaleIntercept=intercept))
    assert "rescale out of range ignored" in badges(film)
    assert np.array_equal(modality_values(film), RAMP)
    assert render_grey(film).tolist() == render_grey(read_film(write_dicom(RAMP))).tolist()


@pytest.mark.parametrize(
    "window",
    [
        {},
        {"WindowCenter": 100, "WindowWidth": 0},
        {"WindowCenter": "", "WindowWidth": ""},
        {"WindowCenter": 2000, "WindowWidth": 0.5},
        {"WindowCenter": 2000},
    ],
)
def test_unusable_window_falls_back_to_percentiles(
    write_dicom: WriteDicom, window: dict[str, object]
) -> None:
    assert BADGE_PERCENTILE in badges(read_film(write_dicom(RAMP, **window)))


def test_several_windows_keep_function_and_explanation(write_dicom: WriteDicom) -> None:
    film = read_film(
        write_dicom(
            RAMP,
            WindowCenter=[2000, 1000],
            WindowWidth=[4000, 0.5],
            WindowCenterWidthExplanation=["NORMAL", "HARD"],
            VOILUTFunction="SIGMOID",
        )
    )
    assert film.display.windows == (
        Window(2000, 4000, "SIGMOID", "NORMAL"),
        Window(1000, 0.5, "SIGMOID", "HARD"),
    )


def make_lut_item(descriptor: list[int], entries: object, vr: str) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", vr, entries)
    return item


@pytest.mark.parametrize(
    ("item", "entries", "bits"),
    [
        (make_lut_item([4, 0, 12], [0, 1, 2, 4095], "US"), [0, 1, 2, 4095], 12),
        (make_lut_item([4, 0, 16], b"\0\0\x01\0\x02\0\xff\xff", "OW"), [0, 1, 2, 65535], 16),
        (make_lut_item([4, 0, 8], b"\x00\x01\x02\xff", "OW"), [0, 1, 2, 255], 8),
        (make_lut_item([4, 0, 8], [0x0100, 0xFF02], "US"), [0, 1, 2, 255], 8),
        (make_lut_item([4, 0, 8], [0, 1, 2, 255], "US"), [0, 1, 2, 255], 8),
        (make_lut_item([4, 0, 8], [0, 1, 2, 1023], "US"), [0, 1, 2, 1023], 10),
    ],
)
def test_voi_lut_entries_are_read_from_every_packing(
    write_dicom: WriteDicom, item: Dataset, entries: list[int], bits: int
) -> None:
    film = read_film(write_dicom(RAMP, VOILUTSequence=Sequence([item])))
    (lut,) = film.display.voi_luts
    assert lut.entries.tolist() == entries
    assert lut.bits == bits


def test_descriptor_count_zero_means_65536_entries(write_dicom: WriteDicom) -> None:
    entries = np.arange(65536, dtype="<u2")
    item = make_lut_item([0, 0, 16], entries.tobytes(), "OW")
    film = read_film(write_dicom(RAMP, VOILUTSequence=Sequence([item])))
    voi = default_window(film)
    assert isinstance(voi, LookupTable)
    assert len(voi.entries) == 65536


def test_modality_lut_sequence_beats_rescale(write_dicom: WriteDicom) -> None:
    item = make_lut_item([3, 0, 16], [5, 6, 7], "US")
    item.ModalityLUTType = "US"
    path = write_dicom(
        np.array([[0, 1, 2]], np.uint16),
        ModalityLUTSequence=Sequence([item]),
        RescaleSlope=100,
        RescaleIntercept=3,
    )
    assert modality_values(read_film(path)).tolist() == [[5.0, 6.0, 7.0]]


def test_padding_range_is_inclusive_and_read_either_way_round(write_dicom: WriteDicom) -> None:
    elements = Dataset()
    elements.add_new("PixelPaddingValue", "US", 4032)
    film = read_film(write_dicom(RAMP, PixelPaddingValue=4032, PixelPaddingRangeLimit=3968))
    assert film.display.padding_range == (3968, 4032)
    assert render_grey(film)[-1, -2:].tolist() == [0, 0]


def test_padding_that_would_blank_the_film_is_ignored(write_dicom: WriteDicom) -> None:
    film = read_film(write_dicom(RAMP, PixelPaddingValue=0, PixelPaddingRangeLimit=65535))
    assert film.display.padding_range is None
    assert "pixel padding ignored" in badges(film)
    assert render_grey(film).max() == 255


@pytest.mark.parametrize(
    ("elements", "spacing", "kind"),
    [
        ({}, None, "none"),
        ({"PixelSpacing": [0, 0]}, None, "none"),
        ({"ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1), "at detector"),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "at detector"),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.1, 0.1]}, (0.1, 0.1), "calibrated"),
    ],
)
def test_spacing_says_where_it_holds(
    write_dicom: WriteDicom, elements: dict[str, object], spacing: object, kind: str
) -> None:
    display = read_film(write_dicom(RAMP, **elements)).display
    assert (display.pixel_spacing_mm, display.spacing_kind) == (spacing, kind)


def test_aspect_ratio_is_height_over_width(write_dicom: WriteDicom) -> None:
    assert read_film(write_dicom(RAMP, PixelAspectRatio=[4, 3])).display.pixel_aspect_ratio == (
        pytest.approx(4 / 3)
    )
    assert read_film(write_dicom(RAMP, PixelAspectRatio="1")).display.pixel_aspect_ratio == 1


def test_lossy_compression_is_badged(write_dicom: WriteDicom) -> None:
    assert BADGE_LOSSY in badges(read_film(write_dicom(RAMP, LossyImageCompression="01")))


def test_rle_is_unpacked_exactly_and_refused_when_short(write_dicom: WriteDicom) -> None:
    high, low = b"\x00\x07\xf9\x01", b"\xf9\x05\xff\x06"  # literal 07 + 8 x 01; 8 x 05, 2 x 06
    high = b"\xf9\x07" + b"\xff\x01"
    offsets = np.zeros(16, "<u4")
    offsets[:3] = (2, 64, 64 + len(high))
    pixels = np.zeros((2, 5), np.uint16)
    frame = offsets.tobytes() + high + low
    expected = [0x0705] * 8 + [0x0106] * 2
    path = write_dicom(pixels, syntax=RLELossless, PixelData=encapsulate([frame]))
    assert read_film(path).stored.reshape(-1).tolist() == expected
    short = write_dicom(pixels, syntax=RLELossless, PixelData=encapsulate([frame[:-2]]))
    with pytest.raises(UnreadableInstance, match="truncated"):
        read_film(short)
