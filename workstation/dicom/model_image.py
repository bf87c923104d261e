"""What the model sees of a film: never what the reader does."""

from __future__ import annotations

from inference import ModelImage
from workstation.dicom.display_attributes import padding_mask
from workstation.dicom.display_pipeline import modality_values
from workstation.dicom.film import Film


def model_image(film: Film) -> ModelImage:
    """What the engine sees: modality values and polarity of the image's own header, never the
    user's window nor a presentation state."""
    film = film.original or film
    padding = padding_mask(film.stored, film.display)
    return ModelImage(modality_values(film), film.display.is_monochrome1, padding)
