"""The section editor shows exactly the report's text, whatever it showed before."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from workstation.reporting.report_state import Sentence
from workstation.ui.report.section_editor import SectionEditor

WORDS = st.sampled_from(["No nodule.", "Small mass.", "𠮷 气胸。", "Mass 🙂 here.", "a", "No."])
REPORTS = st.lists(st.lists(WORDS, max_size=6), min_size=1, max_size=5)


def sentences(texts: list[str]) -> tuple[Sentence, ...]:
    return tuple(Sentence(number, text, "ai", 0.9) for number, text in enumerate(texts))


@pytest.fixture
def editor(qtbot) -> SectionEditor:
    editor = SectionEditor("findings")
    qtbot.addWidget(editor)
    return editor


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(REPORTS)
def test_shown_text_is_the_report_s_after_any_change(editor, reports) -> None:
    for texts in reports:
        editor.show_sentences(sentences(texts))
        assert editor.toPlainText() == " ".join(texts)
        for cursor, sentence in editor._marks:
            assert cursor.selectedText() == sentence.text


def test_showing_a_report_is_not_typing(qtbot, editor) -> None:
    with qtbot.assertNotEmitted(editor.typed, wait=400):
        editor.show_sentences(sentences(["No nodule."]))


def test_typing_not_yet_handed_over_is_never_overwritten(qtbot, editor) -> None:
    editor.show_sentences(sentences(["No nodule."]))
    qtbot.keyClicks(editor, "New. ")
    editor.show_sentences(sentences(["No nodule."]))
    assert editor.toPlainText() == "New. No nodule."
    with qtbot.waitSignal(editor.typed) as typed:
        editor.flush_typing()
    assert typed.args == ["New. No nodule."]


def test_editor_keeps_no_undo_of_its_own(qtbot, editor) -> None:
    assert not editor.isUndoRedoEnabled()
    with qtbot.waitSignal(editor.undo_requested):
        qtbot.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
