"""A trained classifier, ready to use."""

import numpy as np

from genimg.checkpoints import Checkpoint
from genimg.explore.loaded import LoadedModel
from genimg.metrics.features import FeatureNet
from genimg.tensors import network_input


class ClassifierModel(LoadedModel):
    """A network that tells the classes of pictures.

    Attributes:
        classes: the class names, in the order of the probabilities.
        network: the module as a map from pictures to features and logits.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.network = FeatureNet(checkpoint.name, checkpoint.model)

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Return float32 (N, K) probabilities for pictures, uint8 (N, H, W, C).

        Raises:
            ValueError: the pictures do not have the size and the channels that the model takes.
        """
        network_input(images, self.config, self.name)
        _, logits = self.network(images)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)
