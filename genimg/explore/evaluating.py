"""What a trained model is worth: one call that makes pictures, loads the data set and measures."""

import math
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from genimg import data
from genimg.checks import check_seed, require_whole_number
from genimg.data.fit import fit, only_pads
from genimg.explore import (
    AttributeClassifierModel,
    ClassifierModel,
    DrawerModel,
    MaskedDrawerModel,
    TokenizerModel,
    load,
)
from genimg.explore.arguments import pictures_of
from genimg.metrics.compression import order_zero_bits, png_bits
from genimg.metrics.evaluation import evaluate
from genimg.metrics.features import FEATURE_NETS, FeatureNet
from genimg.metrics.frechet import frechet_distance
from genimg.metrics.random_features import RandomFeatureNet
from genimg.tensors import image_tensor

Entries = dict[str, dict[str, Any]]


def evaluate_model(
    name: str | os.PathLike,
    *,
    count: int = 10_000,
    seed: int = 0,
    feature_net: str | os.PathLike | None = None,
    train: Any = None,
    test: Any = None,
) -> Entries:
    """Measure a model against the data set that its card names, at the default sampling settings.

    Args:
        name: as for `genimg.load`.
        count: pictures that a GAN, an image GPT or a MaskGIT makes, the classes in turn.
        seed: of the pictures and of the metrics.
        feature_net: the classifier, of classes or of attributes, in whose features pictures are
            compared. It knows the same data set at the model's size, or at one that is reached by
            padding (28 to 32 pixels). The default is the one that ships for the data set. Where
            none ships it is an untrained network: each entry then has the `feature_net`
            "random-features" and a `note` that the figures compare with no others. A classifier
            itself is measured on the whole test split, without `count`, `seed` and `feature_net`;
            a tokenizer likewise, without `count` and `seed`.
        train, test: the pictures themselves, of a model that learned from some that were given in
            Python: see `genimg.data.given_dataset`.

    Returns:
        JSON-ready entries. A GAN: those of `genimg.metrics.evaluation.evaluate`. An image GPT: the
        same, and of the test split `test_negative_log_likelihood`, in nats per token, and
        `test_bits_per_dimension`; where the tokens are pixels also what these take without a model,
        `order_zero_bits_per_dimension` and `png_bits_per_dimension`. A MaskGIT: the same as an
        image GPT, as the mean over orders. A tokenizer:
        `reconstruction_frechet_distance`, `mean_squared_error` and `codes_used` of the test split.
        A classifier: `test_accuracy`; one of attributes: `attribute_accuracy` of those with names
        and `attribute_error`, the mean absolute error, of those that are numbers, each as a mean
        and one by one.

    Raises:
        ValueError: a model cannot be loaded, or the two are made for different pictures.
        OSError: the data set could not be downloaded.
    """
    require_whole_number("count", count, 6, 100_000)
    check_seed(seed)
    model = load(name)
    dataset, size = pictures_of(model)
    load_split = _loader(model.name, dataset, train, test)
    if isinstance(model, ClassifierModel):
        return {"test_accuracy": _accuracy_entry(model, load_split("test", size))}
    if isinstance(model, AttributeClassifierModel):
        return _attribute_entries(model, load_split("test", size))

    judge: FeatureNet | RandomFeatureNet = RandomFeatureNet(model.config.channels)
    judge_size = size
    if feature_net is None:
        feature_net = FEATURE_NETS.get(dataset)
    if feature_net is not None:
        judge, judge_size = _judge(feature_net, name, (dataset, size))
    if isinstance(model, TokenizerModel):
        return _reconstruction_entries(model, load_split("test", size), judge, judge_size)
    entries = evaluate(
        _fitted(model.sample(count, seed=seed), judge_size),
        np.arange(count) % len(model.classes) if model.classes else None,
        train=load_split("train", judge_size),
        test=load_split("test", judge_size),
        feature_net=judge,
        seed=seed,
    )
    if isinstance(model, DrawerModel | MaskedDrawerModel):
        test = load_split("test", size)
        entries |= _likelihood_entries(model, test)
        if isinstance(model, DrawerModel) and model.tokenizer.local:
            entries |= _compression_entries(model, load_split("train", size), test)
    return entries


def _loader(name: str, dataset: str, train: Any, test: Any) -> Callable[[str, int], data.Dataset]:
    """Return what loads a split at a size: by the data set's name, or of what was given.

    Raises:
        ValueError: the model `name` learned from other pictures than were given.
    """
    if train is None and test is None:
        return lambda split, size: data.load(dataset, size=size, split=split)
    if not dataset.startswith(data.MEMORY_PREFIX):
        raise ValueError(
            f"{name} learned from {dataset}, which goes by its name; leave out train and test"
        )
    if train is None or test is None:
        raise ValueError("give both, train and test, or none of them")
    given = {"train": data.given_dataset(train), "test": data.given_dataset(test)}
    if given["train"].name != dataset:
        raise ValueError(
            f"{name} learned from other pictures ({dataset}) than train"
            f" ({given['train'].name}); give the same ones again"
        )
    return lambda split, size: replace(given[split], images=fit(given[split].images, size))


def _judge(
    feature_net: str | os.PathLike, name: str | os.PathLike, pictures: tuple[str, int]
) -> tuple[FeatureNet, int]:
    """Return the feature net and the size in pixels that it takes.

    It must know the `pictures`, a data set and a size, that the model `name` is made for.
    """
    judge = load(feature_net)
    if not isinstance(judge, ClassifierModel | AttributeClassifierModel):
        raise ValueError(f"{feature_net} is not a classifier, so it cannot be the feature net")
    seen, seen_size = pictures_of(judge)
    if (seen, seen_size) != pictures and not _are_padded(pictures, (seen, seen_size)):
        raise ValueError(
            f"{feature_net} was trained on {seen} at {seen_size} pixels and {name} on"
            f" {pictures[0]} at {pictures[1]}; choose a feature net that was trained on the same"
            " pictures"
        )
    return judge.network, seen_size


def _are_padded(pictures: tuple[str, int], seen: tuple[str, int]) -> bool:
    """Return whether `seen` are just the `pictures` with an edge, for each a data set and a size.

    That takes pictures of the size in which the data set was published: of a larger one, those at
    the model's size are already resized.
    """
    (dataset, size), (seen_dataset, seen_size) = pictures, seen
    return (
        seen_dataset == dataset
        and only_pads(size, seen_size)
        and data.describe(dataset)["size"] == size
    )


def _fitted(images: np.ndarray, size: int) -> np.ndarray:
    """Return pictures uint8 (N, H, W, C) at `size` pixels, as the data loader brings them there."""
    return fit(image_tensor(images), size).permute(0, 2, 3, 1).numpy()


def _accuracy_entry(model: ClassifierModel, test: data.Dataset) -> dict[str, Any]:
    _, logits = model.network(test.images)
    return {
        "value": float((logits.argmax(axis=1) == test.labels.numpy()).mean()),
        "images": len(test),
        "source": test.source,
    }


def _attribute_entries(model: AttributeClassifierModel, test: data.Dataset) -> Entries:
    """Return how well the network names the attributes of the test pictures."""
    accuracy, error = {}, {}
    for head, reading in zip(model.heads, model.read(test.pictures()).values(), strict=True):
        true = test.attributes[head.name].data.numpy()
        if head.values:
            accuracy[head.name] = float((reading.values == true).mean())
        else:
            difference = np.abs(reading.values - true)
            if head.cyclic:  # the shorter way round
                difference = np.minimum(difference, 1 - difference)
            error[head.name] = float(difference.mean())
    measured = {"images": len(test), "source": test.source}
    entries = {}
    if accuracy:
        entries["attribute_accuracy"] = _by_attribute(accuracy, measured)
    if error:
        entries["attribute_error"] = _by_attribute(error, {"range": "0 to 1"} | measured)
    return entries


def _by_attribute(values: dict[str, float], measured: dict[str, Any]) -> dict[str, Any]:
    return {"value": float(np.mean(list(values.values()))), "attributes": values, **measured}


def _reconstruction_entries(
    model: TokenizerModel,
    test: data.Dataset,
    judge: FeatureNet | RandomFeatureNet,
    judge_size: int,
) -> Entries:
    """Return what the tokens keep of the test pictures, which have the model's own size."""
    originals = test.pictures()
    rebuilt = model.reconstruct(originals)
    difference = (rebuilt.astype(np.float32) - originals) / 127.5
    usage = model.usage(originals)
    features = [judge(_fitted(images, judge_size))[0] for images in (rebuilt, originals)]
    measured = {"images": len(test), "source": test.source}
    return {
        "reconstruction_frechet_distance": {
            "value": frechet_distance(*features),
            "feature_net": judge.name,
            **({"note": judge.note} if judge.note else {}),
            **measured,
        },
        "mean_squared_error": {
            "value": float(np.square(difference).mean(dtype=np.float64)),
            "pixels": "from -1 to 1",
            **measured,
        },
        "codes_used": {
            "value": usage.used,
            "vocabulary": model.vocabulary_size,
            "perplexity": usage.perplexity,
            **measured,
        },
    }


def _likelihood_entries(model: DrawerModel | MaskedDrawerModel, test: data.Dataset) -> Entries:
    """Return the likelihood of the tokens of the test pictures, in the two usual units.

    Args:
        test: at the model's own size, whose pixels are the dimensions.
    """
    nats = float(model.negative_log_likelihood(test.pictures(), test.labels).mean(dtype=np.float64))
    tokens, dimensions = model.prior.num_tokens, test.images[0].numel()
    measured: dict[str, Any] = {"tokens": tokens, "images": len(test), "source": test.source}
    if isinstance(model, MaskedDrawerModel):
        measured["order"] = "any, estimated from one mask for each picture"
    return {
        "test_negative_log_likelihood": {"value": nats, "unit": "nats per token", **measured},
        "test_bits_per_dimension": {
            "value": nats * tokens / dimensions / math.log(2),
            "dimensions": dimensions,
            **({"greys": model.tokenizer.vocabulary_size} if model.tokenizer.local else {}),
            **measured,
        },
    }


def _compression_entries(model: DrawerModel, train: data.Dataset, test: data.Dataset) -> Entries:
    """Return how many bits the pixels of the test pictures take without a model.

    Args:
        train, test: at the model's own size.
    """
    greys, rows = model.tokenizer.vocabulary_size, model.grid[0]
    known, asked = (
        model.tokenizer.encode(split.images.float() / 127.5 - 1).numpy() for split in (train, test)
    )
    measured = {"greys": greys, "images": len(test), "source": test.source}
    return {
        "order_zero_bits_per_dimension": {
            "value": order_zero_bits(known, asked, greys),
            **measured,
        },
        "png_bits_per_dimension": {
            "value": png_bits(asked.reshape(len(asked), rows, -1), greys),
            **measured,
        },
    }
