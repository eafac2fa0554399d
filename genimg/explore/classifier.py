"""A trained classifier, ready to use."""

import numpy as np

from genimg.checkpoints import Checkpoint
from genimg.metrics.features import FeatureNet
from genimg.tensors import network_input


class ClassifierModel:
    """Pictures to classes.

    Attributes:
        info: the card: data set, classes, accuracy, training.
        classes: the class names, in the order of the probabilities.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.name, self.info = checkpoint.name, checkpoint.card
        self.classes = checkpoint.class_names()
        self.config = checkpoint.config
        self.network = FeatureNet(checkpoint.name, checkpoint.model)

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Return float32 (N, K) probabilities for pictures, uint8 (N, H, W, C).

        Raises:
            ValueError: the pictures are not of the size and the channels that the model takes.
        """
        network_input(images, self.config, self.name)
        _, logits = self.network(images)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)
