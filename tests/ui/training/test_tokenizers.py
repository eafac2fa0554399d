"""What the form says of them is tested in test_handlers.py."""

import pytest

from genimg.training.requesting import request_run
from genimg.training.requirements import TokenizerNeeded
from genimg.training.running import train
from genimg.ui.training.tokenizers import Tokenizers

SMALL = {"size": 32, "widths": (8, 8, 8), "levels": (4, 3), "images": 16, "batch_size": 8}
SMALL |= {"discriminator_width": 8, "threads": 1, "device": "cpu", "sheets": 0}


@pytest.fixture
def tokenizers(idle_manager):
    return Tokenizers(idle_manager)


def test_a_tokenizer_from_a_terminal_is_offered_once_it_is_trained(tokenizers):
    folder = tokenizers.manager.root / "mine"
    request_run("fashion-tokenizer", folder, **SMALL)
    known = ("fashion-tokenizer", "fashion-tokenizer-plain", "portraits-tokenizer")
    shipped = {name: name for name in known}
    assert tokenizers.names() == shipped
    train("fashion-tokenizer", folder, **SMALL)
    train("fashion-mlp", folder.with_name("no tokenizer"), images=16, sheets=0, device="cpu")
    names = tokenizers.names()
    assert names == shipped | {"mine": str(folder.resolve())}

    needed = TokenizerNeeded(f"the tokenizer {names['mine']} reads grey pictures; do this")
    said = tokenizers.way_out(needed, "fashion-mnist")
    assert said["text"].startswith("the tokenizer mine reads grey pictures; take the one")
    assert said["remedy"] == {"label": "Use that tokenizer", "tokenizer": "mine"}
    assert tokenizers.way_out(needed, "mnist")["remedy"]["tokenizer"] == ""
