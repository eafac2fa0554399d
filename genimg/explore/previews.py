"""The forty pictures that introduce a model on its card."""

import numpy as np

from genimg import data
from genimg.explore.classifier import ClassifierModel
from genimg.explore.gan import GanModel

COLUMNS, ROWS = 10, 4


def preview_pictures(model: GanModel | ClassifierModel) -> np.ndarray:
    """Return 40 pictures, uint8 (40, H, W, C), for a sheet of 10 columns.

    A GAN shows its first samples, class after class in turn, chosen by nobody. A classifier shows
    the first four test pictures that it takes for each of its first ten classes, one column a
    class, right or wrong; where it finds fewer, the places stay white.

    Raises:
        ValueError, OSError: the data set of a classifier cannot be loaded.
    """
    if not isinstance(model, ClassifierModel):
        return model.sample(ROWS * COLUMNS, seed=0)
    test = data.load(model.info["dataset"], size=model.info["size"], split="test")
    images = test.images.permute(0, 2, 3, 1).numpy()  # (N, H, W, C)
    predicted = model.classify(images).argmax(axis=1)
    sheet = np.full((ROWS, COLUMNS, *images.shape[1:]), 255, np.uint8)
    for column in range(COLUMNS):
        found = images[predicted == column][:ROWS]
        sheet[: len(found), column] = found
    return sheet.reshape(-1, *images.shape[1:])  # (40, H, W, C)
