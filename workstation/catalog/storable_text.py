"""Text as the database can hold it."""

from __future__ import annotations


def storable_text(text: str) -> str:
    """Text without lone surrogates (undecodable file names): neither UTF-8 nor SQLite hold them."""
    return text.encode("utf-8", "replace").decode("utf-8")
