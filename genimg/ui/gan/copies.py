"""Is it a copy? The nearest training pictures of what is on the screen, and what that means."""

import html
from collections.abc import Mapping
from typing import Any

from genimg.explore import GanModel
from genimg.explore.neighbours import Neighbours, training_pictures
from genimg.render import data_uri
from genimg.ui.gan.view import GanView
from genimg.ui.messages import sentence
from genimg.ui.model_shelf import ModelShelf

READING = "<p>Reading the training pictures …</p>"
_SHOWN = 5
_CALLED = {"pixels": "By pixels", "features": "By features"}


def is_it_a_copy(shelf: ModelShelf[GanModel], view: GanView) -> str:
    """Return HTML: the training pictures nearest to the picture of a view, and a verdict."""
    with shelf.use(view.checkpoint) as model:
        picture = view.model_in(model).picture(**view.arguments())
        card, size = model.info, model.config.size
    try:  # outside, so that other pictures are generated while the first call reads
        known = training_pictures(card.get("dataset"), size)
        found = {way: known.nearest(picture, _shown(known.training), way) for way in known.ways}
    except ValueError as error:
        return f"<p>{html.escape(sentence(error))}</p>"
    return described(found, card.get("dataset_images"))


def described(found: Mapping[str, Neighbours], learned_from: Any) -> str:
    """Return neighbours as HTML.

    Args:
        found: by the way in which they are near.
        learned_from: how many pictures the model learned from, as its card tells.
    """
    rows = "".join(_row(way, near) for way, near in found.items())
    return f"{rows}<p>{verdict(found)} {_searched(next(iter(found.values())), learned_from)}</p>"


def verdict(found: Mapping[str, Neighbours]) -> str:
    """Return what the distances mean, in words."""
    if any(near.distances[0] == 0 for way, near in found.items() if way == "pixels"):
        return "This is a training picture, to the last grey level."
    compared = [
        f"{near.ratio:.2f} times {'' if way == 'pixels' else 'by features '}".strip()
        for way, near in found.items()
        if near.ratio is not None
    ]
    if not compared:
        return (
            "Most test pictures are among the training pictures, so they are no use for comparison."
        )
    near = [each for each in found.values() if each.is_suspicious]
    judged = (
        "Hardly any unseen real picture is as near to one: it may be a copy, or it is plainer than"
        " real pictures are."
        if near
        else "So it is no copy of one of them."
    )
    return (
        f"Its nearest training picture is {' and '.join(compared)} as far away as that of a real"
        f" picture that the model has not seen. {judged}"
    )


def _searched(near: Neighbours, learned_from: Any) -> str:
    words = f"Searched: {near.searched:,} training pictures"
    more = isinstance(learned_from, int) and learned_from > near.searched
    if "bundled" in near.source or more:
        words += ", the sample that ships" if "bundled" in near.source else ", all that are here"
        words += f"; the model learned from {learned_from:,}" if more else ""
    return f"{words}."


def _row(way: str, near: Neighbours) -> str:
    pictures = "".join(
        f'<img src="{data_uri(picture, "png")}" alt="Training picture {number}">'
        for picture, number in zip(near.pictures, near.numbers, strict=True)
    )
    return f'<div class="near"><span>{_CALLED[way]}</span>{pictures}</div>'


def _shown(pictures: Any) -> int:
    return min(_SHOWN, len(pictures))
