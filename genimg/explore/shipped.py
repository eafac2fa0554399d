"""Names of the checkpoints that ship, by what they are.

A type checker, and an editor that completes, knows from them what `genimg.load` gives.
"""

from typing import Literal

GanName = Literal[
    "critters-style",
    "fashion-dcgan",
    "fashion-mlp",
    "fashion-small",
    "fashion-style",
    "fashion-stylegan",
    "portraits-small",
    "portraits-style",
]
DrawerName = Literal["fashion-gpt", "portraits-gpt"]
MaskedDrawerName = Literal["fashion-maskgit"]
VisionName = Literal["fashion-vit"]
ClassifierName = Literal["fashion-features"]
AttributesName = Literal["critters-features", "portraits-features"]
TokenizerName = Literal["fashion-tokenizer", "fashion-tokenizer-plain", "portraits-tokenizer"]
