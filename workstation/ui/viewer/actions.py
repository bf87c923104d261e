"""Everything the viewer can do by key or button, once: the tool bar, the keyboard, the cheat
sheet and the shortcut settings are all made from this table. No Qt widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

ActionGroup = Literal["Pointer", "View", "Measure", "Compare", "Help"]
GROUPS: tuple[ActionGroup, ...] = get_args(ActionGroup)
Tool = Literal[
    "window", "zoom", "pan", "magnify",
    "length", "angle", "cardiothoracic", "rectangle", "ellipse", "arrow", "text",
]  # fmt: skip
TOOLS: tuple[Tool, ...] = get_args(Tool)
DESK_ACTIONS = frozenset(("layout", "hang", "viewport", "film", "link", "compare", "blink"))
"""First words of the ids that are done to the viewports and the window, not to one film."""


@dataclass(frozen=True)
class ViewerAction:
    """id: what settings and code call it; keys: portable key sequences as delivered; word: on
    its button in the tool bar, "" for none or for an icon (`tool_icons`)."""

    id: str
    name: str
    keys: tuple[str, ...]
    group: ActionGroup
    word: str = ""

    @property
    def text(self) -> str:
        """The name in the reader's language."""
        return QCoreApplication.translate("ViewerAction", self.name)


def _action(
    action_id: str, name: object, keys: str, group: ActionGroup, word: str = ""
) -> ViewerAction:
    return ViewerAction(action_id, str(name), tuple(keys.split()), group, word)


_T = QT_TRANSLATE_NOOP
ACTIONS: tuple[ViewerAction, ...] = (
    _action("tool.window", _T("ViewerAction", "Window and level"), "W", "Pointer"),
    _action("tool.zoom", _T("ViewerAction", "Zoom with the left button"), "Z", "Pointer"),
    _action("tool.pan", _T("ViewerAction", "Pan with the left button"), "P", "Pointer"),
    _action("tool.magnify", _T("ViewerAction", "Magnifier"), "M", "Pointer"),
    _action("fit", _T("ViewerAction", "Fit the film"), "F", "View", "Fit"),
    _action("pixels", _T("ViewerAction", "1:1, one screen pixel a film pixel"), "0", "View", "1:1"),
    _action("zoom_in", _T("ViewerAction", "Zoom in"), "+ =", "View"),
    _action("zoom_out", _T("ViewerAction", "Zoom out"), "-", "View"),
    _action("rotate_right", _T("ViewerAction", "Turn right"), "R", "View"),
    _action("rotate_left", _T("ViewerAction", "Turn left"), "L", "View"),
    _action("flip_horizontally", _T("ViewerAction", "Flip left and right"), "H", "View"),
    _action("flip_vertically", _T("ViewerAction", "Flip top and bottom"), "V", "View"),
    _action("invert", _T("ViewerAction", "Invert"), "I", "View"),
    _action("preset.1", _T("ViewerAction", "Window preset 1"), "1", "View"),
    _action("preset.2", _T("ViewerAction", "Window preset 2"), "2", "View"),
    _action("preset.3", _T("ViewerAction", "Window preset 3"), "3", "View"),
    _action("preset.4", _T("ViewerAction", "Window preset 4"), "4", "View"),
    _action("preset.5", _T("ViewerAction", "Window preset 5"), "5", "View"),
    _action("preset.6", _T("ViewerAction", "Window preset 6"), "6", "View"),
    _action("preset.7", _T("ViewerAction", "Window preset 7"), "7", "View"),
    _action("preset.8", _T("ViewerAction", "Window preset 8"), "8", "View"),
    _action("preset.9", _T("ViewerAction", "Window preset 9"), "9", "View"),
    _action("overlay", _T("ViewerAction", "Texts in the corners on or off"), "O", "View"),
    _action("graphics", _T("ViewerAction", "Overlays and annotations of the file"), "G", "View"),
    _action("presentation", _T("ViewerAction", "Presentation state on, next, off"), "S", "View"),
    _action("frame.-1", _T("ViewerAction", "Frame back"), "J", "View"),
    _action("frame.1", _T("ViewerAction", "Frame on"), "K", "View"),
    _action("reset", _T("ViewerAction", "Film as it was opened"), "Space", "View"),
    _action("key_image.keep", _T("ViewerAction", "Key image, or no longer"), "Shift+K", "View"),
    _action("key_image.next", _T("ViewerAction", "Next key image of the film"), ",", "View"),
    _action("tool.length", _T("ViewerAction", "Length"), "D", "Measure"),
    _action("tool.angle", _T("ViewerAction", "Angle"), "A", "Measure"),
    _action(
        "tool.cardiothoracic",
        _T("ViewerAction", "Cardiothoracic ratio: heart, then thorax"),
        "C",
        "Measure",
        "CTR",
    ),
    _action("tool.rectangle", _T("ViewerAction", "Rectangle, stored values"), "Q", "Measure"),
    _action("tool.ellipse", _T("ViewerAction", "Ellipse, stored values"), "E", "Measure"),
    _action("tool.arrow", _T("ViewerAction", "Arrow"), "Y", "Measure"),
    _action("tool.text", _T("ViewerAction", "Text on the film"), "T", "Measure"),
    _action("place", _T("ViewerAction", "Place figure, change text"), "Return Enter", "Measure"),
    _action("next_handle", _T("ViewerAction", "Next handle, words, next figure"), ".", "Measure"),
    _action("nudge.left", _T("ViewerAction", "Move handle or words left"), "Left", "Measure"),
    _action("nudge.right", _T("ViewerAction", "Move handle or words right"), "Right", "Measure"),
    _action("nudge.up", _T("ViewerAction", "Move handle or words up"), "Up", "Measure"),
    _action("nudge.down", _T("ViewerAction", "Move handle or words down"), "Down", "Measure"),
    _action("delete", _T("ViewerAction", "Delete the chosen figure"), "Del Backspace", "Measure"),
    _action("delete_all", _T("ViewerAction", "Delete every figure"), "Shift+Del", "Measure"),
    _action("undo", _T("ViewerAction", "Undo (figure, key image)"), "Ctrl+Z", "Measure"),
    _action(
        "redo", _T("ViewerAction", "Redo (figure, key image)"), "Ctrl+Y Ctrl+Shift+Z", "Measure"
    ),
    _action("figures", _T("ViewerAction", "Figures on or off"), "N", "Measure"),
    _action("viewport.next", _T("ViewerAction", "Next viewport"), "X", "Compare"),
    _action("viewport.previous", _T("ViewerAction", "Previous viewport"), "Shift+X", "Compare"),
    _action("film.next", _T("ViewerAction", "Next film in this viewport"), "]", "Compare"),
    _action("film.previous", _T("ViewerAction", "Previous film in this viewport"), "[", "Compare"),
    _action("layout.1x1", _T("ViewerAction", "One viewport"), "Ctrl+1", "Compare"),
    _action("layout.1x2", _T("ViewerAction", "Two viewports"), "Ctrl+2", "Compare"),
    _action("layout.2x2", _T("ViewerAction", "Four viewports"), "Ctrl+4", "Compare"),
    _action("hang", _T("ViewerAction", "Hang PA, lateral and prior"), "Ctrl+0", "Compare", "Hang"),
    _action("compare", _T("ViewerAction", "Prior beside the current film"), "Shift+B", "Compare"),
    _action("blink", _T("ViewerAction", "Prior and current in turn"), "B", "Compare"),
    _action("link", _T("ViewerAction", "Link zoom, pan and window"), "U", "Compare"),
    _action("cancel", _T("ViewerAction", "Leave the tool"), "Esc", "Pointer"),
    _action("keys", _T("ViewerAction", "All keys"), "?", "Help"),
    _action("next_study", _T("ViewerAction", "Next study"), "PgDown", "View"),
    _action("previous_study", _T("ViewerAction", "Previous study"), "PgUp", "View"),
)
