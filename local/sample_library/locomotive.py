"""The train itself, as a list of its parts: two carriages, a tender and a locomotive that heads right.

Lengths count in 1350ths of the picture's width: x from its left edge, y up from the rail.
"""

import math

from PIL import Image, ImageDraw

from local.sample_library.painting import Size

_BLACK, _SOOT, _RED, _BRASS, _SNOW, _LAMP = "#1f1826", "#262030", "#a92a3a", "#e0b566", "#f4f3fb", "#ffcf7a"

_CARRIAGES = (-40, 330)
_PANES = (24, 106, 188, 270)
LIT_WINDOWS = tuple(carriage + pane + 30 for carriage in _CARRIAGES for pane in _PANES)

# Left, lower, right and upper edge, paint, and how round the corners are; later parts hide earlier ones.
_Part = tuple[float, float, float, float, str, float]
_CARRIAGE: tuple[_Part, ...] = (
    (6, 22, 350, 40, _BLACK, 0),
    (0, 36, 356, 132, "#8d2433", 8),
    (0, 36, 356, 62, "#6f1a2a", 4),
    (0, 64, 356, 68, _BRASS, 0),
    (-4, 128, 360, 146, "#4b1d2c", 9),
    (-8, 141, 364, 153, _SNOW, 6),
)
_WINDOW: tuple[_Part, ...] = (
    (0, 76, 60, 118, "#5d1724", 5),
    (3, 79, 57, 115, _LAMP, 4),
    (28, 79, 32, 115, "#8a4a2a", 0),
    (3, 79, 57, 86, "#ffb654", 2),
)
_TENDER: tuple[_Part, ...] = (
    (686, 24, 712, 34, _BLACK, 0),
    (700, 22, 836, 42, _BLACK, 0),
    (704, 38, 830, 112, "#2b2335", 5),
    (704, 58, 830, 62, _BRASS, 0),
    (712, 108, 822, 130, "#17131c", 14),
    (718, 120, 816, 136, _SNOW, 9),
)
_LOCOMOTIVE: tuple[_Part, ...] = (
    (836, 36, 1192, 50, _BLACK, 0),
    # the cab
    (842, 44, 938, 168, "#9c2636", 6),
    (834, 162, 948, 176, "#3b1826", 7),
    (830, 171, 952, 184, _SNOW, 7),
    (858, 106, 892, 150, _LAMP, 5),
    (900, 106, 926, 150, _LAMP, 5),
    (842, 62, 938, 66, _BRASS, 0),
    # the boiler and its bands
    (930, 56, 1160, 134, _RED, 36),
    (930, 100, 1160, 130, "#c2485a", 15),
    (930, 56, 1150, 78, "#7c1d2c", 10),
    (962, 57, 967, 133, _BRASS, 0),
    (1030, 57, 1035, 133, _BRASS, 0),
    (1098, 57, 1103, 133, _BRASS, 0),
    # the smokebox, the domes, the funnel, the lamp
    (1142, 52, 1186, 138, _SOOT, 14),
    (1178, 66, 1192, 124, "#3a3245", 8),
    (978, 128, 1014, 160, "#c79a4b", 16),
    (972, 152, 1020, 163, _SNOW, 6),
    (1058, 128, 1086, 152, _RED, 12),
    (1056, 146, 1088, 156, _SNOW, 5),
    (1100, 130, 1134, 182, _SOOT, 4),
    (1092, 176, 1142, 194, _SOOT, 6),
    (1184, 104, 1202, 122, "#fff3cf", 8),
)
_PLOUGH = ((1186, 36), (1200, 36), (1250, 2), (1180, 2))
_COUPLING_ROD: _Part = (884, 28, 1050, 36, "#cfc6cf", 4)
_RAIL: _Part = (-10, -6, 1360, 1, "#3a3550", 0)

# Where its axle stands, and its radius, which is also the axle's height.
_Wheel = tuple[float, float]
_CARRIAGE_WHEELS: tuple[_Wheel, ...] = ((48, 17), (100, 17), (258, 17), (310, 17))
_OTHER_WHEELS: tuple[_Wheel, ...] = ((734, 20), (800, 20), (884, 34), (966, 34), (1048, 34), (1116, 19), (1164, 19))
_RINGS = ((1.0, "#1a1420"), (0.8, "#8f2430"), (0.62, "#1a1420"), (0.25, "#c9a35b"))

_FINER = 2


def draw_train(size: Size, rail: float, unit: float) -> Image.Image:
    """The train on a transparent layer of `size`; `rail` is the rail's place in px, `unit` the px of one length."""
    layer = Image.new("RGBA", (size[0] * _FINER, size[1] * _FINER))
    draft = _Draft(ImageDraw.Draw(layer), rail * _FINER, unit * _FINER)
    draft.parts((_RAIL,))
    for carriage in _CARRIAGES:
        draft.parts(_CARRIAGE, carriage)
        for pane in _PANES:
            draft.parts(_WINDOW, carriage + pane)
        draft.wheels(_CARRIAGE_WHEELS, carriage)
    draft.parts(_TENDER)
    draft.parts(_LOCOMOTIVE)
    draft.plough()
    draft.wheels(_OTHER_WHEELS)
    draft.parts((_COUPLING_ROD,))
    return layer.reduce(_FINER)


class _Draft:
    """Draws parts in the train's lengths onto a canvas of finer pixels."""

    def __init__(self, draw: ImageDraw.ImageDraw, rail: float, unit: float) -> None:
        self._draw = draw
        self._rail = rail
        self._unit = unit

    def parts(self, parts: tuple[_Part, ...], shift: float = 0) -> None:
        for left, low, right, high, paint, roundness in parts:
            corners = (*self._place(left + shift, high), *self._place(right + shift, low))
            self._draw.rounded_rectangle(corners, roundness * self._unit, fill=paint)

    def wheels(self, wheels: tuple[_Wheel, ...], shift: float = 0) -> None:
        for axle, radius in wheels:
            middle = self._place(axle + shift, radius)
            for share, paint in _RINGS:
                self._draw.circle(middle, radius * share * self._unit, fill=paint)
            for spoke in range(4):
                angle = math.pi * spoke / 4
                along, up = 0.75 * radius * math.cos(angle), 0.75 * radius * math.sin(angle)
                ends = [
                    self._place(axle + shift - along, radius - up),
                    self._place(axle + shift + along, radius + up),
                ]
                self._draw.line(ends, fill="#b04a4f", width=round(3 * self._unit))

    def plough(self) -> None:
        self._draw.polygon([self._place(x, y) for x, y in _PLOUGH], fill="#8d2433")

    def _place(self, x: float, y: float) -> tuple[float, float]:
        return x * self._unit, self._rail - y * self._unit
