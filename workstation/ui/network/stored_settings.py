"""The window's network settings, for who has no window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings

from workstation.network.settings import NetworkSettings, settings_from_text

SETTINGS_FILE = "window.ini"  # where app.py keeps them, in the data folder
SETTINGS_KEY = "network"


def read_network_settings(data_dir: Path) -> NetworkSettings:
    """The default where nothing was set up. Raises InvalidSettings."""
    stored = QSettings(str(data_dir / SETTINGS_FILE), QSettings.Format.IniFormat)
    return settings_from_text(str(stored.value(SETTINGS_KEY) or ""))
