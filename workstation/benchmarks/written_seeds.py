"""Sound files in every transfer syntax that can be written here: what `mutated_films` damages."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from workstation.dicom.presentation_state import GRAYSCALE_SOFTCOPY

_SIDE = 48


def write_seeds() -> dict[str, bytes]:
    """Name -> bytes of a sound DICOM file, PNG or JPEG."""
    pixels = _draw(np.uint16) >> 4
    eight = _draw(np.uint8)
    seeds = {
        "explicit": _film(pixels),
        "implicit": _film(pixels, ImplicitVRLittleEndian),
        "big endian": _film(pixels.astype(">u2"), ExplicitVRBigEndian),
        "deflated": _film(pixels, DeflatedExplicitVRLittleEndian),
        "frames": _film(np.concatenate([pixels] * 3), NumberOfFrames=3, Rows=_SIDE),
        "run length": _film(eight, RLELossless, _run_length(eight)),
        "jpeg": _film(eight, JPEGBaseline8Bit, _saved(eight, "JPEG")),
        "jpeg 2000": _film(eight, JPEG2000, _saved(eight, "JPEG2000", no_jp2=True)),
        "jpeg-ls": _film(eight, JPEGLSLossless, _jpeg_ls(eight)),
        "picture png": _saved(eight, "PNG"),
        "picture jpeg": _saved(eight, "JPEG"),
        "state": _state(),
    }
    lossless = _jpeg_lossless(pixels)
    if lossless is not None:
        seeds["jpeg lossless"] = lossless
    return seeds


def _draw(dtype: type) -> np.ndarray:
    rng = np.random.default_rng(7)
    top = np.iinfo(dtype).max
    ramp = np.linspace(0, top * 0.9, _SIDE * _SIDE).reshape(_SIDE, _SIDE)
    return (ramp + rng.uniform(0, top * 0.05, (_SIDE, _SIDE))).astype(dtype)


def _film(
    pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, frame: bytes = b"", **elements: object
) -> bytes:
    """With window, rescale, LUT, overlay, shutter and sequences, so that all get damaged."""
    bits = 8 * pixels.dtype.itemsize
    dataset = Dataset()
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID, dataset.StudyInstanceUID = "1.2.3.4", "1.2.3"
    dataset.SeriesInstanceUID, dataset.Modality = "1.2.3.1", "DX"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName, dataset.PatientID = "Süß^Ägidius=山田^太郎", "P-1"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = *pixels.shape, 1
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.PresentationLUTShape = "INVERSE"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = 0
    dataset.PixelPaddingValue, dataset.PixelPaddingRangeLimit = 0, 3
    dataset.RescaleSlope, dataset.RescaleIntercept = "1", "0"
    dataset.WindowCenter, dataset.WindowWidth = ["100", "60"], ["120", "90"]
    dataset.PixelSpacing = ["0.2", "0.2"]
    dataset.ShutterShape = ["CIRCULAR", "POLYGONAL"]
    dataset.CenterOfCircularShutter, dataset.RadiusOfCircularShutter = [24, 24], 20
    dataset.VerticesOfThePolygonalShutter = [2, 2, 2, 40, 40, 40, 40, 2]
    dataset.VOILUTSequence = Sequence([_lut()])
    dataset.add_new(0x60000010, "US", _SIDE)
    dataset.add_new(0x60000011, "US", _SIDE)
    dataset.add_new(0x60000040, "CS", "R")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", bytes(range(_SIDE)) * (_SIDE // 8))
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = encapsulate([frame]) if frame else pixels.tobytes()
    dataset["PixelData"].VR = "OB" if frame else "OW"
    dataset["PixelData"].is_undefined_length = bool(frame)
    return _file_bytes(dataset, syntax)


def _lut() -> Dataset:
    lut = Dataset()
    lut.add_new("LUTDescriptor", "US", [256, 0, 8])
    lut.add_new("LUTData", "OW", bytes(range(256)))
    lut.LUTExplanation = "CONTRAST"
    return lut


def _state() -> bytes:
    """A presentation state about the films above."""
    image, series, window, text, graphic, layer, area = (Dataset() for _ in range(7))
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = "1.2", "1.2.3.4"
    series.ReferencedImageSequence = Sequence([image])
    window.WindowCenter, window.WindowWidth = "100", "50"
    text.UnformattedTextValue, text.AnchorPoint = "Nodule", [10.0, 12.0]
    text.AnchorPointAnnotationUnits, text.AnchorPointVisibility = "PIXEL", "Y"
    graphic.GraphicAnnotationUnits, graphic.GraphicDimensions = "PIXEL", 2
    graphic.NumberOfGraphicPoints, graphic.GraphicData = 2, [10.0, 10.0, 15.0, 10.0]
    graphic.GraphicType, graphic.GraphicFilled = "CIRCLE", "N"
    layer.GraphicLayer = "A"
    layer.TextObjectSequence, layer.GraphicObjectSequence = Sequence([text]), Sequence([graphic])
    area.DisplayedAreaTopLeftHandCorner = [1, 1]
    area.DisplayedAreaBottomRightHandCorner = [40, 40]
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", [1, 1]
    state = Dataset()
    state.SOPClassUID, state.SOPInstanceUID, state.Modality = GRAYSCALE_SOFTCOPY, "1.2.9", "PR"
    state.StudyInstanceUID, state.ContentLabel = "1.2.3", "CONF"
    state.ReferencedSeriesSequence = Sequence([series])
    state.SoftcopyVOILUTSequence = Sequence([window])
    state.GraphicAnnotationSequence = Sequence([layer])
    state.DisplayedAreaSelectionSequence = Sequence([area])
    state.PresentationLUTShape, state.ImageRotation = "IDENTITY", 90
    state.add_new(0x60001001, "CS", "A")
    return _file_bytes(state, ExplicitVRLittleEndian)


def _file_bytes(dataset: Dataset, syntax: str) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = FileDataset(
            stream,
            dataset,
            file_meta=meta,
            preamble=b"\0" * 128,
            is_implicit_VR=UID(syntax).is_implicit_VR,
            is_little_endian=UID(syntax).is_little_endian,
        )
        whole.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _saved(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format=kind, **options)
    return stream.getvalue()


def _run_length(pixels: np.ndarray) -> bytes:
    """One segment of literal runs, a row each (PS3.5 G.3.1)."""
    rows = b"".join(bytes([len(row) - 1]) + row.tobytes() for row in pixels)
    return np.array([1, 64, *[0] * 14], "<u4").tobytes() + rows


def _jpeg_ls(pixels: np.ndarray) -> bytes:
    from jpeg_ls import encode_array

    return bytes(encode_array(pixels))


def _jpeg_lossless(pixels: np.ndarray) -> bytes | None:
    """A whole file, transcoded by gdcm; None where it can't."""
    import tempfile

    import gdcm

    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "plain.dcm", Path(folder) / "packed.dcm"
        plain.write_bytes(_film(pixels))
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), None
        reader.SetFileName(str(plain))
        if not reader.Read():
            return None
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        change.SetInput(reader.GetImage())
        if not change.Change():
            return None
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(packed))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        return packed.read_bytes() if writer.Write() else None
