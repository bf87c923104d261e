"""Where catalog and reports are kept unless --data-dir says otherwise."""

from pathlib import Path

import platformdirs


def default_data_dir() -> Path:
    """The platform's folder for a user's application data; it may not be there yet."""
    return Path(platformdirs.user_data_dir("echo-workstation", appauthor=False))
