"""The way to a configured server, by its kind."""

from __future__ import annotations

from workstation.network.dicom_query import DicomStudySource
from workstation.network.dicomweb import WebStudySource
from workstation.network.settings import Server, WebServer
from workstation.network.study_query import StudySource


def open_source(
    server: Server, own_ae_title: str, *, can_receive: bool = False, secret: str = ""
) -> StudySource:
    """Asks nothing yet. secret: for a DICOMweb server's login. Raises InvalidSettings."""
    if isinstance(server, WebServer):
        return WebStudySource(server, secret)
    return DicomStudySource(server, own_ae_title, can_receive)
