"""genimg: train small GANs and image Transformers, and look inside them.

import genimg
model = genimg.load("fashion-style")
model.sample(16, seed=0, label="Sneaker")      # uint8 (16, 32, 32, 1)
"""

import os

# Idle OpenMP threads must sleep, not spin: beside any other busy process spinning makes torch up to
# twenty times slower. It only counts before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from genimg.explore import load
from genimg.training.session import train

__all__ = ["load", "train"]
__version__ = "0.1.0"
