from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from workstation.network.failures import InvalidSettings
from workstation.network.settings import (
    DicomServer,
    NetworkSettings,
    ReceiverSettings,
    Server,
    WebServer,
    check_receiver,
    check_server,
    settings_as_text,
    settings_from_text,
)

_RECEIVER = ReceiverSettings(allowed_ae_titles=("MODALITY1",))
_PACS = DicomServer("PACS", "pacs.example", "PACS")
_WEB = WebServer("Web", "https://pacs.example/dicom-web")


def test_nothing_listens_and_nothing_is_asked_by_default() -> None:
    settings = NetworkSettings()
    assert not settings.receiver.is_on
    assert settings.receiver.is_loopback_only
    assert settings.servers == ()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"allowed_ae_titles": ()}, "allowed_ae_titles"),
        ({"allowed_ae_titles": ("SEVENTEEN-LETTERS",)}, "allowed_ae_titles"),
        ({"ae_title": "  "}, "ae_title"),
        ({"ae_title": "A\\B"}, "ae_title"),
        ({"ae_title": "MÜNCHEN"}, "ae_title"),
        ({"port": 0}, "port"),
        ({"port": 70000}, "port"),
        ({"host": ""}, "host"),
        ({"certificate_file": __file__}, "key_file"),
        ({"key_file": __file__}, "certificate_file"),
        ({"certificate_file": "/no/such", "key_file": __file__}, "certificate_file"),
        ({"client_ca_file": __file__}, "certificate_file"),
    ],
)
def test_receivers_that_can_not_work_are_refused(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        check_receiver(replace(_RECEIVER, **changes))  # type: ignore[arg-type]
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("server", "field"),
    [
        (replace(_PACS, name=" "), "name"),
        (replace(_PACS, host=""), "host"),
        (replace(_PACS, host="http://pacs"), "host"),
        (replace(_PACS, ae_title=""), "ae_title"),
        (replace(_PACS, ca_file="/no/such"), "ca_file"),
        (replace(_WEB, url="pacs.example"), "url"),
        (replace(_WEB, url="ftp://pacs.example"), "url"),
        (replace(_WEB, url="https://a:b@pacs.example"), "url"),
        (replace(_WEB, url="https://pacs.example:x/"), "url"),
        (replace(_WEB, login="basic"), "user"),
        (replace(_WEB, url="http://pacs.example", login="bearer"), "url"),
    ],
)
def test_servers_that_can_not_work_are_refused(server: DicomServer | WebServer, field: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        check_server(server)
    assert refusal.value.field == field


def test_a_login_may_go_unencrypted_to_this_machine_only() -> None:
    check_server(replace(_WEB, url="http://127.0.0.1:8042/dicom-web", login="bearer"))
    check_receiver(_RECEIVER)
    check_server(_PACS)


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    settings = NetworkSettings(replace(_RECEIVER, is_on=True), (_PACS, _WEB))
    assert settings_from_text(settings_as_text(settings)) == settings
    assert settings_from_text("") == NetworkSettings()


def test_settings_of_older_versions_have_no_certificate_of_ours() -> None:
    text = settings_as_text(NetworkSettings(servers=(_PACS, _WEB)))
    older = text.replace('"certificate_file": "", ', "").replace('"key_file": "", ', "")
    receiver = json.loads(text)["receiver"]
    older_json = {**json.loads(older), "receiver": receiver}
    assert "certificate_file" not in older_json["servers"][0]
    assert settings_from_text(json.dumps(older_json)).servers == (_PACS, _WEB)


@pytest.mark.parametrize(
    ("server", "field"),
    [
        (replace(_PACS, uses_tls=True, certificate_file=__file__), "key_file"),
        (replace(_PACS, uses_tls=True, key_file=__file__), "certificate_file"),
        (replace(_PACS, certificate_file=__file__, key_file=__file__), "uses_tls"),
        (replace(_PACS, uses_tls=True, certificate_file="/no", key_file=__file__),
         "certificate_file"),
        (replace(_WEB, url="http://127.0.0.1/", certificate_file=__file__, key_file=__file__),
         "url"),
    ],
)  # fmt: skip
def test_our_certificate_needs_its_key_and_tls(server: Server, field: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        check_server(server)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        "{}",
        settings_as_text(NetworkSettings()).replace("11112", '"11112"'),
        settings_as_text(NetworkSettings()).replace('"host"', '"hosts"'),
        settings_as_text(NetworkSettings(servers=(_PACS,))).replace('"dicom"', '"ftp"'),
    ],
)
def test_damaged_settings_are_refused_not_guessed(damage: str) -> None:
    with pytest.raises(InvalidSettings, match="damaged"):
        settings_from_text(damage)
