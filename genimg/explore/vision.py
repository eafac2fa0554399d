"""A vision Transformer that classifies, and where it looks."""

import numpy as np
import torch

from genimg.checkpoints import Checkpoint
from genimg.explore.arguments import class_number, one_picture
from genimg.explore.attention_maps import AttentionMaps, gradient_relevance
from genimg.explore.classifier import ClassifierModel
from genimg.explore.positions import (
    learned_similarity,
    rotary_similarity,
    sinusoidal_similarity,
)
from genimg.models.attention import Capture


class VisionTransformerModel(ClassifierModel):
    """Tells the classes of pictures, and where it looks.

    Positions count from 0: the class token, then registers, then patches in raster order.

    Attributes:
        layout: what each of the T positions is.
        vision_transformer: the PyTorch module, which is also `module`.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.vision_transformer = checkpoint.model
        self.layout = checkpoint.model.layout

    @torch.inference_mode()
    def look(self, image: np.ndarray) -> AttentionMaps:
        """Return the attention of all layers on one picture, uint8 (H, W, C).

        Raises:
            ValueError: the picture is not of the size and channels that the model takes.
        """
        capture = Capture(keep_values=True)
        self.vision_transformer(self._one(image), capture=capture)
        return AttentionMaps(capture, self.vision_transformer.transformer)

    def attention(self, image: np.ndarray, layer: int, head: int, query: int = 0) -> np.ndarray:
        """Return `AttentionMaps.attention` of one picture; query 0 is the class token."""
        return self.look(image).attention(layer, head, query)

    def rollout(self, image: np.ndarray, query: int = 0) -> np.ndarray:
        """Return `AttentionMaps.rollout` of one picture; query 0 is the class token."""
        return self.look(image).rollout(query)

    def relevance(self, image: np.ndarray, label: str | int) -> np.ndarray:
        """Return how much each token speaks for a class, float32 (T,), not negative.

        Gradient-weighted attention, see `gradient_relevance`: the row of the class token, whose
        own entry contains the 1 that it starts with.

        Args:
            image: uint8 (H, W, C).
            label: a class by name or number; it need not be the one the model would choose.

        Raises:
            ValueError: there is no such class, or the picture has another size.
        """
        number = class_number(label, self.classes, self.name)
        capture = Capture(keep_values=True)
        with torch.enable_grad():
            # The weights take no gradients, so the picture has to start the graph.
            picture = self._one(image).requires_grad_()
            logit = self.vision_transformer(picture, capture=capture)[0, number]
            records = [capture.layer(layer) for layer in range(self.config.layers)]
            outputs = [record.outputs for record in records if record.outputs is not None]
            by_outputs = torch.autograd.grad(logit, outputs)
        values = [record.values for record in records if record.values is not None]
        weights = [capture.weights(layer)[0].cpu() for layer in range(self.config.layers)]
        gradients = [
            (gradient @ value.mT)[0].detach().float().cpu()  # (H, T, T)
            for gradient, value in zip(by_outputs, values, strict=True)
        ]
        return gradient_relevance(weights, gradients)[0].numpy()

    def position_similarities(self) -> dict[str, np.ndarray]:
        """Return how alike every two patches are by their positions, float32 (N, N) each.

        "sinusoidal" and "rotary" as they would be in this model; "learned" only where it has
        learned them. See `genimg.explore.positions`.
        """
        width = self.config.width
        found = {
            "sinusoidal": sinusoidal_similarity(self.layout, width),
            "rotary": rotary_similarity(self.layout, width // self.config.heads),
        }
        if self.config.position == "learned":
            positions = self.vision_transformer.positions
            found["learned"] = learned_similarity(self.layout, positions)
        return found

    def _one(self, image: np.ndarray) -> torch.Tensor:
        """Return one picture, uint8 (H, W, C), as the model takes it: (1, C, H, W) in [-1, 1]."""
        return self.here(one_picture(image, self.config, self.name))
