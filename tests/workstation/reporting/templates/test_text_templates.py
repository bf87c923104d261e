"""Template files, their fields, short forms: what loads, what is refused and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import resource_folder
from workstation.reporting.templates.auto_text import find_short_form
from workstation.reporting.templates.text_templates import (
    TemplateField,
    TemplateRefused,
    TextTemplate,
    find_fields,
    load_templates,
    make_template,
    read_template,
    save_template,
    search_templates,
)

DEEP = "Small [side: left|right] effusion, [depth mm] deep."
EFFUSION = TextTemplate("Pleural effusion", "en", "findings", DEEP, ".eff")
NORMAL = TextTemplate("Normal", "en", "findings", "No pleural effusion.", ".nl")
CHINESE = TextTemplate("正常", "zh", "findings", "两肺清晰。", ".zc")


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("No field.", []),
        ("[side: left|right]", [TemplateField(0, 18, "side", ("left", "right"))]),
        ("A [size mm] nodule", [TemplateField(2, 11, "size", (), "mm")]),
        ("[of the nodule cm]", [TemplateField(0, 18, "of the nodule", (), "cm")]),
        ("[finding] at [time]", [TemplateField(0, 9, "finding"), TemplateField(13, 19, "time")]),
        ("[mm]", [TemplateField(0, 4, "mm")]),
        ("[侧：左|右]肺", [TemplateField(0, 7, "侧", ("左", "右"))]),
        ("[间隔 周]后", [TemplateField(0, 6, "间隔", (), "周")]),
    ],
)
def test_fields_of_a_text(text: str, fields: list[TemplateField]) -> None:
    assert list(find_fields(text)) == fields


@pytest.mark.parametrize(
    ("text", "inserted"),
    [
        ("A [size mm] nodule.", "A [size] mm nodule."),
        ("约[压缩 %]，[间隔 周]后", "约[压缩]%，[间隔]周后"),
        ("[side: left|right] lung", "[side: left|right] lung"),
    ],
)
def test_units_stand_behind_their_fields_in_a_report(text: str, inserted: str) -> None:
    assert replace(NORMAL, text=text).inserted_text == inserted


def test_shipped_templates_all_load_in_both_languages(tmp_path: Path) -> None:
    shelf = load_templates(tmp_path / "none yet", resource_folder() / "templates")
    assert shelf.broken == ()
    assert len(shelf.of_language("en")) >= 10
    assert len(shelf.of_language("zh")) >= 6
    assert all(template.is_shipped for template in shelf.templates)
    assert not (tmp_path / "none yet").exists()


def test_what_is_saved_loads_again_and_takes_the_shipped_ones_place(tmp_path: Path) -> None:
    shipped, site = tmp_path / "shipped", tmp_path / "site"
    first = save_template(EFFUSION, shipped)
    assert first.file_name == "en-pleural-effusion.toml"
    changed = save_template(replace(first, text="Effusion of [side: left|right]."), site)
    templates = load_templates(site, shipped).templates
    assert templates == (changed,)
    assert not templates[0].is_shipped
    (site / changed.file_name).unlink()
    assert load_templates(site, shipped).templates[0].text == EFFUSION.text


def test_new_templates_of_one_name_get_files_of_their_own(tmp_path: Path) -> None:
    names = {save_template(replace(NORMAL, short=""), tmp_path).file_name for _ in range(3)}
    assert names == {"en-normal.toml", "en-normal-2.toml", "en-normal-3.toml"}


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=120))
def test_any_name_and_text_come_back_from_the_file(
    tmp_path_factory: pytest.TempPathFactory, name: str, text: str
) -> None:
    folder = tmp_path_factory.mktemp("texts")
    clean = [each.replace("\r", "").replace("[", "(").replace("]", ")") for each in (name, text)]
    try:
        saved = save_template(TextTemplate(clean[0], "en", "findings", clean[1]), folder)
    except (TemplateRefused, UnicodeEncodeError):
        return  # blank, or not to be written as UTF-8
    read = read_template(folder / saved.file_name)
    assert (read.name, read.text) == (clean[0].strip(), clean[1].strip())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("name = ", "it is not TOML"),
        ("", "it has no name"),
        ('name="a"\nlanguage="en"\nsection="findings"\n', "it has no text"),
        ('name="a"\nlanguage="fr"\nsection="findings"\ntext="x"', "its language is none of en, zh"),
        ('name="a"\nlanguage="en"\nsection="body"\ntext="x"', "its section is none of findings"),
        ('name=1\nlanguage="en"\nsection="findings"\ntext="x"', "its name is not a text"),
        ('name="a"\nlanguage="en"\nsection="findings"\ntext=" "', "its text is empty"),
        ('name="a"\nlanguage="en"\nsection="findings"\ntext="x"\nfont="y"', "unknown key: font"),
        ('name="a"\nlanguage="en"\nsection="findings"\ntext="[a"', "a field is not closed"),
        ('name="a"\nlanguage="en"\nsection="findings"\ntext="[]"', "a field is not closed"),
        ('name="a"\nlanguage="en"\nsection="findings"\ntext="[a: b]"', "two or more choices"),
        ('name="a"\nlanguage="en"\nsection="findings"\ntext="x"\nshort="nl"', "short form must"),
        ("x" * 70_000, "longer than any template"),
    ],
)
def test_broken_file_is_named_with_its_reason_and_the_others_load(
    tmp_path: Path, content: str, reason: str
) -> None:
    good = save_template(NORMAL, tmp_path)
    (tmp_path / "bad.toml").write_text(content, "utf-8")
    (tmp_path / "notes.txt").write_text("no template")
    shelf = load_templates(tmp_path)
    assert shelf.templates == (good,)
    assert [each.path.name for each in shelf.broken] == ["bad.toml"]
    assert reason in shelf.broken[0].reason


def test_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00name")
    assert load_templates(tmp_path).broken[0].reason == "it is not UTF-8 text"


def test_short_form_of_the_site_comes_before_a_shipped_one(tmp_path: Path) -> None:
    shipped, site = tmp_path / "shipped", tmp_path / "site"
    save_template(NORMAL, shipped)
    save_template(replace(NORMAL, name="Our normal"), site)
    save_template(replace(NORMAL, name="Z other"), site)
    shelf = load_templates(site, shipped)
    assert {t.name: t.short for t in shelf.templates} == {
        "Our normal": ".nl",
        "Normal": "",
        "Z other": "",
    }
    assert [each.path.name for each in shelf.broken] == ["en-z-other.toml"]
    assert "already that of “Our normal”" in shelf.broken[0].reason


def test_search_finds_by_short_form_name_and_words() -> None:
    templates = (EFFUSION, NORMAL, CHINESE)
    assert search_templates(templates, "") == (NORMAL, EFFUSION, CHINESE)
    assert search_templates(templates, ".nl") == (NORMAL,)
    assert search_templates(templates, "effusion") == (EFFUSION, NORMAL)
    assert search_templates(templates, "deep small") == (EFFUSION,)
    assert search_templates(templates, "清晰") == (CHINESE,)
    assert search_templates(templates, "nothing") == ()


@pytest.mark.parametrize(
    ("before", "language", "found"),
    [
        (".nl", "en", "Normal"),
        ("Hila normal. .nl", "en", "Normal"),
        ("(.nl", "en", "Normal"),
        ("clear.nl", "en", None),
        ("..nl", "en", None),
        (".nl ", "en", None),
        (".n", "en", None),
        ("nl", "en", None),
        (".nl", "zh", None),
        ("心影正常。.zc", "zh", "正常"),
        ("心影正常.zc", "zh", "正常"),
    ],
)
def test_short_form_stands_by_itself(before: str, language: str, found: str | None) -> None:
    short = find_short_form(before, (EFFUSION, NORMAL, CHINESE), language)
    assert (short.template.name if short else None) == found
    if short:
        assert before[short.start : short.end] == short.template.short


def test_template_that_could_not_be_read_again_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(TemplateRefused, match="two or more choices"):
        save_template(replace(NORMAL, text="[side: left]"), tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TemplateRefused, match="its name is empty"):
        make_template({"name": " ", "language": "en", "section": "findings", "text": "x"})
