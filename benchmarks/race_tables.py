"""The tables of `objectives.py` and `optimizers.py`: printed, as Markdown, and for the page."""

import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import gaussians
import stacked
import torch

HERE = Path(__file__).parent
PAGE = HERE.parent / "genimg" / "ui" / "training" / "static"
_WIDTH = 28


class Table:
    """Rows of texts below a title; each row is printed as it comes."""

    def __init__(self, title: str, note: str, head: list[str]) -> None:
        self.title, self.note, self.head, self.rows = title, note, head, []
        print(f"\n{title}\n" + "".join(cell.ljust(_WIDTH) for cell in head), flush=True)

    def add(self, row: list[str]) -> None:
        """Print a row, and keep it."""
        self.rows.append(row)
        print("".join(cell.ljust(_WIDTH) for cell in row), flush=True)

    def markdown(self) -> str:
        """Return the table with its title and its note."""
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"## {self.title}\n\n{self.note}\n\n{body}\n"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {"title": self.title, "note": self.note, "head": self.head, "rows": self.rows}


def plane(what: str) -> Table:
    """Return the table of the mixtures in the plane."""
    head = ["modes of 8", "good samples, ring", "modes of 25", "good samples, grid"]
    return Table(
        "Gaussians in the plane",
        f"{gaussians.STEPS:,} steps of {gaussians.BATCH} points; of {gaussians.SAMPLES:,} samples"
        " those within three standard deviations of a mode are good, and a mode with a good sample"
        " is covered.",
        [what, *head],
    )


def stacks(what: str) -> Table:
    """Return the table of stacked Fashion-MNIST."""
    return Table(
        "Stacked Fashion-MNIST",
        f"Two small multilayer perceptrons, {stacked.PICTURES:,} pictures seen: a start, not an"
        " end. Three grey pictures in the three channels make 1000 kinds, which `fashion-features`"
        f" names; {stacked.SAMPLES:,} samples. FD is between single channels and test pictures.",
        [what, "kinds of 1000", "FD", "pictures a second", "minutes"],
    )


def finish(name: str, title: str, tables: list[Table]) -> None:
    """Say how long it took and, if that was asked for, write the files."""
    minutes = time.process_time() / 60
    facts = {
        "title": title,
        "command": f"python benchmarks/{name}.py",
        "machine": f"one thread of a busy CPU ({platform.machine()}), PyTorch {torch.__version__}",
        "minutes": round(minutes, 1),
    }
    said = (
        f"`{facts['command']}`, seed 0, {facts['minutes']} minutes of {facts['machine']}. Seconds"
        " and minutes are of one core."
    )
    print(f"\n{said}")
    if "--write" not in sys.argv[1:]:
        return
    texts = [f"# {title}\n", f"{said}\n", *(table.markdown() for table in tables)]
    (HERE / f"{name}.md").write_text("\n".join(texts), encoding="utf-8")
    facts["tables"] = [table.to_dict() for table in tables]
    (PAGE / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
