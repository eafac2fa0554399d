"""What "Complete a picture" shows, as values: checked, and written as Python."""

import json
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

import numpy as np

from genimg.checks import require_number, require_whole_number
from genimg.explore import DrawerModel, MaskedDrawerModel
from genimg.explore.drawing import DEFAULT_GUIDANCE
from genimg.ui.pad import PadPicture
from genimg.ui.texts import beside, say
from genimg.ui.transformer.drawing_view import LARGEST_SEED, TEMPERATURE, TOP_P, class_words
from genimg.ui.transformer.words import no_such_class

COUNT = (1, 16)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CompletionView:
    """One picture finished several ways: the arguments of a model's `complete`.

    Attributes:
        keep: bool (rows, columns), True where a token stays.
        label: a class; None is any class.
    """

    checkpoint: str
    picture: PadPicture
    keep: np.ndarray
    label: str | None
    count: int
    seed: int
    temperature: float
    top_p: float

    @classmethod
    def checked(
        cls,
        model: DrawerModel | MaskedDrawerModel,
        checkpoint: str,
        picture: PadPicture,
        keep: np.ndarray,
        *,
        label: Any,
        count: Any,
        seed: Any,
        temperature: Any,
        top_p: Any,
    ) -> Self:
        """Return a completion that `model` can make.

        Raises:
            ValueError: a value is of another type or out of range; one sentence.
        """
        if keep.all():
            raise ValueError(say("transformer.complete.nothing_hidden"))
        if label is not None and label not in model.classes:
            raise no_such_class(label, model.classes)
        require_whole_number("the number of pictures", count, *COUNT)
        require_whole_number("the seed", seed, 0, LARGEST_SEED)
        require_number("the temperature", temperature, *TEMPERATURE)
        require_number("top-p", top_p, *TOP_P)
        return cls(
            checkpoint=checkpoint,
            picture=picture,
            keep=keep,
            label=label,
            count=int(count),
            seed=int(seed),
            temperature=round(float(temperature), 2),
            top_p=round(float(top_p), 2),
        )

    @property
    def rows(self) -> int | None:
        """How many rows are kept from the top, or None if something else is kept."""
        kept = int(self.keep.all(axis=1).sum())
        whole = np.arange(len(self.keep)) < kept
        return kept if (self.keep == whole[:, None]).all() else None

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `complete`, without those at the default."""
        given: dict[str, Any] = {"keep": self.keep} if self.rows is None else {"rows": self.rows}
        given |= {"count": self.count, "seed": self.seed}
        if self.label is not None:
            given["label"] = self.label
        if self.temperature != 1:
            given["temperature"] = self.temperature
        if self.top_p != 1:
            given["top_p"] = self.top_p
        return given

    def query(self) -> str:
        """Return the view as the query of an address, without its picture, which is private."""
        entries: dict[str, Any] = {"completer": self.checkpoint, "completion": self.seed}
        entries["pictures"] = self.count
        if self.label is not None:
            entries["completion_class"] = self.label
        if self.temperature != 1:
            entries["completion_temperature"] = f"{self.temperature:g}"
        if self.top_p != 1:
            entries["completion_top_p"] = f"{self.top_p:g}"
        return urlencode(entries)

    def caption(self) -> str:
        """Return what the pictures are, in a few words."""
        kept, all_cells = str(int(self.keep.sum())), str(self.keep.size)
        parts = [
            say("transformer.caption.kept", kept=kept, all=all_cells),
            class_words(self.label),
            say("transformer.caption.seed", value=str(self.seed)),
        ]
        for name in ("temperature", "top_p"):
            value = getattr(self, name)
            if value != 1:
                parts.append(say(f"transformer.caption.{name}", value=f"{value:g}"))
        return beside(parts)

    def snippet(self, model: DrawerModel | MaskedDrawerModel, source: str = "") -> str:
        """Return Python that makes these pictures; `source` is loaded instead of the checkpoint."""
        arguments = self.arguments()
        if self.label is not None:  # without a class it would change nothing
            arguments["guidance"] = DEFAULT_GUIDANCE
        mask = ""
        imports = self.picture.imports()
        if "keep" in arguments:
            del arguments["keep"]
            if "import numpy" not in imports:
                imports = f"import numpy as np\n\n{imports}"
            rows = "".join(f'    "{"".join("01"[int(c)] for c in row)}",\n' for row in self.keep)
            mask = f'keep = np.array([list(row) for row in [\n{rows}]]) == "1"  # 1 = kept\n'
        lines = ["    image,\n", "    keep,\n"] if mask else ["    image,\n"]
        lines += [f"    {name}={_python(value)},\n" for name, value in arguments.items()]
        return (
            f"{imports}"
            "from genimg.render import grid\n\n"
            f"model = genimg.load({_python(source or self.checkpoint)})\n"
            f"{self.picture.snippet(model)}"
            f"{mask}"
            f"pictures = model.complete(\n{''.join(lines)})  # uint8 (count, H, W, C)\n"
            'grid(pictures).save("completions.png")\n'
        )


def _python(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
