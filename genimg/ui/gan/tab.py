"""The GAN tab: components and wiring. What happens is in `handlers`.

The picture has one writer: an event that fires when any control has changed, takes all controls as
they are now, and of which one call at a time is on its way. So the last value sent is the last
value shown, whoever changed the control: a drag, a key, a button, a link.
"""

import itertools
import time
from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.events import Dependency

from genimg.explore import GanModel
from genimg.ui import components
from genimg.ui.events import IN_ORDER, QUIET
from genimg.ui.gan import components as gan_components
from genimg.ui.gan import game, inside, mixing, nearby, own_picture
from genimg.ui.gan.copies import READING, is_it_a_copy
from genimg.ui.gan.gauge import WAITING
from genimg.ui.gan.handlers import GanHandlers, random_seed
from genimg.ui.gan.opponent import Opponent
from genimg.ui.gan.sliders import FEW, nudged
from genimg.ui.gan.view import (
    AMOUNT_STEP,
    DIRECTION_LIMIT,
    FIRST_STEPS_BETWEEN,
    FIRST_TRUNCATION,
    KEYFRAMES,
    LARGEST_SEED,
    LATENT_LIMIT,
    STEPS_BETWEEN,
    TRUNCATION,
    GanView,
    seeds_in,
)
from genimg.ui.messages import as_error, as_warning, silently
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.opening import Opening
from genimg.ui.texts import label as label_of
from genimg.ui.texts import say

# What follows a drag: no queue (it costs more than the picture), and the last event always counts.
# Values come as they are, because the handlers check them: Gradio would answer a class of the last
# model, on its way while the choices change to those of the next, with an error and no picture.
_LIVE: dict[str, Any] = QUIET | {
    "preprocess": False,
    "queue": False,
    "trigger_mode": "always_last",
}
# A second one for an event that has one of those already: of two that wait for each other, Gradio
# 6.31 calls each again when the other ends, for ever.
_BESIDE: dict[str, Any] = _LIVE | {"trigger_mode": "multiple"}
# What may have to say something: a warning reaches the page only through the queue.
_QUEUED: dict[str, Any] = _LIVE | {"queue": True}


def build(shelf: ModelShelf[GanModel], demo: gr.Blocks) -> Opening:
    """Add the tab to `demo`, the page that is being built; links to the page open in it."""
    handlers = GanHandlers(shelf)
    picture, settings, beside, settled = _explorer(handlers, Opponent(shelf, handlers.acting), demo)
    game.build(demo)
    _walk(handlers, settings, settled, demo)
    inside.build(handlers, demo)
    gr.api(as_error(handlers.sample), api_name="sample")
    gr.api(as_error(handlers.interpolate), api_name="interpolate")

    def show(checkpoint: str) -> list[Any]:
        first = handlers.first_view()
        view = handlers.view_in(checkpoint, first.label, first.seed, first.truncation)
        return [handlers.picture(view), *_updates(handlers, view)]

    return Opening(shelf, show, [picture, *settings, *beside])


def _explorer(
    handlers: GanHandlers, opponent: Opponent, demo: gr.Blocks
) -> tuple[gr.Component, list[gr.Component], list[gr.blocks.Block], Dependency]:
    """Add the picture with its controls.

    Returns:
        The picture; checkpoint, class, seed, truncation, age, sliders, noise, and the code of a
        found picture; what else changes with the model; what follows when the picture has settled.
    """
    view = handlers.first_view()
    initial = handlers.controls(view)
    gr.Markdown(label_of("gan.two_players"), elem_classes=["explanation", "wide"])
    with gr.Row(elem_classes=["stage", "explorer"]):
        with gr.Column(scale=5, min_width=320):
            picture = gan_components.picture(handlers.picture(view), name="picture")
            code_found = gan_components.found(view.code, name="found")
            steps = gan_components.history(name="history")
            gr.Markdown(label_of("gan.gauge.heading"), elem_classes=["later"])
            # Not made before the page is served: the scores to compare with take seconds.
            gauge = gr.HTML(WAITING, elem_id="gauge", elem_classes=["gauge", "later"])
            convince = gr.Button(
                label_of("gan.gauge.convince"), elem_id="convince", elem_classes=["later"]
            )
            with gr.Accordion(
                label_of("gan.decides.heading"), open=False, elem_id="decides",
                elem_classes=["later"],
            ):  # fmt: skip
                why = gr.Button(label_of("gan.decides.ask"), elem_id="why")
                maps = gr.HTML("", elem_id="maps")
            gr.Markdown(label_of("gan.copies.heading"), elem_classes=["later"])
            copies = gr.HTML(READING, elem_id="copies", elem_classes=["copies", "later"])
        with gr.Column(scale=6, min_width=320):
            with gr.Row():
                checkpoint = components.choice(
                    **initial["checkpoint"], label=say("gan.model"), name="checkpoint",
                    min_width=150,
                )  # fmt: skip
                label = components.choice(
                    **{"choices": [], "value": None} | initial["label"], label=say("gan.class"),
                    name="label", min_width=130,
                )  # fmt: skip
            facts = gr.HTML(elem_id="facts", elem_classes=["facts"], **initial["facts"])
            with gr.Row(elem_classes=["aligned"]):
                seed = gr.Number(
                    label=label_of("gan.seed"), precision=0, minimum=0, maximum=LARGEST_SEED,
                    elem_id="seed", scale=2, min_width=100, **initial["seed"],
                )  # fmt: skip
                die = gr.Button(label_of("gan.new_seed"), elem_id="die", scale=1, min_width=100)
                truncation = gr.Slider(
                    *TRUNCATION, step=0.05, label=label_of("gan.truncation"),
                    elem_id="truncation", scale=4, min_width=210,
                    **{"value": FIRST_TRUNCATION} | initial["truncation"],
                )  # fmt: skip
            age = gr.Slider(
                0, step=1, label=label_of("gan.age"), elem_id="age", min_width=210,
                **initial["age"],
            )  # fmt: skip
            gr.Markdown(label_of("gan.change.heading"))
            gr.Markdown(label_of("gan.explanation"), elem_classes=["explanation"])
            sliders_of = enumerate(initial["directions"])
            with gr.Column(elem_classes=["sliders", "named"]):
                directions = [
                    _amount(DIRECTION_LIMIT, f"direction-{i}", options)
                    for i, options in itertools.islice(sliders_of, FEW)
                ]
            folded = gr.Accordion(
                label_of("gan.more"), open=False, elem_id="more", **initial["more"]
            )
            with (
                folded,
                gr.Column(elem_classes=["sliders", "named"]),
            ):
                directions += [
                    _amount(DIRECTION_LIMIT, f"direction-{i}", options) for i, options in sliders_of
                ]
            ends = gan_components.slider_ends(name="ends")
            with gr.Row():
                nudge = gr.Button(label_of("gan.nudge"), elem_id="nudge", min_width=130)
                reset = gr.Button(label_of("gan.reset"), elem_id="reset", min_width=130)
            # Not in an accordion, which runs nothing before it is opened.
            names = gan_components.names(nearby.called(handlers, view), name="names")
            with (
                gr.Accordion(label_of("gan.raw"), open=False, elem_id="raw"),
                gr.Column(elem_classes=["sliders"]),
            ):
                noise = gan_components.noise(**initial["noise"], name="noise")
                latents = [
                    _amount(LATENT_LIMIT, f"z-{i}", options | {"label": f"z {i}"})
                    for i, options in enumerate(initial["latents"])
                ]
            below = gr.Column()
    with gr.Row(elem_classes=["stage"]):
        with gr.Column(scale=5, min_width=320):
            gr.Markdown(label_of("gan.neighbours.heading"))
            sheet = gan_components.cells(handlers.neighbours(view), name="sheet")
            strip = gan_components.cells(nearby.truncations(handlers, view), name="strip")
        with gr.Column(scale=6, min_width=320):
            gr.Markdown(label_of("gan.python.heading"))
            code = components.snippet(view.snippet(), name="picture-code")

    sliders = [*directions, *latents]
    settings = [checkpoint, label, seed, truncation, age, *sliders, noise, code_found]
    controls = [*settings, facts, folded]
    mixing.build(
        handlers, settings[:2] + settings[3:5], controls,
        lambda view: _updates(handlers, view), _QUEUED,
    )  # fmt: skip

    def view_of(checkpoint: str, label: str, seed: int, truncation: float, age: int, *rest: Any):
        *amounts, noise, code = rest
        return handlers.view(checkpoint, label, seed, truncation, amounts, age, code, noise)

    def show(*values: Any) -> dict[str, Any]:
        return handlers.picture(view_of(*values))

    def accompany(*values: Any) -> tuple[dict[str, Any], dict[str, Any], str]:
        view = view_of(*values)
        around = handlers.neighbours(view), nearby.truncations(handlers, view)
        return *around, handlers.snippet(view)

    def go_there(event: gr.EventData) -> list[Any]:
        return _updates(handlers, nearby.neighbour(handlers, event._data))

    def choose_truncation(event: gr.EventData) -> float:
        return nearby.chosen_truncation(event._data)

    def judge(*values: Any) -> str:
        return opponent.gauge(view_of(*values))

    def show_ends(*values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        view = view_of(*values)
        return handlers.ends(view), nearby.called(handlers, view)

    def move(*values: Any) -> list[Any]:
        return _updates(handlers, opponent.convince(view_of(*values)))

    def explain(*values: Any) -> str:
        return opponent.decides(view_of(*values))

    def restore(event: gr.EventData) -> list[Any]:
        wanted = event._data.get("query") if isinstance(event._data, dict) else None
        return _updates(handlers, handlers.queried_view(wanted))

    def compare(*values: Any) -> str:
        return is_it_a_copy(handlers.shelf, view_of(*values))

    def choose(checkpoint: str, label: str, seed: int, truncation: float) -> list[Any]:
        return _updates(handlers, handlers.view_in(checkpoint, label, seed, truncation))

    def open_link(request: gr.Request) -> Any:
        query = dict(request.query_params)
        return _updates(handlers, handlers.linked_view(query)) if "model" in query else gr.skip()

    def nudge_sliders(checkpoint: str, *amounts: float) -> list[float]:
        count = handlers.acting(checkpoint)  # what has no slider must not move unseen
        return [*nudged(amounts[:count]), *amounts[count:]]

    changes = [components.event(control, "change") for control in settings]
    gr.on(changes, silently(show), settings, picture, **_LIVE)
    settled = picture.settled(silently(accompany), settings, [sheet, strip, code], **_LIVE)
    for moment in (settled.then, demo.load):
        moment(silently(judge), settings, gauge, **_LIVE)
        moment(silently(compare), settings, copies, **_LIVE)
        moment(silently(show_ends), settings, [ends, names], **_LIVE)
    # Maps of another picture would be wrong, and new ones take a second.
    settled.then(lambda: "", None, maps, **_LIVE)
    why.click(as_warning(explain), settings, maps, **_QUEUED)
    convince.click(as_warning(move), settings, controls, **_QUEUED)
    steps.restore(as_warning(restore), None, controls, **IN_ORDER)
    sheet.choose(as_warning(go_there), None, controls, **IN_ORDER)
    strip.choose(as_warning(choose_truncation), None, truncation, **IN_ORDER)
    die.click(random_seed, None, seed, **_LIVE)
    nudge.click(silently(nudge_sliders), [checkpoint, *sliders], sliders, **_LIVE)
    reset.click(lambda: [0.0] * len(sliders), None, sliders, **_LIVE)
    checkpoint.input(as_warning(choose), settings[:4], controls, **_QUEUED)
    opened = demo.load(as_warning(open_link), None, controls, **_QUEUED)
    opened.then(None, None, None, js=components.linked("history"), queue=False)
    own_picture.build(
        handlers.shelf, demo, settings, lambda view: _updates(handlers, view)[:-2], die, below
    )
    return picture, settings, [facts, folded], settled


def _walk(
    handlers: GanHandlers, settings: list[gr.Component], settled: Dependency, demo: gr.Blocks
) -> None:
    """Add the walk between seeds; all else of it is as in the picture of `settings`.

    But it is always of the fully trained model, and says so while the time machine is set back.

    Args:
        settled: what follows when that picture has settled.
    """
    checkpoint, label, seed, truncation, age, *sliders, noise, code_found = settings
    first = handlers.first_walk()
    with gr.Row(elem_classes=["stage"]):
        with gr.Column(scale=5, min_width=320):
            gr.Markdown(label_of("gan.walk.heading"))
            player = gan_components.player(
                handlers.film(first), name="player", export=handlers.export
            )
        with gr.Column(scale=6, min_width=320):
            with gr.Row(elem_classes=["aligned"]):
                seeds = gr.Textbox(
                    ", ".join(map(str, first.seeds)), label=label_of("gan.walk.seeds"),
                    elem_id="seeds", scale=3, min_width=150, max_lines=1,
                )  # fmt: skip
                add = gr.Button(label_of("gan.walk.add"), elem_id="add", scale=2, min_width=140)
                draw = gr.Button(label_of("gan.walk.draw"), elem_id="draw", scale=1, min_width=100)
            with gr.Row():
                mode = gr.Radio(
                    [(label_of("gan.walk.slerp"), "slerp"), (label_of("gan.walk.lerp"), "lerp")],
                    value=first.mode, label=label_of("gan.walk.path"), elem_id="mode",
                    min_width=200,
                )  # fmt: skip
                space = gr.Radio(
                    [(label_of("gan.walk.z"), "z"), (label_of("gan.walk.w"), "w")],
                    value=first.space, label=label_of("gan.walk.space"), elem_id="space",
                    min_width=150,
                    visible=handlers.is_mapped(first.checkpoint),
                )  # fmt: skip
            with gr.Row():
                between = gr.Slider(
                    *STEPS_BETWEEN, step=1, value=FIRST_STEPS_BETWEEN,
                    label=label_of("gan.walk.between"), elem_id="between", min_width=200,
                )  # fmt: skip
                loop = gr.Checkbox(
                    first.loop, label=label_of("gan.walk.loop"), elem_id="loop", min_width=160
                )
            make = gr.Button(label_of("gan.walk.make"), variant="primary", elem_id="make")
            stale = gr.HTML("", elem_id="walk-note", elem_classes=["walk-note"])
            gr.Markdown(label_of("gan.walk.python"))
            code = components.snippet(first.snippet(), name="walk-code")

    path = [checkpoint, label, truncation, seeds, between, mode, space, loop, *sliders]

    def arguments(values: Sequence[Any]) -> list[Any]:
        return [*values[: -len(sliders)], values[-len(sliders) :]]

    def walk(*values: Any) -> tuple[dict[str, Any], str]:
        chosen = handlers.walk(*arguments(values))
        # With the time it is news to the browser even if it is the same, which it then says.
        return handlers.film(chosen) | {"asked": time.time()}, handlers.snippet(chosen)

    def open_link(request: gr.Request) -> Any:
        query = dict(request.query_params)
        if not {"model", "walk"} <= query.keys():
            return gr.skip()
        chosen = handlers.linked_walk(query, handlers.linked_view(query))
        shown = [", ".join(map(str, chosen.seeds)), chosen.between, chosen.mode, chosen.space]
        return [handlers.film(chosen), handlers.snippet(chosen), *shown, chosen.loop]

    def staleness(shown: str, age: int, noise: str, *values: Any) -> str:
        stale = handlers.staleness(shown, *arguments(values))
        return stale or handlers.anachronism(values[0], age, noise)

    def add_seed(text: str, seed: int, found: str) -> str:
        handlers.check_seed(seed)
        if found:
            raise ValueError(say("gan.walk.no_seed"))
        known = seeds_in(text)
        if known[-1:] == [seed]:
            raise ValueError(say("gan.walk.ends_with", seed=str(seed)))
        return ", ".join(map(str, [*known, seed][-KEYFRAMES[1] :]))

    gr.on(
        [make.click, seeds.submit, mode.input, space.input, loop.input],
        as_warning(walk), path, [player, code], **_QUEUED,
    )  # fmt: skip
    own = [seeds, between, mode, space, loop, code]
    shown = (silently(staleness), [code, age, noise, *path], stale)
    gr.on([components.event(control, "change") for control in own], *shown, **_LIVE)
    settled.then(*shown, **_LIVE)
    drawn = draw.click(
        lambda: ", ".join(str(random_seed()) for _ in range(4)), None, seeds, **_LIVE
    )
    linked = [player, code, seeds, between, mode, space, loop]
    demo.load(as_warning(open_link), None, linked, **_QUEUED)
    added = add.click(as_warning(add_seed), [seeds, seed, code_found], seeds, **_QUEUED)
    for chosen in (drawn, added):
        chosen.then(as_warning(walk), path, [player, code], **_QUEUED)
    components.event(checkpoint, "change")(
        silently(lambda name: gr.update(visible=handlers.is_mapped(name))), checkpoint, space,
        **_BESIDE,
    )  # fmt: skip


def _amount(limit: float, name: str, options: dict[str, Any]) -> gr.Slider:
    return gr.Slider(-limit, limit, step=AMOUNT_STEP, elem_id=name, min_width=180, **options)


def _updates(handlers: GanHandlers, view: GanView) -> list[Any]:
    """Return the updates of all controls of `_explorer`, in their order."""
    new = handlers.controls(view)
    head = [new[name] for name in ("checkpoint", "label", "seed", "truncation", "age")]
    rest = [new[name] for name in ("noise", "code", "facts", "more")]
    entries = [*head, *new["directions"], *new["latents"], *rest]
    return [gr.update(**entry) for entry in entries]
