"""The Compare tab: components and wiring. What happens is in `handlers`."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
from gradio.events import Dependency

from genimg.explore import DrawerModel, GanModel
from genimg.ui import components
from genimg.ui.compare import components as compare_components
from genimg.ui.compare.handlers import CompareHandlers, CompareView
from genimg.ui.compare.quiz import Quiz
from genimg.ui.events import QUIET
from genimg.ui.gan.handlers import random_seed
from genimg.ui.messages import as_warning, silently, warn
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.texts import choices, say, span
from genimg.ui.texts import label as label_of
from genimg.ui.transformer.drawing_view import ANY_CLASS, LARGEST_SEED

ID = "compare"
_LONGEST_ADDRESS = 8192
# Values come as they are, because the handlers check them.
_QUIET: dict[str, Any] = QUIET | {
    "preprocess": False,
}
_QUEUED = _QUIET | {"show_progress": "minimal"}


def build(gans: ModelShelf[GanModel], drawers: ModelShelf[DrawerModel], tab: gr.Tab) -> None:
    """Add what is inside `tab`, which is being built."""
    handlers = CompareHandlers(gans, drawers)
    quiz = Quiz(handlers)
    view = handlers.first_view()
    with gr.Column(elem_classes=["stage"]):
        gr.Markdown(label_of("compare.explanation"), elem_classes=["explanation", "wide"])
        with gr.Row(elem_classes=["aligned"]):
            gan = components.choice(
                gans.choices(), view.gan, label=say("compare.gan"), name="compare-gan",
                min_width=150,
            )  # fmt: skip
            drawer = components.choice(
                drawers.choices(), view.drawer, label=say("compare.drawer"),
                name="compare-drawer", min_width=150,
            )  # fmt: skip
            label = components.choice(
                handlers.choices(view.gan, view.drawer), _sent(view), label=say("compare.class"),
                name="compare-label", min_width=130,
            )  # fmt: skip
            seed = gr.Number(
                view.seed, label=label_of("compare.seed"), precision=0, minimum=0,
                maximum=LARGEST_SEED, elem_id="compare-seed", min_width=90, scale=1,
            )  # fmt: skip
            die = gr.Button(
                label_of("compare.new_seed"), elem_id="compare-die", min_width=100, scale=1
            )
        waiting = f"<p>{span(say('compare.waiting'))}</p>"
        samples = gr.HTML(waiting, elem_id="compare-samples", elem_classes=["compared"])
        gr.Markdown(label_of("compare.quiz.heading"))
        asked = compare_components.quiz(_asked(view), name="quiz", ask=quiz.ask, answer=quiz.answer)
        gr.Markdown(label_of("compare.copies.heading"))
        copies = gr.HTML(elem_id="compare-copies", elem_classes=["compared"])
        gr.Markdown(label_of("compare.measured.heading"))
        table = gr.HTML(elem_id="compare-table", elem_classes=["compared"])
        with gr.Accordion(label_of("compare.bridge.heading"), open=False,
                          elem_id="compare-bridge-part"):  # fmt: skip
            explanation = label_of("compare.bridge.explanation")
            gr.Markdown(explanation, elem_classes=["explanation", "wide"])
            bridge = gr.HTML(elem_id="compare-bridge", elem_classes=["compared"])
        with gr.Accordion(label_of("compare.python"), open=False):
            code = components.snippet(handlers.code(view), name="compare-code")

    controls = [gan, drawer, label, seed]
    at_once, later = [samples, asked, code], [table, copies, bridge]

    def show(*values: Any) -> list[Any]:
        view = handlers.view(*values)
        return [handlers.samples(view), _asked(view, view.query()), handlers.code(view)]

    def add(*values: Any) -> list[Any]:
        view = handlers.view(*values)
        return [handlers.table(view), handlers.copies(view), handlers.bridge(view)]

    def choose_gan(gan: str, drawer: str, label: Any) -> list[Any]:
        return _choices(handlers, gan, handlers.drawer_for(gan, drawer), label)

    def choose_drawer(gan: str, drawer: str, label: Any) -> list[Any]:
        return _choices(handlers, handlers.gan_for(drawer, gan), drawer, label)

    def open_compared(*values: Any) -> list[Any]:
        query = dict(parse_qsl(str(values[-1])[:_LONGEST_ADDRESS].removeprefix("?")))
        if "compared" not in query:
            return [*[gr.skip()] * len(controls), *show(*values[:-1])]
        try:
            view = handlers.linked_view(query)
        except ValueError as error:
            warn(error)
            return [*[gr.skip()] * len(controls), *show(*values[:-1])]
        chosen = _choices(handlers, view.gan, view.drawer, _sent(view))
        return [*chosen, view.seed, *show(view.gan, view.drawer, _sent(view), view.seed)]

    def draw(event: Callable[..., Dependency]) -> None:
        made = event(
            as_warning(show), controls, at_once, **_QUEUED | {"show_progress_on": [samples]}
        )
        made.then(silently(add), controls, later, **_QUIET)

    others = [gan, drawer, label]
    for chosen, choose in ((gan, choose_gan), (drawer, choose_drawer)):
        draw(components.event(chosen, "input")(silently(choose), others, others, **_QUIET).then)
    for event in (components.event(label, "input"), seed.submit):
        draw(event)
    draw(die.click(random_seed, None, seed, **_QUIET).then)
    # Only who opens the tab waits for its pictures. The address has what was compared last.
    opened = tab.select(
        as_warning(open_compared), [*controls, asked], [*controls, *at_once],
        js="(...values) => [...values.slice(0, -1), window.location.search]",
        **_QUEUED | {"show_progress_on": [samples]},
    )  # fmt: skip
    opened.then(silently(add), controls, later, **_QUIET)


def _sent(view: CompareView) -> str | int:
    return ANY_CLASS if view.label is None else view.label


def _asked(view: CompareView, query: str = "") -> dict[str, Any]:
    return {"gan": view.gan, "drawer": view.drawer, "label": _sent(view), "query": query}


def _choices(handlers: CompareHandlers, gan: str, drawer: str, label: Any) -> list[Any]:
    """Return updates of both models and the class: the class stays where both know it."""
    classes = handlers.choices(gan, drawer)
    known = [value for _, value in classes]
    kept = label if label in known else known[min(1, len(known) - 1)]
    return [
        gr.update(value=gan),
        gr.update(value=drawer),
        gr.update(choices=choices(classes), value=kept),
    ]
