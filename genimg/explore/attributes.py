"""A trained network that names the attributes of pictures, ready to use."""

import numpy as np

from genimg.checkpoints import Checkpoint
from genimg.explore.loaded import LoadedModel
from genimg.metrics.attributes import Reading, read_outputs
from genimg.metrics.features import FeatureNet


class AttributeClassifierModel(LoadedModel):
    """A network that names the attributes of pictures.

    Attributes:
        heads: the attributes in order, each with its name, the names of its values (none for a
            number from 0 to 1), and whether it is cyclic.
        network: the module as a map from pictures to features and outputs.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.heads = checkpoint.config.heads()
        self.network = FeatureNet(checkpoint.name, checkpoint.model, self.heads)

    def attributes_of(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return what the network says about each attribute, by the attribute's name.

        Args:
            images: uint8 (N, H, W, C), of the size and channels that the network was trained on.

        Returns:
            For an attribute whose values have names, their probabilities, float32 (N, K), in the
            order of the head's `values`; they sum to 1. For one that is a number, that number,
            float32 (N,) in [0, 1].

        Raises:
            ValueError: these are not pictures of that size and those channels.
        """
        return {
            name: (
                reading.values if reading.probabilities is None else reading.probabilities
            ).astype(np.float32)
            for name, reading in self.read(images).items()
        }

    def read(self, images: np.ndarray) -> dict[str, Reading]:
        """Return it with the likeliest value and its confidence; `images` as in `attributes_of`."""
        config = self.network.model.config
        wanted = (config.size, config.size, config.channels)
        if not isinstance(images, np.ndarray) or images.ndim != 4 or images.shape[1:] != wanted:
            raise ValueError(
                f"{self.name} takes pictures of shape (N, {', '.join(map(str, wanted))}), not"
                f" {getattr(images, 'shape', type(images).__name__)}"
            )
        return read_outputs(self.network(images)[1], self.heads)
