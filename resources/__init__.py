"""Files shipped with the app: the embedded model, icons, pictures. Found from the installed package."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
EMBEDDED_MODEL = FOLDER / "models" / "embedded"
