"""Templates at work in a real editor: picker, short forms, fields, undo, provenance, dialog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from inference import resource_folder
from tests.workstation.ui.test_accessible_names import nameless
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import ReportState
from workstation.reporting.templates.text_templates import (
    TextTemplate,
    load_templates,
    save_template,
)
from workstation.ui.report.report_editor import ReportEditor
from workstation.ui.report.section_editor import SectionEditor
from workstation.ui.report.templates.template_desk import TemplateDesk
from workstation.ui.report.templates.template_dialog import TemplateDialog
from workstation.ui.report.templates.template_picker import TemplatePicker

Key = Qt.Key
DEEP = "[size: Small|Moderate] [side: left|right] effusion, [depth mm] deep."


class Room:
    """An editor with a report, templates of the site's own, and a desk that joins them."""

    def __init__(self, qtbot: QtBot, folder: Path, report: DraftReport) -> None:
        self.qtbot, self.report = qtbot, report
        for name, section, text, short in (
            ("Effusion", "findings", DEEP, ".e"),
            ("Clear lungs", "findings", "Both lungs are clear. No nodule.", ".cl"),
            ("Advice", "impression", "Follow-up in [interval weeks].", ".adv"),
        ):
            save_template(TextTemplate(name, "en", section, text, short), folder)
        save_template(TextTemplate("肺清晰", "zh", "findings", "两肺清晰。", ".qx"), folder)
        self.editor = ReportEditor()
        qtbot.addWidget(self.editor)
        self.editor.resize(700, 800)
        self.editor.show()
        self.editor.set_report(report)
        self.desk = TemplateDesk(self.editor, folder, self.editor)
        self.findings: SectionEditor = self.editor.editors["findings"]
        self.findings.setFocus()
        self.findings.moveCursor(self.findings.textCursor().MoveOperation.End)

    def type(self, text: str) -> None:
        self.qtbot.keyClicks(self.findings, text)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier | None = None) -> None:
        self.qtbot.keyClick(self.findings, key, modifier or Qt.KeyboardModifier.NoModifier)

    @property
    def text(self) -> str:
        self.editor.flush_typing()
        return self.report.state.findings_text

    @property
    def selected(self) -> str:
        return self.findings.textCursor().selectedText()


@pytest.fixture
def room(qtbot: QtBot, tmp_path: Path) -> Room:
    report = DraftReport()
    report.set_from_draft("Hila are not enlarged.", "Normal.")
    return Room(qtbot, tmp_path / "templates", report)


def test_short_form_becomes_its_text_at_a_space_and_one_undo_brings_it_back(room: Room) -> None:
    room.type(" .cl")
    room.press(Key.Key_Space)
    assert room.text == "Hila are not enlarged. Both lungs are clear. No nodule."
    room.type("And more.")
    assert room.text.endswith("No nodule. And more.")
    room.editor.undo()
    assert room.report.state.findings_text == (
        "Hila are not enlarged. Both lungs are clear. No nodule."
    )
    room.editor.undo()
    assert room.report.state.findings_text == "Hila are not enlarged. .cl"


def test_sentences_of_a_template_are_the_readers_and_the_models_stay_its_own(room: Room) -> None:
    room.type(" .cl")
    room.press(Key.Key_Space)
    provenance = [sentence.provenance for sentence in room.report.state.findings]
    assert provenance == ["ai", "human", "human"]


def test_word_that_only_ends_like_a_short_form_stays(room: Room) -> None:
    room.type(" clear.cl")
    room.press(Key.Key_Space)
    assert room.text == "Hila are not enlarged. clear.cl"


def test_fields_are_filled_by_keys_alone(room: Room) -> None:
    room.type(" .e")
    room.press(Key.Key_Tab)
    assert room.selected == "[size: Small|Moderate]"
    room.press(Key.Key_M)
    assert room.selected == "Moderate"
    room.press(Key.Key_Tab)
    assert room.selected == "[side: left|right]"
    room.press(Key.Key_Down)
    room.press(Key.Key_Down)
    assert room.selected == "right"
    room.press(Key.Key_Return)
    assert room.selected == "[depth]"
    room.type("12")
    assert room.text == "Hila are not enlarged. Moderate right effusion, 12 mm deep."
    assert [s.provenance for s in room.report.state.findings] == ["ai", "human"]


def test_back_tab_goes_to_the_field_before_and_typing_replaces_a_choice(room: Room) -> None:
    room.type(" .e")
    room.press(Key.Key_Tab)
    room.press(Key.Key_Tab)
    room.press(Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert room.selected == "[size: Small|Moderate]"
    room.type("Tiny")
    assert room.text.startswith("Hila are not enlarged. Tiny [side: left|right] effusion")


def test_tab_without_a_field_left_goes_on_to_the_next_widget(room: Room) -> None:
    room.press(Key.Key_Tab)
    assert not room.findings.hasFocus()


def test_picker_inserts_where_the_cursor_was(room: Room) -> None:
    cursor = room.findings.textCursor()
    cursor.setPosition(0)
    room.findings.setTextCursor(cursor)
    room.desk.open_picker()
    picker = room.desk.picker
    names = [picker.list.item(row).text() for row in range(picker.list.count())]
    assert any(name.startswith("Clear lungs") for name in names)
    assert not any("肺清晰" in name for name in names)
    room.qtbot.keyClicks(picker.search_field, "lungs are clear")
    assert picker.current is not None
    assert nameless(picker) == []
    room.qtbot.keyClick(picker.search_field, Key.Key_Return)
    assert room.text == "Both lungs are clear. No nodule. Hila are not enlarged."
    assert not picker.isVisible()


def test_template_of_the_other_section_goes_to_its_end(room: Room) -> None:
    room.desk.open_picker()
    picker = room.desk.picker
    room.qtbot.keyClicks(picker.search_field, ".adv")
    room.qtbot.keyClick(picker.search_field, Key.Key_Return)
    assert room.report.state.impression_text == "Normal. Follow-up in [interval] weeks."
    assert room.text == "Hila are not enlarged."


def test_arrows_move_in_the_pickers_list_while_one_types(room: Room) -> None:
    room.desk.open_picker()
    picker: TemplatePicker = room.desk.picker
    first = picker.current
    room.qtbot.keyClick(picker.search_field, Key.Key_Down)
    assert picker.current != first
    room.qtbot.keyClick(picker.search_field, Key.Key_Up)
    assert picker.current == first
    assert first is not None
    assert first.text.split("[")[0] in picker.preview.toPlainText()


def test_chinese_report_takes_chinese_templates_without_spaces(
    qtbot: QtBot, tmp_path: Path
) -> None:
    report = DraftReport(ReportState(language="zh"))
    report.set_from_draft("心影尚可。", "", language="zh")
    room = Room(qtbot, tmp_path, report)
    room.type(".qx")
    room.press(Key.Key_Space)
    assert room.text == "心影尚可。两肺清晰。"


def test_text_beyond_qts_first_plane_does_not_shift_the_fields(room: Room) -> None:
    room.findings.insertPlainText(" 𝔸𝔹 .e")
    room.press(Key.Key_Tab)
    assert room.selected == "[size: Small|Moderate]"


def test_signed_report_takes_no_template(room: Room) -> None:
    room.editor.set_report(DraftReport(room.report.state, signed=True))
    told: list[str] = []
    room.desk.trouble.connect(told.append)
    room.desk.open_picker()
    assert told == ["There is no open report to write into."]
    assert not room.desk.picker.isVisible()


def test_broken_file_is_named_when_the_picker_opens(room: Room) -> None:
    (room.desk.site_folder / "bad.toml").write_text("name = ", "utf-8")
    told: list[str] = []
    room.desk.trouble.connect(told.append)
    room.desk.open_picker()
    assert told[0].startswith("bad.toml is no text template: it is not TOML")
    assert room.desk.picker.list.count() > 3
    room.desk.picker.reject()


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> Iterator[TemplateDialog]:
    opened = TemplateDialog(tmp_path / "site", resource_folder() / "templates", "en", None)
    qtbot.addWidget(opened)
    opened.show()
    yield opened
    opened.reject()


def test_shipped_template_is_copied_only_when_it_is_changed(
    dialog: TemplateDialog, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    dialog.show_template("en-negatives.toml")
    assert not dialog.save_button.isEnabled()
    assert not site.exists()
    dialog.text_field.setPlainText("No pleural effusion. No pneumothorax.")
    with qtbot.waitSignal(dialog.changed) as told:
        qtbot.mouseClick(dialog.save_button, Qt.MouseButton.LeftButton)
    assert told.args[0]["change"] == "saved"
    assert [path.name for path in site.iterdir()] == ["en-negatives.toml"]
    assert dialog.delete_button.text() == "As &shipped"
    yes = QMessageBox.StandardButton.Yes
    monkeypatch.setattr(QMessageBox, "question", lambda *_: yes)
    qtbot.mouseClick(dialog.delete_button, Qt.MouseButton.LeftButton)
    assert list(site.iterdir()) == []
    assert dialog.text_field.toPlainText().endswith("No displaced fracture.")


def test_new_template_is_written_and_what_is_wrong_is_said_at_once(
    dialog: TemplateDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    qtbot.mouseClick(dialog.new_button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(dialog.name_field, "Rib series")
    assert dialog.message.text() == "▲ Not yet: its text is empty."
    qtbot.keyClicks(dialog.text_field, "Ribs: [side: left]")
    assert "two or more choices" in dialog.message.text()
    assert not dialog.save_button.isEnabled()
    dialog.text_field.setPlainText("Ribs: [side: left|right].")
    dialog.short_field.setText(".rib")
    qtbot.mouseClick(dialog.save_button, Qt.MouseButton.LeftButton)
    assert "Saved as en-rib-series.toml" in dialog.message.text()
    own = [t for t in load_templates(tmp_path / "site").templates if t.short == ".rib"]
    assert [template.text for template in own] == ["Ribs: [side: left|right]."]


def test_dialog_names_broken_files(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('name = "x"', "utf-8")
    dialog = TemplateDialog(tmp_path, resource_folder() / "templates", "zh", None)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.broken_label.isVisible()
    assert dialog.broken_label.text() == "▲ bad.toml: it has no language"
    assert dialog.list.item(0).toolTip().startswith("中文")
    assert nameless(dialog) == []


def test_save_that_fails_is_said_and_the_text_stays(
    dialog: TemplateDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "site").write_text("a file where the folder should be")
    dialog.show_template("en-negatives.toml")
    dialog.text_field.setPlainText("No pneumothorax.")
    dialog.save()
    assert dialog.message.text().startswith("Not saved: ")
    assert dialog.text_field.toPlainText() == "No pneumothorax."
