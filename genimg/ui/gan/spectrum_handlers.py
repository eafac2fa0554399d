"""The spectrum of a model's pictures beside that of real ones and of other models of the same."""

import json
from collections.abc import Generator, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from genimg.explore import GanModel
from genimg.explore.local_data import pictures_here
from genimg.metrics.spectrum import CHECKERBOARD, Spectrum, spectrum
from genimg.ui.gan.handlers import GanHandlers
from genimg.ui.messages import dataset_words, sentence
from genimg.ui.texts import say, sent

COUNT = 400
"""Generated pictures that a spectrum is the mean of, and the most real ones."""
_AT_ONCE = 40  # pictures from one report to the next
_LONGEST_LINK = 8192
_REMEMBERED = 64

Key = tuple[str, int | None]


class SpectrumHandlers:
    """The functions behind the spectrum.

    Args:
        gan: the tab's, which knows what a link shows.
    """

    def __init__(self, gan: GanHandlers) -> None:
        self._gan, self._shelf = gan, gan.shelf
        self._spectra: dict[Key, Spectrum] = {}
        self._reloads = 0
        self._shelf.when_reloaded(self._forget)

    def _forget(self) -> None:
        self._spectra.clear()
        self._reloads += 1

    def compare(self, request: Any) -> Iterator[dict[str, Any]]:
        """Measure the spectra of a model, of the others for the same pictures, and of real ones.

        Args:
            request: {"query", of the link of a picture of the model}, from the browser.

        Yields:
            {"done", "of"} in pictures, time and again; last {"rows", "mark", "code"}: for each
            spectrum {"name", "frequencies", "power", "detail", "jaggies", "checkerboard", "real",
            "shown"}, real pictures first; the frequency of a checkerboard; and Python for it. Or
            {"error"}.
        """
        try:
            query = request.get("query") if isinstance(request, dict) else None
            if not isinstance(query, str):
                raise ValueError(say("gan.spectrum.no_model"))
            view = self._gan.linked_view(dict(parse_qsl(query[:_LONGEST_LINK])))
            shown = (view.checkpoint, view.moment)
            keys, kind = self._comparable(shown)
            total = COUNT * len(keys)
            found = dict(self._spectra)  # of its own: a run that is opened clears what is kept
            for number, key in enumerate(keys):
                if key not in found:
                    reloads = self._reloads
                    found[key] = yield from self._measured(key, number * COUNT, total)
                    if reloads == self._reloads:
                        self._spectra[key] = found[key]
            real = _real_or_none(*kind)
            titles = {name: title for title, name in self._shelf.choices()}
            rows = [] if real is None else [_row(say("gan.spectrum.real"), real, real=True)]
            for name, moment in keys:
                title = titles.get(name, name)
                if moment is not None:
                    title = say("gan.spectrum.at", name=title, number=f"{moment:,}")
                rows.append(_row(title, found[name, moment], shown=(name, moment) == shown))
            while len(self._spectra) > _REMEMBERED:
                self._spectra.pop(next(iter(self._spectra)))
            source = self._shelf.source(view.checkpoint)
            yield {"rows": rows, "mark": CHECKERBOARD, "code": _code(source, view.moment, kind)}
        except ValueError as error:
            yield {"error": sent(sentence(error))}

    def _comparable(self, shown: Key) -> tuple[list[Key], tuple[str | None, int, int]]:
        """Return the models whose pictures are of the same kind, the shown one first; and that."""

        def kind_of(name: str) -> tuple[str | None, int, int]:
            with self._shelf.use(name) as model:
                return model.info.get("dataset"), model.config.size, model.config.channels

        kind = kind_of(shown[0])
        others = [name for name in self._shelf.names if name != shown[0] and kind_of(name) == kind]
        return [shown, *((name, None) for name in others)], kind

    def _measured(
        self, key: Key, done: int, total: int
    ) -> Generator[dict[str, int], None, Spectrum]:
        parts = []
        for seed in range(COUNT // _AT_ONCE):
            yield {"done": done + seed * _AT_ONCE, "of": total}
            # Between two parts others use the model.
            with self._shelf.use(key[0]) as model:
                parts.append(_model_of(model, key[1]).sample(_AT_ONCE, seed=seed))
        return spectrum(np.concatenate(parts))


def _model_of(model: GanModel, moment: int | None) -> GanModel:
    return model if moment is None else model.at(moment)


def _real_or_none(dataset: str | None, size: int, channels: int) -> Spectrum | None:
    """Return the spectrum of real test pictures; None where they are not on this machine."""
    try:
        return _real(dataset, size, channels)
    except ValueError:
        return None


@lru_cache(maxsize=16)
def _real(dataset: str | None, size: int, channels: int) -> Spectrum:
    """Return the same; ValueError, which is not kept, where they are not here yet."""
    known = pictures_here(dataset, size, "test")
    if known.channels != channels:  # a card may say anything
        raise ValueError("other channels")  # nobody is told
    return spectrum(known.subset(slice(COUNT)).pictures())


def _row(name: str, found: Spectrum, *, real: bool = False, shown: bool = False) -> dict[str, Any]:
    return {
        "name": sent(name),
        "frequencies": found.frequencies.tolist(),
        "power": found.power.tolist(),
        "detail": found.detail,
        "jaggies": found.jaggies,
        "checkerboard": found.checkerboard,
        "real": real,
        "shown": shown,
    }


def _code(source: str, moment: int | None, kind: tuple[str | None, int, int]) -> str:
    """Return Python that measures the same of the model that is shown, and of real pictures."""
    then = "" if moment is None else f".at({moment})"
    dataset, size, _ = kind
    lines = [
        "import numpy as np\n\nimport genimg\nfrom genimg.metrics.spectrum import spectrum\n",
        f"model = genimg.load({json.dumps(source, ensure_ascii=False)}){then}",
        f"parts = [model.sample({_AT_ONCE}, seed=seed) for seed in range({COUNT // _AT_ONCE})]",
        "generated = spectrum(np.concatenate(parts))",
        "print(generated.detail, generated.jaggies, generated.checkerboard)",
    ]
    if dataset is not None and dataset_words(dataset) == dataset:  # no path of this machine
        lines += [
            f'test = genimg.data.load({json.dumps(dataset)}, size={size}, split="test")',
            f"real = spectrum(test.subset(slice({COUNT})).pictures())",
            "print(generated.detail / real.detail, generated.jaggies / real.jaggies)",
        ]
    return "\n".join(lines) + "\n"
