from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.uid import DigitalXRayImageStorageForPresentation
from pynetdicom import AE

from tests.workstation.network.conftest import free_port
from workstation.__main__ import main
from workstation.catalog.database import open_database
from workstation.catalog.study_catalog import StudyCatalog


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_films_are_received_until_it_is_told_to_end(
    tmp_path: Path, phantom_films: list[Path]
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "workstation", "receive", "--allow", "SENDER"]
    command += ["--port", str(port), "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"ECHO at 127.0.0.1:{port} from SENDER" in process.stdout.readline()
        entity = AE(ae_title="SENDER")
        entity.add_requested_context(DigitalXRayImageStorageForPresentation)
        association = entity.associate("127.0.0.1", port, ae_title="ECHO")
        assert association.send_c_store(phantom_films[0]).Status == 0x0000
        association.release()
        line = process.stdout.readline()
        assert line.startswith("stored 2.25.")
        assert line.rstrip().endswith("DX PA from SENDER@127.0.0.1")
        process.send_signal(signal.SIGTERM)  # SIGINT is ignored below a shell's background job
        assert process.wait(30) == 0
    engine = open_database(tmp_path)
    assert len(StudyCatalog(engine).list_studies()) == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (["--port", "0"], "port"),
        (["--aet", "A TITLE THAT IS TOO LONG"], "longer than 16"),
        (["--tls-cert", "/no/such.pem", "--tls-key", "/no/such.pem"], "no such file"),
    ],
)
def test_settings_that_can_not_work_end_it_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], reason: str
) -> None:
    arguments = ["receive", "--allow", "SENDER", "--data-dir", str(tmp_path), *wrong]
    assert main(arguments) == 2
    assert reason in capsys.readouterr().err
