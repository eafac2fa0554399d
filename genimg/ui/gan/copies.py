"""Is it a copy? The nearest training pictures of what is on the screen, and what that means."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

from genimg.explore import GanModel
from genimg.explore.neighbours import Neighbours, training_pictures
from genimg.render import data_uri
from genimg.ui.gan.view import GanView
from genimg.ui.messages import sentence
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.texts import attribute, say, span

READING = f"<p>{span(say('gan.copies.reading'))}</p>"
_SHOWN = 5


def is_it_a_copy(shelf: ModelShelf[GanModel], view: GanView) -> str:
    """Return HTML: the training pictures nearest to the picture of a view, and a verdict."""
    with shelf.use(view.checkpoint) as model:
        picture = view.model_in(model).picture(**view.arguments())
        card, size = model.info, model.config.size
    try:  # outside, so that other pictures are generated while the first call reads
        known = training_pictures(card.get("dataset"), size)
        found = {way: known.nearest(picture, _shown(known.training), way) for way in known.ways}
    except ValueError as error:
        return f"<p>{span(sentence(error))}</p>"
    return described(found, card.get("dataset_images"))


def described(found: Mapping[str, Neighbours], learned_from: Any) -> str:
    """Return neighbours as HTML.

    Args:
        found: by the way in which they are near.
        learned_from: how many pictures the model learned from, as its card tells.
    """
    rows = "".join(_row(way, near) for way, near in found.items())
    searched = _searched(next(iter(found.values())), learned_from)
    return f"{rows}<p>{span(say('frame.both', first=verdict(found), second=searched))}</p>"


def verdict(found: Mapping[str, Neighbours]) -> str:
    """Return what the distances mean, in words."""
    if any(near.distances[0] == 0 for way, near in found.items() if way == "pixels"):
        return say("gan.copies.exact")
    compared = [
        say(
            f"gan.copies.times{'' if way == 'pixels' else '_by_features'}",
            ratio=f"{near.ratio:.2f}",
        )
        for way, near in found.items()
        if near.ratio is not None
    ]
    if not compared:
        return say("gan.copies.no_use")
    times = reduce(lambda one, other: say("gan.copies.and", one=one, other=other), compared)
    suspicious = any(each.is_suspicious for each in found.values())
    return say(f"gan.copies.{'suspicious' if suspicious else 'new'}", times=times)


def _searched(near: Neighbours, learned_from: Any) -> str:
    number = f"{near.searched:,}"
    sample = "bundled" in near.source
    if isinstance(learned_from, int) and learned_from > near.searched:
        where = "sample" if sample else "here"
        return say(f"gan.copies.searched_{where}_of", number=number, all=f"{learned_from:,}")
    return say(f"gan.copies.searched{'_sample' if sample else ''}", number=number)


def _row(way: str, near: Neighbours) -> str:
    pictures = "".join(
        f'<img src="{data_uri(picture, "png")}"'
        f" {attribute('alt', say('gan.copies.training', number=str(number)))}>"
        for picture, number in zip(near.pictures, near.numbers, strict=True)
    )
    return f'<div class="near"><span>{span(say(f"gan.copies.{way}"))}</span>{pictures}</div>'


def _shown(pictures: Any) -> int:
    return min(_SHOWN, len(pictures))
