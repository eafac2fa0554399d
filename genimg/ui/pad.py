"""What the drawing pad shows and sends back, for every part of the page that has one.

What comes back from a browser can be anything, and is checked as if it were.
"""

import json
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from genimg.explore import (
    DrawerModel,
    GanModel,
    MaskedDrawerModel,
    VisionTransformerModel,
)
from genimg.ui import held_out
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.pixels import disc, picture_of, text_of, text_of_mask
from genimg.ui.texts import class_name, say, sent
from genimg.wording import wording_of

PadModel = DrawerModel | MaskedDrawerModel | VisionTransformerModel | GanModel

_FIRST_NUMBER = 19


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PadPicture:
    """The picture on a pad.

    Attributes:
        pixels: uint8 (H, W, C), of the model's size.
        number: which test picture it is; None for any other.
    """

    pixels: np.ndarray
    number: int | None = None

    @classmethod
    def checked(cls, model: PadModel, value: Any) -> Self:
        """Return the picture in the value of a pad.

        Raises:
            ValueError: there is none that `model` can take; one sentence.
        """
        if not isinstance(value, dict):
            raise ValueError(say("pad.no_picture"))
        pixels = picture_of(value.get("pixels"), model.config.size, model.config.channels)
        number: Any = value.get("number")
        try:
            same = np.array_equal(held_out.picture(model, number)[0], pixels)
        except ValueError:
            same = False  # also without a number
        return cls(pixels=pixels, number=int(number) if same else None)

    def snippet(self, model: PadModel) -> str:
        """Return lines of Python that make `image`, and the imports that they need."""
        size, channels = model.config.size, model.config.channels
        if self.number is None:
            mode, axis = ("L", "[..., None]") if channels == 1 else ("RGB", "")
            return (
                "# The pad's Save button makes this file.\n"
                f'image = np.array(Image.open("picture.png").convert("{mode}")){axis}'
                f"  # uint8 ({size}, {size}, {channels})\n"
            )
        dataset = json.dumps(model.info["dataset"])
        return (
            f'test = data.load({dataset}, size={size}, split="test")\n'
            f"image = test.pictures()[{self.number}]  # uint8 ({size}, {size}, {channels})\n"
        )

    def imports(self) -> str:
        """Return the imports that the lines of `snippet` need."""
        if self.number is None:
            return "import numpy as np\nfrom PIL import Image\n\nimport genimg\n"
        return "import genimg\nfrom genimg import data\n"


def first_value(
    model: PadModel, checkpoint: str, hidden: np.ndarray | None = None
) -> dict[str, Any]:
    """Return what a pad shows before anyone touched it: a test picture, or else a disc.

    Args:
        model: whose size the picture has.
        checkpoint: the name of the model on its shelf.
        hidden: bool (rows, columns), True for the cells to hide; None for a pad without cells.
    """
    size, channels, count = model.config.size, model.config.channels, held_out.count(model)
    number: int | None = None
    caption: str = say("pad.caption.disc")
    pixels = disc(size, channels)
    if count:
        number = min(_FIRST_NUMBER, count - 1)
        pixels, caption = _captioned(model, number)
    cells = {}
    if hidden is not None:
        rows, columns = hidden.shape
        cells = {"rows": rows, "columns": columns, "hidden": text_of_mask(hidden)}
    return {
        "checkpoint": checkpoint,
        "size": size,
        "channels": channels,
        "pixels": text_of(pixels),
        "number": number,
        "caption": sent(caption),
        "count": count,
        "lightOnBlack": model.info.get("dataset") in held_out.LIGHT_ON_BLACK,
        **cells,
    }


def pick(shelf: ModelShelf[PadModel], request: Any) -> dict[str, Any]:
    """Return a test picture for a pad, or one sentence that says why there is none.

    Args:
        shelf: where the pad's model stands.
        request: {"checkpoint": its name, "number": which picture, None for any}, as it came from
            the browser.

    Returns:
        {"pixels", "number", "caption"}, or {"error"}.
    """
    try:
        if not isinstance(request, dict):
            raise ValueError(say("pad.which"))
        with shelf.use(request.get("checkpoint", "")) as model:
            number = request.get("number")
            if number is None:
                number = held_out.random_number(model)
            pixels, caption = _captioned(model, number)
    except ValueError as error:
        return {"error": sent(wording_of(error))}
    return {"pixels": text_of(pixels), "number": int(number), "caption": sent(caption)}


def _captioned(model: PadModel, number: Any) -> tuple[np.ndarray, str]:
    pixels, label = held_out.picture(model, number)
    words = say("pad.caption.test", number=str(int(number)), label=class_name(label))
    return pixels, words
