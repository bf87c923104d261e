"""Findings outside lung and pleura; the numbers of the patient draw most of them."""

from __future__ import annotations

from inference.phantom.rib_fracture import add_fracture_swelling, break_rib, fractured_rib

__all__ = ["add_fracture_swelling", "break_rib", "fractured_rib"]
