"""What is refused, by every public function alike: one sentence of ours, or it works."""

import ast
import functools
import linecache
import reprlib
import traceback
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import genimg
from genimg import data, render
from genimg.checkpoints import Checkpoint
from genimg.explore import combining, comparing, evaluating, inside, mixing, own_names
from genimg.explore.classifier import ClassifierModel
from genimg.explore.loaded import LoadedModel
from genimg.explore.tokenizing import TokenizerModel
from genimg.metrics import diversity, frechet, kernel, manifold, nearest, spectrum
from genimg.models import KINDS

PACKAGE = Path(genimg.__file__).parent

PICTURE = np.zeros((16, 16, 1), np.uint8)
OUTPUT = {"output": "numpy"}
SHEET = np.zeros((2, 16, 16, 1), np.uint8)
LARGE = np.zeros((2, 32, 32, 1), np.uint8)
FEATURES = np.random.default_rng(0).normal(size=(8, 3))

BAD = [
    *(None, True, False, -1, 0, 1, 2.5, -0.0, float("nan"), float("inf"), 2**70, -(2**70), 10**9),
    *("", "x", "Coat", "\0", "a\nb", b"x", "../..", "1"),
    *([], (), {}, set(), [0], [0, 9], [0, 2], ["Coat", "Bag"], ["Bag", "Shirt"], [[0, 1], [2]]),
    *([None], [True, False], ["Bag", 1], [1.0, 2.0], {0: "x"}, {"x": 1}, {0: 2**70}, range(3)),
    *(object(), len, Path("nowhere"), np.int64(1), np.float32(1), np.bool_(True), 1 + 2j),
    *(np.zeros(0), np.zeros(2), np.arange(2), np.array([0, 9]), np.zeros((2, 2), object)),
    *(np.array(["Bag", "Shirt"]), np.array([np.nan]), np.zeros((3, 3), complex), np.array(1)),
    *(PICTURE, SHEET, LARGE, LARGE[0], SHEET.repeat(3, axis=3), PICTURE.repeat(3, axis=2)),
    *(SHEET.astype(float), SHEET[:0], SHEET[:, :0], SHEET[..., 0], SHEET.tolist()),
    *(torch.zeros(2), torch.zeros(2, 1, 16, 16, dtype=torch.uint8), torch.tensor(1)),
    *(torch.zeros(2, 3, 16, 16, dtype=torch.uint8), torch.arange(2)),
]


@pytest.fixture(scope="module")
def calls(make_model, make_tiny, small_config, alive, tmp_path_factory):
    """Return {name: (function, good arguments)} of everything public."""
    folder = tmp_path_factory.mktemp("x")
    style, mlp, plain = make_model("stylegan"), make_model("mlp-gan"), make_model("dcgan", 0)
    drawer = genimg.explore.DrawerModel(make_tiny("image-gpt"))
    masked = genimg.explore.MaskedDrawerModel(make_tiny("maskgit"))
    vision = genimg.explore.VisionTransformerModel(make_tiny("vision-transformer"))
    tokenizer = TokenizerModel(make_tiny("fsq-tokenizer"))
    config = small_config("classifier", 16, 1, 3)
    network = alive(KINDS["classifier"].build(config)).requires_grad_(False)
    card = {"classes": ["Shirt", "Sneaker", "Bag"]}
    classifier = ClassifierModel(Checkpoint("mine", "classifier", config, network, card, folder))
    drawing = drawer.generate(label=0)
    place_of = {"device": "cpu", "dtype": torch.float32}
    place = {"layer": 0, "head": 0, "query": 0}
    controls = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "guidance": 1.5}
    parallel = controls | {"steps": 2, "order": "random", "noise": 1.0}
    moves = {"seed": 0, "label": 0, "directions": [1.0], "latents": {0: 1.0}}
    walk = {"seeds": [1, 2], "steps": 3, "mode": "slerp", "space": "z", "loop": False}
    tokens = np.zeros((1, 16), int)
    values = {"values": np.zeros((2, 2)), "low": 0.0, "high": 1.0, "color_map": "sequential"}
    sets = {"features_a": FEATURES, "features_b": FEATURES}
    pair = {"real": FEATURES, "fake": FEATURES, "neighbours": 2}
    train = {"preset": "fashion-mlp", "out": folder / "run", "images": 0, "processes": 1}
    found = {"style.at": (style.at, {"images_seen": 0})}
    for name, model in (("style", style), ("mlp", mlp), ("plain", plain)):
        own = {"truncation": 1.0} | ({} if model.classes else {"label": None}) | OUTPUT
        sheet = model.sample(2)
        found |= {
            f"{name}.sample": (model.sample, {"count": 2, "seed": 0, "label": 1} | own),
            f"{name}.picture": (model.picture, moves | own),
            f"{name}.neighbours": (model.neighbours, {"count": 2, "spread": 0.3} | moves | own),
            f"{name}.interpolate": (model.interpolate, walk | {"label": 1} | own),
            f"{name}.along": (
                model.along,
                {k: v for k, v in (moves | own).items() if k not in ("directions", "output")}
                | {"amounts": np.zeros((2, 3))},
            ),
            f"{name}.origin": (
                model.origin,
                {k: v for k, v in (moves | own).items() if k != "output"},
            ),
            f"{name}.with_noise": (model.with_noise, {"noise": 3}),
            f"{name}.nearest": (model.nearest, {"picture": sheet[0], "count": 1, "by": "pixels"}),
            f"{name}.search": (
                model.search,
                {"pictures": sheet, "label": own.get("label", 1), "steps": 1, "seed": 0},
            ),
            f"{name}.invert": (
                model.invert,
                {
                    "picture": sheet[0],
                    "label": own.get("label", 1),
                    "steps": 1,
                    "seed": 0,
                    "seconds": 0.1,
                },
            ),
            f"{name}.directions": (model.directions, {"label": own.get("label", 1), "count": 2}),
            f"{name}.judge": (
                model.judge,
                {"images": sheet, "labels": [0, 1] if model.classes else None},
            ),
            f"{name}.feature_maps": (
                functools.partial(inside.feature_maps, model),
                {"layer": 1} | moves | {"label": own.get("label", 1)},
            ),
            f"{name}.peaks": (functools.partial(inside.peaks, model), {"layer": 1}),
            f"{name}.alter": (
                functools.partial(inside.alter, model),
                {"factors": {(0, 0): 0.0}, "added": {(1, 2): 1.0}}
                | moves
                | {"label": own.get("label", 1)},
            ),
        }
    found |= {
        "drawer.sample": (drawer.sample, {"count": 2, "seed": 0, "label": 1} | OUTPUT | controls),
        "drawer.generate": (drawer.generate, {"label": 1, "seed": 0} | controls),
        "drawer.stream": (drawer.stream, {"label": 1, "seed": 0} | controls),
        "drawer.tokens_of": (drawer.tokens_of, {"image": PICTURE}),
        "drawer.unfinished": (drawer.unfinished, {"tokens": tokens[0]}),
        "drawer.complete": (
            drawer.complete,
            {"image": PICTURE, "rows": 2, "count": 2, "seed": 0, "label": 1} | OUTPUT | controls,
        ),
        "drawer.complete by keep": (
            drawer.complete,
            {"image": PICTURE, "keep": np.ones((4, 4), bool), "count": 1},
        ),
        "drawer.ablate": (
            drawer.ablate,
            {"drawing": drawing, "heads": {(0, 0): "off"}, "feed_forwards": [1]},
        ),
        "drawer.measure_heads": (drawer.measure_heads, {"count": 2, "seed": 0}),
        "drawer.read": (drawer.read, {"image": PICTURE, "label": 1}),
        "drawer.negative_log_likelihood": (
            drawer.negative_log_likelihood,
            {"images": SHEET, "labels": [0, 1]},
        ),
        "masked.sample": (masked.sample, {"count": 2, "seed": 0, "label": 1} | OUTPUT | parallel),
        "masked.draw": (masked.draw, {"label": 1, "seed": 0} | parallel),
        "masked.tokens_of": (masked.tokens_of, {"image": PICTURE}),
        "masked.unfinished": (masked.unfinished, {"tokens": tokens[0]}),
        "masked.complete": (
            masked.complete,
            {"image": PICTURE, "rows": 2, "count": 2, "seed": 0, "label": 1} | OUTPUT | parallel,
        ),
        "masked.negative_log_likelihood": (
            masked.negative_log_likelihood,
            {"images": SHEET, "labels": [0, 1], "order": "any", "seed": 0},
        ),
        "drawing.lens": (drawing.lens, {}),
        "drawing.attention": (drawing.attention, place),
        "drawing.entropy": (drawing.entropy, place),
        "drawing.contribution": (drawing.contribution, place),
        "drawing.reasons": (drawing.reasons, {"query": 1}),
        "drawing.stages": (drawing.stages, place),
        "drawing.rollout": (drawing.rollout, {"query": 0}),
        "drawing.maps.all_heads": (drawing.maps.all_heads, {"query": 0}),
        "tokenizer.encode": (tokenizer.encode, {"images": SHEET}),
        "tokenizer.decode": (tokenizer.decode, {"tokens": tokens} | OUTPUT),
        "tokenizer.reconstruct": (tokenizer.reconstruct, {"images": SHEET} | OUTPUT),
        "tokenizer.usage": (tokenizer.usage, {"images": SHEET}),
        "classifier.classify": (classifier.classify, {"images": SHEET}),
        "vision.classify": (vision.classify, {"images": SHEET}),
        "vision.look": (vision.look, {"image": PICTURE}),
        "vision.attention": (vision.attention, {"image": PICTURE} | place),
        "vision.rollout": (vision.rollout, {"image": PICTURE, "query": 0}),
        "vision.position_similarities": (vision.position_similarities, {}),
        "vision.relevance": (vision.relevance, {"image": PICTURE, "label": 1}),
        "load": (genimg.load, {"name": "nothing"} | place_of),
        "load shipped": (genimg.load, {"name": "fashion-mlp"} | place_of),
        "tokenizer.to": (tokenizer.to, place_of),
        "train": (genimg.train, train),
        "evaluate_model": (
            evaluating.evaluate_model,
            {"name": "nothing", "count": 6, "seed": 0, "feature_net": "fashion-features"},
        ),
        "question": (
            functools.partial(comparing.question, drawer),
            {"real": PICTURE, "seed": 0, "label": "Bag"},
        ),
        "seconds_per_picture": (
            functools.partial(comparing.seconds_per_picture, plain),
            {"label": None, "pictures": 1},
        ),
        "decoded": (comparing.decoded, {"decoders": [tokenizer], "images": SHEET}),
        "detail_of": (comparing.detail_of, {"images": SHEET}),
        "data.describe": (data.describe, {"name": "fashion-mnist"}),
        "data.load": (data.load, {"name": "nothing", "size": 28, "split": "test", "full": None}),
        "animate": (
            render.animate,
            {"frames": SHEET, "format": "gif", "frames_per_second": 10, "enlarge_to": 32}
            | {"loop": True},
        ),
        "strip": (render.strip, {"frames": SHEET, "columns": 1}),
        "grid": (render.grid, {"images": SHEET, "columns": 1, "gap": 1, "background": 0}),
        "encode": (render.encode, {"image": PICTURE, "format": "png", "quality": 90}),
        "data_uri": (render.data_uri, {"image": PICTURE, "format": "png", "quality": 90}),
        "enlarge": (render.enlarge, {"image": PICTURE, "size_px": 32, "smooth": False}),
        "to_image": (render.to_image, {"array": PICTURE}),
        "heat_map": (render.heat_map, values | {"size_px": 8}),
        "overlay": (render.overlay, {"image": PICTURE, "alpha": 0.5} | values),
        "color_bar": (render.color_bar, {"low": 0.0, "high": 1.0, "width": 128, "height": 4}),
        "frechet_distance": (frechet.frechet_distance, sets),
        "kernel_distance": (
            kernel.kernel_distance,
            sets | {"subsets": 2, "subset_size": 4, "seed": 0},
        ),
        "precision_recall": (manifold.precision_recall, pair),
        "density_coverage": (manifold.density_coverage, pair),
        "spectrum": (spectrum.spectrum, {"pictures": SHEET}),
        "power_map": (spectrum.power_map, {"pictures": SHEET}),
        "nearest": (nearest.nearest, {"query": SHEET, "bank": SHEET, "count": 1}),
        "within_class_distance": (
            diversity.within_class_distance,
            {"images": SHEET, "labels": [0, 0]},
        ),
    }
    names = folder / "names.json"
    names.write_text(f'{{"model": "{style.name}", "directions": ["sleeves"]}}', encoding="utf-8")
    found["with_names"] = (functools.partial(own_names.with_names, style), {"names": names})
    return found | _combined(style)


def _combined(style):
    """Return the calls of what combines pictures and mixes layers, functions of a model."""
    seeds = {"coarse": [1, 2], "fine": [3, 4], "layers": 1, "label": 0, "truncation": 1.0}
    layers = [1] * mixing.layers_of(style)
    near = {"number": 1, "spread": 0.3, "seed": 0, "label": 0, "latents": {0: 1.0}, "code": None}
    three = {"a": {"seed": 1}, "b": {"seed": 2}, "c": {"seed": 3}}
    whole = {"seed": 1, "label": 1, "truncation": 0.7, "directions": [1.0], "latents": {0: 1.0}}
    calls = {
        combining.code_of: {"place": whole},
        combining.combine: {"places": [whole, {"seed": 2}], "weights": [0.25, 0.75]},
        combining.plane: three | {"side": 2, "rows": range(1)},
        combining.plane_weights: {"side": 5, "row": 1, "column": 1},
        combining.between_classes: {"labels": [0, 1], "steps": 3, "place": {"seed": 1}},
        combining.neighbour_code: near,
        combining.checked_place: {"place": whole},
        mixing.mix: seeds,
        mixing.mix_layers: {"seeds": layers, "label": 0, "truncation": 1.0},
    }
    return {
        function.__name__: (
            function if "side" in good and "a" not in good else functools.partial(function, style),
            good,
        )
        for function, good in calls.items()
    }


@functools.cache
def raises(file: str) -> list[tuple[int, int]]:
    """Return the first and the last line of each `raise` in a file."""
    tree = ast.parse("".join(linecache.getlines(file)))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Raise))
    return [(node.lineno, node.end_lineno) for node in found]


def is_ours(error: Exception) -> bool:
    """Whether an error was raised by a `raise` of this package, and not by torch or numpy."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    here = any(first <= last.lineno <= end for first, end in raises(last.filename))
    return here and PACKAGE in Path(last.filename).parents


class Quiet:
    """Something that hypothesis need not print."""

    def __init__(self, content):
        self.content = content

    def __repr__(self):
        return "..."


def problem(function, arguments) -> str:
    """Return what is wrong with how a call was refused, or ''."""
    try:
        function(**arguments)
    except (ValueError, TypeError, OSError) as error:
        said = str(error)
        if not is_ours(error):
            return f"not of ours: {error!r}"
        if not said or "\n" in said or len(said) > 500:
            return f"not a sentence: {said[:200]!r}"
    except Exception as error:
        return f"a {type(error).__name__}: {error!r}"
    return ""


@pytest.fixture
def no_training(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("genimg.training.running.train_run", lambda *args, **settings: None)


def test_every_bad_value_is_refused_in_one_sentence_of_ours(calls, no_training):
    asked = [
        (name, changed, value)
        for name, (_, good) in calls.items()
        for changed in good
        for value in BAD
    ]
    problems = [
        f"{name}({changed}={reprlib.repr(value)}): {said}"
        for name, changed, value in asked
        if (said := problem(calls[name][0], calls[name][1] | {changed: value}))
    ]
    assert not problems, "\n".join(problems[:40])


def test_what_bad_values_replace_is_good(calls, no_training):
    for name, (function, good) in calls.items():
        # Of these, what is named is not there.
        missing = name.endswith((".at", ".nearest"))
        if not missing and name not in ("load", "evaluate_model", "data.load"):
            function(**good)


@given(choice=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_bad_values_at_once_are_refused_in_one_sentence_of_ours(quiet, no_training, choice):
    name = choice.draw(st.sampled_from(sorted(quiet.content)))
    function, good = quiet.content[name]
    values = st.sampled_from(BAD).map(Quiet) | st.integers() | st.floats() | st.text()
    names = st.sampled_from(sorted(good)) if good else st.nothing()
    changes = choice.draw(st.dictionaries(names, values, max_size=min(2, len(good))))
    bad = {name: getattr(value, "content", value) for name, value in changes.items()}
    if all(abs(value) < 1000 for value in bad.values() if isinstance(value, (int, float))):
        assert problem(function, good | bad) == ""


@pytest.fixture
def quiet(calls):
    return Quiet(calls)


def test_every_public_function_is_among_them(calls):
    known = {function.__func__ for function, _ in calls.values() if hasattr(function, "__func__")}
    models = [model.__self__ for model, _ in calls.values() if hasattr(model, "__self__")]
    for kind in {type(model) for model in models if type(model).__module__.startswith("genimg")}:
        # What every model inherits is not asked for of each.
        own = [vars(base) for base in kind.__mro__ if base not in (object, LoadedModel)]
        for name, method in [entry for methods in own for entry in methods.items()]:
            if callable(method) and not name.startswith("_") and kind.__name__ != "AttentionMaps":
                assert method in known, f"{kind.__name__}.{name}"
    for name in render.__all__:
        assert name in calls


def test_labels_may_be_names_numbers_or_both(calls):
    for name in ("style.sample", "drawer.sample"):
        sample, _ = calls[name]
        by_numbers = sample(3, label=[2, 0, 1])
        assert np.array_equal(by_numbers, sample(3, label=["Bag", "shirt", 1]))
        assert np.array_equal(by_numbers, sample(3, label=torch.tensor([2, 0, 1])))
        assert np.array_equal(sample(2, label="Bag"), sample(2, label=2))
    judge, good = calls["style.judge"]
    assert np.array_equal(judge(good["images"], ["Shirt", "Sneaker"]), judge(**good))


def test_a_walk_has_one_class_in_both_spaces(calls):
    walk, good = calls["style.interpolate"]
    for space in ("z", "w"):
        with pytest.raises(ValueError, match="labels must be one whole number from 0 to 2"):
            walk(**good | {"space": space, "label": [0, 1]})


def test_pictures_of_another_size_or_colour_are_refused_alike(calls):
    colour = SHEET.repeat(3, axis=3)
    for name in ("classifier.classify", "vision.classify", "tokenizer.encode"):
        for bad, got in ((LARGE, "32 x 32 and 1 channel;"), (colour, "16 x 16 and 3 channels;")):
            with pytest.raises(ValueError, match="resize or convert them") as refused:
                calls[name][0](bad)
            assert f"for mine, not of {got}" in str(refused.value)


def test_a_run_is_as_long_as_one_number_says(calls, tmp_path):
    train, _ = calls["train"]
    with pytest.raises(ValueError, match="not by both"):
        train("fashion-mlp", tmp_path / "run", images=100, minutes=1)
    assert not (tmp_path / "run").exists()
