"""Make of an image GPT the beginning of a MaskGIT on the same tokens.

    python benchmarks/maskgit_from_gpt.py NAME OUT
    python -m genimg train --preset fashion-maskgit --init OUT ...

The MaskGIT gets the tokenizer and all weights of the prior; the mask token, which an image GPT does
not have, stays as it is before any training. Where training time is short this saves most of it:
the image GPT knows already which tokens go together, and has to learn to look in all directions (as
in Gong et al., arXiv 2410.17891, for text).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# It sets how OpenMP waits, which only counts before torch is imported.
import genimg

# isort: split
import argparse

import torch

from genimg import checkpoints
from genimg.explore import DrawerModel
from genimg.models import KINDS
from genimg.randomness import derive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()

    gpt = genimg.load(options.name)
    if not isinstance(gpt, DrawerModel):
        sys.exit(f"{options.name} is not an image GPT")
    if gpt.config.position != "rope":
        sys.exit(f"{options.name} has learned positions, which a MaskGIT has no place for")
    kind = KINDS["maskgit"]
    shared = {key: gpt.config.to_dict()[key] for key in kind.config().to_dict()}
    torch.manual_seed(derive(0, "initialisation", 0))
    model = kind.build(kind.config(**shared))
    weights = gpt.module.state_dict()
    embedding = model.prior.token_embedding.weight.detach().clone()
    embedding[:-1] = weights["prior.token_embedding.weight"]  # the last is the mask token
    weights["prior.token_embedding.weight"] = embedding
    model.load_state_dict(model.state_dict() | weights)
    kept = ("dataset", "dataset_images", "dataset_source", "classes", "license", "size")
    card = {"title": f"the beginning of a MaskGIT, from {options.name}"}
    card |= {name: gpt.info[name] for name in kept if name in gpt.info}
    checkpoints.write(options.out, kind="maskgit", model=model, card=card, preview=b"")


if __name__ == "__main__":
    main()
