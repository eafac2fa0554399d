"""Makes pages of all public functions from their docstrings: `python docs/api.py [FOLDER]`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pdoc

import genimg

MODULES = [
    "genimg",  # and what it lists: genimg.data
    "genimg.explore",
    "genimg.explore.ablation",
    "genimg.explore.attention_maps",
    "genimg.explore.combining",
    "genimg.explore.comparing",
    "genimg.explore.deciding",
    "genimg.explore.drawing",
    "genimg.explore.drawn",
    "genimg.explore.evaluating",
    "genimg.explore.head_table",
    "genimg.explore.inside",
    "genimg.explore.inversion",
    "genimg.explore.lens",
    "genimg.explore.mistakes",
    "genimg.explore.mixing",
    "genimg.explore.named_directions",
    "genimg.explore.neighbours",
    "genimg.explore.outputs",
    "genimg.explore.own_names",
    "genimg.explore.parallel",
    "genimg.explore.parallel_drawn",
    "genimg.explore.positions",
    "genimg.explore.reasons",
    "genimg.metrics",
    "genimg.models",  # and all modules in it
    "genimg.render",
    "genimg.training.game",
    "genimg.training.reporting",
    "genimg.training.tensorboard",
    "genimg.trails",
]


def main() -> None:
    """Write the pages to the folder that is named, `docs/api` by default."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("api"))
    for name in genimg.__all__:  # imported when first used, but pdoc looks only at what is there
        vars(genimg)[name] = getattr(genimg, name)
    pdoc.render.configure(docformat="google", footer_text=f"genimg {genimg.__version__}")
    pdoc.pdoc(*MODULES, output_directory=folder)
    print(f"wrote {folder / 'index.html'}")


if __name__ == "__main__":
    main()
