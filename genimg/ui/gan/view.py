"""What the GAN tab shows, as values: checked, put into an address, and written as Python.

A view comes from three places (the controls, a link, a call of the API), and none of them can be
trusted: a private endpoint can be called by anyone, with anything.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

from genimg.checks import is_whole, require_number, require_whole_number, shown
from genimg.explore import GanModel
from genimg.explore.codes import checked_code, mean_code, text_of
from genimg.ui.texts import beside, class_name, say

LARGEST_SEED = 2**32 - 1
TRUNCATION = (0.0, 1.5)
FIRST_TRUNCATION = 0.7
DIRECTION_LIMIT = 3.0  # standard deviations
AMOUNT_STEP = 0.05  # of the sliders of both
LATENT_LIMIT = 3.0  # added to numbers that are drawn with standard deviation 1
KEYFRAMES = (2, 6)
STEPS_BETWEEN = (4, 48)
FIRST_STEPS_BETWEEN = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class GanView:
    """One picture of a GAN: the arguments of `GanModel.picture`, and of `at` before it.

    Amounts are rounded to 1/100, so that the page, the link and the Python agree to the last bit.
    """

    checkpoint: str
    seed: int = 0
    label: str | None = None
    truncation: float = 1.0
    moment: int | None = None
    """After how many pictures of its training the model is looked at; None at the end."""
    directions: tuple[float, ...] = ()
    latents: Mapping[int, float] = field(default_factory=dict)
    code: str = ""
    """Where a found picture begins, as `genimg.explore.codes.text_of` writes it."""
    noise: int | str = "own"
    """As for `GanModel.with_noise`."""

    @classmethod
    def checked(
        cls,
        model: GanModel,
        checkpoint: str,
        *,
        seed: Any,
        label: Any,
        truncation: Any,
        moment: Any = None,
        directions: Sequence[Any] = (),
        latents: Mapping[int, Any] | None = None,
        code: Any = "",
        noise: Any = "own",
    ) -> Self:
        """Return a view that `model` can show; what the model does not have is left out.

        Raises:
            ValueError: a value is of another type or out of range; one sentence.
        """
        require_whole_number("the seed", seed, 0, LARGEST_SEED)
        return cls(
            checkpoint=checkpoint,
            seed=int(seed),
            label=_known_label(model, label),
            truncation=_known_truncation(model, truncation),
            moment=moment if moment in model.trail else None,
            **_checked_moves(directions, latents or {}),
            code=_known_code(model, code),
            noise=_known_noise(model, noise),
        )

    @classmethod
    def from_query(cls, model: GanModel, query: Mapping[str, str]) -> Self:
        """Return the view of a link, the inverse of `query`; what is missing has its default.

        Raises:
            ValueError: the link says something that is not possible; one sentence.
        """
        try:
            directions = [float(text) for text in _split(query.get("directions", ""))]
            pairs = [text.split(":") for text in _split(query.get("latents", ""))]
            latents = {int(dimension): float(amount) for dimension, amount in pairs}
            seed = int(query.get("seed", "0"))
            truncation = float(query.get("truncation", "1"))
            moment = int(query["after"]) if "after" in query else None
        except ValueError:
            raise ValueError(say("gan.link.number")) from None
        if len(directions) > len(model.directions(0 if model.classes else None)):
            raise ValueError(say("gan.link.directions"))
        if any(not 0 <= i < model.config.latent_dimensions for i in latents):
            raise ValueError(say("gan.link.latent"))
        return cls.checked(
            model,
            query.get("model", ""),
            seed=seed,
            label=query.get("label", model.classes[0] if model.classes else None),
            truncation=truncation,
            moment=moment,
            directions=directions,
            latents=latents,
            code=query.get("code", ""),
            noise=query.get("noise", "own"),
        )

    def query(self) -> str:
        """Return the view as the query of an address, without the question mark."""
        entries: dict[str, Any] = {"model": self.checkpoint, "seed": self.seed}
        if self.label is not None:
            entries["label"] = self.label
        if self.truncation != 1:
            entries["truncation"] = f"{self.truncation:g}"
        if self.moment is not None:
            entries["after"] = self.moment
        if self.directions:
            entries["directions"] = ",".join(f"{amount:g}" for amount in self.directions)
        if self.latents:
            entries["latents"] = ",".join(f"{i}:{amount:g}" for i, amount in self.latents.items())
        if self.code:
            entries["code"] = self.code
        if self.noise != "own":
            entries["noise"] = self.noise
        return urlencode(entries)

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `GanModel.picture`, without those left at the default."""
        given: dict[str, Any] = {"seed": self.seed}
        if self.label is not None:
            given["label"] = self.label
        if self.truncation != 1:
            given["truncation"] = self.truncation
        if self.code:
            given["code"] = self.code
        return given | _given_moves(self)

    def caption(self) -> str:
        """Return what the picture is, in a few words."""
        parts = [] if self.label is None else [class_name(self.label)]
        seed = say("gan.caption.seed", seed=str(self.seed))
        parts.append(say("gan.caption.own_code") if self.code else seed)
        parts += _truncation_in_words(self)
        if self.moment is not None:
            parts.append(say("gan.caption.moment", number=f"{self.moment:,}"))
        if self.noise == "off":
            parts.append(say("gan.caption.no_noise"))
        elif self.noise != "own":
            parts.append(say("gan.caption.noise", seed=str(self.noise)))
        return beside(parts + _moves_in_words(self))

    def model_in(self, model: GanModel) -> GanModel:
        """Return the model that makes the picture: `model`, a snapshot, or with other noise."""
        model = model if self.moment is None else model.at(self.moment)
        return model if self.noise == "own" else model.with_noise(self.noise)

    def snippet(self, source: str = "", named: Sequence[str] = ()) -> str:
        """Return Python that makes this picture.

        Args:
            source: is loaded instead of the checkpoint.
            named: the names of the model's first directions.
        """
        given = _with_names(self.arguments(), named)
        return (
            "import genimg\n"
            "from genimg.render import enlarge\n\n"
            f"model = {opened(self, source)}\n"
            f"picture = model.picture(\n{_lines(given)})  # uint8 (H, W, C)\n"
            'enlarge(picture, 512).save("picture.png")\n'
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class GanWalk:
    """A walk from seed to seed: the arguments of `GanModel.interpolate`."""

    checkpoint: str
    seeds: tuple[int, ...]
    steps: int
    mode: str = "slerp"
    space: str = "z"
    label: str | None = None
    truncation: float = 1.0
    directions: tuple[float, ...] = ()
    latents: Mapping[int, float] = field(default_factory=dict, hash=False)
    loop: bool = True

    @classmethod
    def checked(
        cls,
        model: GanModel,
        checkpoint: str,
        *,
        seeds: Any,
        steps: Any,
        mode: Any,
        space: Any,
        label: Any,
        truncation: Any,
        loop: Any,
        directions: Sequence[Any] = (),
        latents: Mapping[int, Any] | None = None,
    ) -> Self:
        """Return a walk that `model` can do.

        Raises:
            ValueError: a value is of another type or out of range; one sentence.
        """
        low, high = KEYFRAMES
        if not isinstance(seeds, (list, tuple)) or not low <= len(seeds) <= high:
            raise ValueError(say("gan.walk.seeds_needed", low=low, high=high))
        for seed in seeds:
            require_whole_number("a seed", seed, 0, LARGEST_SEED)
        require_whole_number("steps", steps, 2, high * STEPS_BETWEEN[1])
        if mode not in ("lerp", "slerp"):
            raise ValueError(say("gan.walk.unknown_path", given=shown(mode)))
        if space not in ("z", "w"):
            raise ValueError(say("gan.walk.unknown_space", given=shown(space)))
        return cls(
            checkpoint=checkpoint,
            seeds=tuple(seeds),
            steps=int(steps),
            mode=mode,
            space=space if space in model.spaces else "z",
            label=_known_label(model, label),
            truncation=_known_truncation(model, truncation),
            loop=bool(loop),
            **_checked_moves(directions, latents or {}),
        )

    @classmethod
    def from_query(cls, model: GanModel, query: Mapping[str, str], view: GanView) -> Self:
        """Return the walk of a link to a picture, `view`; the inverse of `query`.

        Raises:
            ValueError: the link says something that is not possible; one sentence.
        """
        seeds, loop = seeds_in(query.get("walk", "")), query.get("return", "1") != "0"
        between = query.get("between", "")
        if not re.fullmatch(r"[0-9]{1,3}", between, re.ASCII):
            raise ValueError(say("gan.link.number"))
        return cls.checked(
            model,
            view.checkpoint,
            seeds=seeds,
            steps=walk_steps(len(seeds), int(between), loop),
            mode=query.get("path", "slerp"),
            space=query.get("space", "z"),
            label=view.label,
            truncation=view.truncation,
            loop=loop,
            directions=view.directions,
            latents=view.latents,
        )

    @property
    def between(self) -> int:
        """How many steps there are from seed to seed."""
        intervals = len(self.seeds) - (0 if self.loop else 1)
        return (self.steps - (0 if self.loop else 1)) // intervals

    def query(self) -> str:
        """Return what a link to the picture must add for this walk, without a question mark."""
        seeds = ",".join(map(str, self.seeds))
        entries = {"walk": seeds, "between": self.between, "path": self.mode, "space": self.space}
        return urlencode(entries | {"return": int(self.loop)})

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `GanModel.interpolate`."""
        given: dict[str, Any] = {"seeds": list(self.seeds), "steps": self.steps}
        given |= {"mode": self.mode, "space": self.space}
        if self.label is not None:
            given["label"] = self.label
        if self.truncation != 1:
            given["truncation"] = self.truncation
        return given | _given_moves(self) | {"loop": self.loop}

    def caption(self) -> str:
        """Return what the walk shows, in a few words."""
        parts = [] if self.label is None else [class_name(self.label)]
        parts.append(say("gan.caption.seeds", count=len(self.seeds)))
        return beside(parts + _truncation_in_words(self) + _moves_in_words(self))

    def keyframes(self) -> list[int]:
        """Return the number of the frame that shows each seed."""
        intervals = len(self.seeds) - (0 if self.loop else 1)
        last = self.steps if self.loop else self.steps - 1
        return [round(i * last / intervals) for i in range(len(self.seeds))]

    def snippet(self, source: str = "", named: Sequence[str] = ()) -> str:
        """Return Python that makes this walk; see `GanView.snippet`."""
        given = _with_names(self.arguments(), named)
        return (
            "import genimg\n"
            "from pathlib import Path\n"
            "from genimg.render import animate\n\n"
            f"model = genimg.load({_python(source or self.checkpoint)})\n"
            f"frames = model.interpolate(\n{_lines(given)})  # uint8 (steps, H, W, C)\n"
            'Path("walk.gif").write_bytes(animate(frames, "gif"))\n'
        )


def opened(view: GanView, source: str = "") -> str:
    """Return Python that loads the model of a view; `source` instead of the checkpoint."""
    then = "" if view.moment is None else f".at({view.moment})"
    then += "" if view.noise == "own" else f".with_noise({_python(view.noise)})"
    return f"genimg.load({_python(source or view.checkpoint)}){then}"


def walk_steps(seeds: int, between: int, loop: bool) -> int:
    """Return how many pictures a walk has; at least 2, because too few seeds are refused later.

    Args:
        seeds: how many it passes through.
        between: steps from seed to seed.
        loop: whether it goes back to the first.
    """
    return max(2, between * (seeds if loop else seeds - 1) + (0 if loop else 1))


def seeds_in(text: Any) -> list[int]:
    """Return the whole numbers in a text such as "1, 7 42".

    Raises:
        ValueError: there is something else in it.
    """
    parts = _split(text) if isinstance(text, str) else [""]
    if not all(re.fullmatch(r"[0-9]{1,10}", part, re.ASCII) for part in parts):
        raise ValueError(say("gan.seeds_unreadable"))
    return [int(part) for part in parts]


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text[:4096]) if part]


def _checked_moves(directions: Sequence[Any], latents: Mapping[int, Any]) -> dict[str, Any]:
    """Return how a view moves its code, without what does not move; ValueError if out of range."""
    for amount in directions:
        require_number("a direction", amount, -DIRECTION_LIMIT, DIRECTION_LIMIT)
    for amount in latents.values():
        require_number("a latent amount", amount, -LATENT_LIMIT, LATENT_LIMIT)
    rounded = [round(float(amount), 2) + 0.0 for amount in directions]  # + 0.0: no minus zero
    while rounded and rounded[-1] == 0:
        rounded.pop()
    moved = {i: round(float(amount), 2) + 0.0 for i, amount in latents.items()}
    return {
        "directions": tuple(rounded),
        "latents": {i: amount for i, amount in moved.items() if amount},
    }


def _given_moves(view: GanView | GanWalk) -> dict[str, Any]:
    """Return the moves of a view as keyword arguments, without those that do nothing."""
    moves = {"directions": list(view.directions), "latents": dict(view.latents)}
    return {name: value for name, value in moves.items() if value}


def _with_names(arguments: dict[str, Any], named: Sequence[str]) -> dict[str, Any]:
    """Return arguments in which directions are called by name, if all that move have one."""
    amounts = arguments.get("directions", [])
    if not 0 < len(amounts) <= len(named):
        return arguments
    by_name = {name: amount for name, amount in zip(named, amounts, strict=False) if amount}
    return arguments | {"directions": by_name}


def _moves_in_words(view: GanView | GanWalk) -> list[str]:
    moves = sum(map(bool, view.directions)) + len(view.latents)
    return [say("gan.caption.moves", count=moves)] if moves else []


def _truncation_in_words(view: GanView | GanWalk) -> list[str]:
    amount = f"{view.truncation:g}"
    return [] if view.truncation == 1 else [say("gan.caption.truncation", truncation=amount)]


def _known_label(model: GanModel, label: Any) -> str | None:
    if not model.classes:
        return None
    if label not in model.classes:
        names = [class_name(name) for name in model.classes]
        raise ValueError(say("gan.unknown_class", given=shown(label), classes=names))
    return label


def _known_code(model: GanModel, code: Any) -> str:
    """Return the text of a code, as it is written here; '' for none."""
    if code in ("", None):
        return ""
    if not isinstance(code, str):
        raise ValueError(say("gan.no_found"))
    dimensions = mean_code(model.generator, None).shape[1]
    return text_of(checked_code(code, dimensions))


def _known_noise(model: GanModel, noise: Any) -> int | str:
    if "w" not in model.spaces or noise in ("own", "off"):
        return noise if "w" in model.spaces else "own"
    if isinstance(noise, str) and re.fullmatch(r"[0-9]{1,10}", noise, re.ASCII):
        noise = int(noise)
    if not is_whole(noise) or not 0 <= noise <= LARGEST_SEED:
        raise ValueError(say("gan.unknown_noise"))
    return int(noise)


def _known_truncation(model: GanModel, truncation: Any) -> float:
    if "w" not in model.spaces:
        return 1.0
    require_number("truncation", truncation, *TRUNCATION)
    return round(float(truncation), 2)


def _lines(arguments: Mapping[str, Any]) -> str:
    return "".join(f"    {name}={_python(value)},\n" for name, value in arguments.items())


def _python(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
