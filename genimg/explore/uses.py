"""What is done with a trained model: how it is loaded, and where the page opens it."""

from collections.abc import Callable
from dataclasses import dataclass

from genimg.checkpoints import Checkpoint
from genimg.explore.attributes import AttributeClassifierModel
from genimg.explore.classifier import ClassifierModel
from genimg.explore.drawing import DrawerModel
from genimg.explore.gan import GanModel
from genimg.explore.parallel import MaskedDrawerModel
from genimg.explore.tokenizing import TokenizerModel
from genimg.explore.vision import VisionTransformerModel

Model = (
    GanModel
    | ClassifierModel
    | AttributeClassifierModel
    | DrawerModel
    | MaskedDrawerModel
    | TokenizerModel
)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of trained models.

    Attributes:
        load: makes a checkpoint ready to use.
        word: what such a model is called.
        tab: title of the tab in which the page opens it; '' where the page does not show it.
        first: the checkpoint that ships which the page shows first.
    """

    load: Callable[[Checkpoint], Model]
    word: str
    tab: str = ""
    first: str = ""

    @property
    def tab_id(self) -> str:
        """What links and the page call the tab."""
        return self.tab.lower()


USES: dict[str, Use] = {
    "gan": Use(GanModel, "GAN", "GAN", "portraits-style"),
    "drawer": Use(DrawerModel, "image GPT", "Transformer", "fashion-gpt"),
    "masked-drawer": Use(MaskedDrawerModel, "MaskGIT", "Transformer", "fashion-maskgit"),
    "vision": Use(VisionTransformerModel, "vision Transformer", "Transformer", "fashion-vit"),
    "classifier": Use(ClassifierModel, "classifier"),
    "attributes": Use(AttributeClassifierModel, "classifier of attributes"),
    "tokenizer": Use(TokenizerModel, "tokenizer"),
}
"""By the name that a kind of model gives as its `use`."""

SHOWN = {name: use for name, use in USES.items() if use.tab}
"""Those that the page has a tab for."""
