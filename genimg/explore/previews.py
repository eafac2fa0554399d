"""The forty pictures that introduce a model on its card."""

import numpy as np

from genimg import data
from genimg.explore import AttributeClassifierModel, ClassifierModel, Model, TokenizerModel
from genimg.explore.arguments import pictures_of
from genimg.metrics.attributes import BINS

COLUMNS, ROWS = 10, 4


def preview_pictures(model: Model) -> np.ndarray:
    """Return 40 pictures, uint8 (40, H, W, C), for a sheet of 10 columns.

    A GAN and an image GPT show their first samples, class after class in turn, chosen by nobody. A
    classifier shows the first four test pictures that it takes for each of its first ten classes,
    one column a class, right or wrong; where it finds fewer, the places stay white. One that names
    attributes has a column for each of the first ten: four test pictures to which it gives the
    same value, or a number in the same eighth of its range. A tokenizer shows the first twenty test
    pictures, each above its reconstruction.

    Raises:
        ValueError, OSError: the data set of a classifier or a tokenizer cannot be loaded, or the
            card does not name it.
    """
    if isinstance(model, ClassifierModel):
        return _recognised(model)
    if isinstance(model, AttributeClassifierModel):
        return _alike(model)
    if isinstance(model, TokenizerModel):
        return _reconstructed(model)
    return model.sample(ROWS * COLUMNS, seed=0)


def _recognised(model: ClassifierModel) -> np.ndarray:
    images = _test_pictures(model)
    predicted = model.classify(images).argmax(axis=1)
    return _columns(images, [predicted == number for number in range(COLUMNS)])


def _alike(model: AttributeClassifierModel) -> np.ndarray:
    images = _test_pictures(model)
    chosen = []
    for column, reading in enumerate(list(model.read(images).values())[:COLUMNS]):
        values = reading.values
        if reading.probabilities is None:
            values = (values * BINS).astype(np.int64).clip(max=BINS - 1)
        # A value further on in each column, so that the columns have little else in common.
        chosen.append(values == np.unique(values)[column % len(np.unique(values))])
    return _columns(images, chosen)


def _columns(images: np.ndarray, chosen: list[np.ndarray]) -> np.ndarray:
    """Return a sheet (40, H, W, C) with the first four of the chosen pictures in each column.

    Args:
        images: uint8 (N, H, W, C).
        chosen: for each column bool (N,).
    """
    sheet = np.full((ROWS, COLUMNS, *images.shape[1:]), 255, np.uint8)
    for column, rows in enumerate(chosen):
        found = images[rows][:ROWS]
        sheet[: len(found), column] = found
    return sheet.reshape(-1, *images.shape[1:])


def _reconstructed(model: TokenizerModel) -> np.ndarray:
    images = _test_pictures(model)[: ROWS // 2 * COLUMNS]
    sheet = np.full((ROWS * COLUMNS, *images.shape[1:]), 255, np.uint8)
    for start in range(0, len(images), COLUMNS):
        row = images[start : start + COLUMNS]
        top = 2 * start
        sheet[top : top + len(row)] = row
        sheet[top + COLUMNS : top + COLUMNS + len(row)] = model.reconstruct(row)
    return sheet  # (40, H, W, C)


def _test_pictures(
    model: ClassifierModel | AttributeClassifierModel | TokenizerModel,
) -> np.ndarray:
    """Return the test pictures of the model's data set, uint8 (N, H, W, C)."""
    dataset, size = pictures_of(model)
    return data.load(dataset, size=size, split="test").pictures()
