"""The program of a child process that decodes one JPEG frame with gdcm, and may die doing so.

gdcm aborts the whole process on some damaged streams (issue 2, found by fuzzing), so it never
runs in ours. Imports nothing of this project: it is started by path, isolated (`python -I`).

stdin: "<HHBB" rows, columns, precision, is_lossless, then the JPEG stream.
stdout: [rows, columns] unsigned values, one byte each up to 8 bits, else two, little endian.
"""

from __future__ import annotations

import struct
import sys

MEMORY_LIMIT_BYTES = 3 * 2**30
HEADER = struct.Struct("<HHBB")


def limit_memory() -> None:
    """Where the platform can: a stream that wants more gets an error, not the machine."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no patient in a core dump
    except (ImportError, OSError, ValueError):
        pass


def decode_frame(frame: bytes, rows: int, columns: int, precision: int, lossless: bool) -> bytes:
    """Raw values of a greyscale frame; b"" if gdcm can't."""
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    monochrome2 = gdcm.PhotometricInterpretation.MONOCHROME2
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(monochrome2))
    syntax = gdcm.TransferSyntax
    process = syntax.JPEGLosslessProcess14 if lossless else syntax.JPEGExtendedProcess2_4
    image.SetTransferSyntax(syntax(process))
    bits_allocated = 8 if precision <= 8 else 16
    image.SetPixelFormat(gdcm.PixelFormat(1, bits_allocated, precision, precision - 1, 0))
    buffer = image.GetBuffer()
    # SWIG hands char* over as text; this restores the bytes.
    return b"" if buffer is None else bytes(buffer.encode("utf-8", "surrogateescape"))


def main() -> int:
    """Decode stdin to stdout; 0, or 1 where there is nothing to show."""
    limit_memory()
    request = sys.stdin.buffer.read()
    rows, columns, precision, lossless = HEADER.unpack_from(request)
    decoded = decode_frame(request[HEADER.size :], rows, columns, precision, bool(lossless))
    sys.stdout.buffer.write(decoded)
    return 0 if decoded else 1


if __name__ == "__main__":
    sys.exit(main())
