"""Every character on a key image is drawn in a font that has it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from workstation.exports.picture_text import text_size, write_text


def drawn(text: str) -> np.ndarray:
    picture = Image.new("RGB", (600, 120))
    white, black = (255, 255, 255), (0, 0, 0)
    write_text(ImageDraw.Draw(picture), (10.0, 10.0), text, 30.0, white, black, 0)
    return np.asarray(picture.convert("L"))


@pytest.mark.parametrize("text", ["17.77 cm²", "心胸比 0.50°", "面积 3.2 cm² 探测器平面", "é"])
def test_no_character_is_a_box(text: str) -> None:
    """Each looks otherwise than a character that no font has, beside what is as wide."""
    for character in text.replace(" ", ""):
        assert not np.array_equal(drawn(character), drawn("\ue123")), character
        assert drawn(character).any(), character


def test_text_is_as_large_as_it_is_said_to_be() -> None:
    width, height = text_size("Länge 心\n12 mm", 30.0)
    rows, columns = np.nonzero(drawn("Länge 心\n12 mm"))
    assert columns.max() <= 10 + width + 2
    assert columns.max() >= 10 + width - 8
    assert 0.7 * height <= rows.max() - 10 <= 1.1 * height
