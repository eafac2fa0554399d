"""What happens when a part of a picture is hidden and finished: plain functions, no Gradio."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from genimg.explore import DrawerModel, MaskedDrawerModel
from genimg.render import data_uri, grid
from genimg.ui import pad
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.pad import PadPicture
from genimg.ui.pixels import mask_of
from genimg.ui.texts import sent
from genimg.ui.transformer.completion_view import CompletionView
from genimg.ui.transformer.drawing_handlers import class_choices
from genimg.ui.transformer.drawing_view import ANY_CLASS
from genimg.ui.transformer.words import damaged_number

_FIRST_COUNT = 8


class CompletionHandlers:
    """The functions behind "Complete a picture". Pictures leave as data addresses of exact PNGs.

    Every method checks every argument and raises ValueError with one sentence.
    """

    def __init__(self, shelf: ModelShelf[DrawerModel | MaskedDrawerModel]) -> None:
        self.shelf = shelf
        self._as_read = lru_cache(maxsize=64)(self._read)
        self._first_results = lru_cache(maxsize=1)(lambda: self.results(self.first_view()))
        shelf.when_reloaded(self._as_read.cache_clear)
        shelf.when_reloaded(self._first_results.cache_clear)

    def first_pad(self, checkpoint: str) -> dict[str, Any]:
        """Return what the pad shows for a model before anyone touched it: the lower part hidden."""
        with self.shelf.use(checkpoint) as model:
            hidden = np.zeros(model.grid, bool)
            hidden[model.grid[0] // 2 :] = True
            return pad.first_value(model, checkpoint, hidden)

    def first_controls(self) -> list[Any]:
        """Return what the controls say before anyone touched anything, as `view` takes it."""
        name = self.shelf.names[0]
        return [name, self.first_pad(name), ANY_CLASS, _FIRST_COUNT, 0, 1.0, 1.0]

    def linked_controls(self, query: Mapping[str, str]) -> list[Any]:
        """Return what the controls say in a link; no link holds the pad, which is as at first.

        Raises:
            ValueError: the link says something that is not possible; one sentence.
        """
        name = self.shelf.named(query.get("completer", ""))
        try:
            count, seed = int(query.get("pictures", _FIRST_COUNT)), int(query.get("completion", 0))
            temperature, top_p = (
                float(query.get(f"completion_{control}", 1)) for control in ("temperature", "top_p")
            )
        except ValueError:
            raise damaged_number() from None
        label = query.get("completion_class", ANY_CLASS)
        controls: list[Any] = [name, self.first_pad(name), label, count, seed, temperature, top_p]
        self.view(*controls)
        return controls

    def first_view(self) -> CompletionView:
        """Return what is on the screen before anyone touched anything."""
        return self.view(*self.first_controls())

    def first_results(self) -> dict[str, Any]:
        """Return the results of the first view; they are made once."""
        return self._first_results()

    def pick(self, request: Any) -> dict[str, Any]:
        """Answer the pad's question for a test picture; see `genimg.ui.pad.pick`."""
        return pad.pick(self.shelf, request)

    def classes(self, checkpoint: str) -> list[tuple[str, str | int]]:
        """Return (what to show, value) of each class to choose from, the first for any class."""
        with self.shelf.use(checkpoint) as model:
            return class_choices(model.classes)

    def view(
        self,
        checkpoint: str,
        pad_value: Any,
        label: Any,
        count: Any,
        seed: Any,
        temperature: Any,
        top_p: Any,
    ) -> CompletionView:
        """Return the view of the controls."""
        with self.shelf.use(checkpoint) as model:
            picture = PadPicture.checked(model, pad_value)
            keep = ~mask_of(pad_value.get("hidden"), model.grid)
            return CompletionView.checked(
                model,
                checkpoint,
                picture,
                keep,
                label=None if label == ANY_CLASS else label,
                count=count,
                seed=seed,
                temperature=temperature,
                top_p=top_p,
            )

    def results(self, view: CompletionView) -> dict[str, Any]:
        """Return the pictures: what the model was given, then each way to finish it."""
        with self.shelf.use(view.checkpoint) as model:
            pictures = model.complete(view.picture.pixels, **view.arguments())
        return {
            "given": data_uri(self.given(view), "png"),
            "pictures": [data_uri(picture, "png") for picture in pictures],
            "caption": sent(view.caption()),
        }

    def given(self, view: CompletionView) -> np.ndarray:
        """Return the kept tokens as the tokenizer paints them, grey elsewhere, uint8 (H, W, C)."""
        tokens = self._as_read(view.checkpoint, view.picture.pixels.tobytes())
        with self.shelf.use(view.checkpoint) as model:
            return model.unfinished(np.where(view.keep.ravel(), tokens, -1))

    def snippet(self, view: CompletionView) -> str:
        """Return Python that makes the pictures of a view."""
        with self.shelf.use(view.checkpoint) as model:
            return view.snippet(model, self.shelf.source(view.checkpoint))

    def complete(
        self,
        checkpoint: str,
        pixels: str,
        hidden: str,
        label: str = "",
        count: int = 8,
        seed: int = 0,
        temperature: float = 1.0,
        top_p: float = 1.0,
    ) -> str:
        """Pictures that keep a part of one and finish it, as one PNG, a data address.

        Args:
            checkpoint: a name that the page offers.
            pixels: base64 of the raw bytes of the picture, rows from the top, of the model's size.
            hidden: a 1 for each cell of the grid of tokens to draw anew and a 0 for each to keep,
                in raster order.
            label: a class name; empty for any class.
            count: pictures, 1 to 16.
            seed: which pictures, 0 to 4294967295.
            temperature: 0 (the likeliest only) to 2 (more varied).
            top_p: 0.05 to 1, choose among the likeliest tokens of this total probability.
        """
        value = {"pixels": pixels, "hidden": hidden}
        chosen = ANY_CLASS if label == "" else label
        view = self.view(checkpoint, value, chosen, count, seed, temperature, top_p)
        with self.shelf.use(checkpoint) as model:
            return data_uri(grid(model.complete(view.picture.pixels, **view.arguments())), "png")

    def _read(self, checkpoint: str, content: bytes) -> np.ndarray:
        """Return the tokens of a picture, int64 (N,)."""
        with self.shelf.use(checkpoint) as model:
            shape = (model.config.size, model.config.size, model.config.channels)
            return model.tokens_of(np.frombuffer(content, np.uint8).reshape(shape))
