"""Where catalog and reports are kept unless --data-dir says otherwise."""

from pathlib import Path

import platformdirs


def default_data_dir() -> Path:
    return Path(platformdirs.user_data_dir("echo-workstation", appauthor=False))
