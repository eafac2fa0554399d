import numpy as np
import pytest

from genimg.ui.gan.cells import chosen_cell, sheet_of


def test_a_sheet_says_how_it_is_cut():
    pixels = np.zeros((6, 8, 8, 1), np.uint8)
    square = sheet_of(pixels, list("abcdef"), "words", query="seed=1")
    assert (square["columns"], square["cells"], square["query"]) == (3, list("abcdef"), "seed=1")
    assert "texts" not in square
    strip = sheet_of(pixels, list("abcdef"), "words", columns=6, texts=list("123456"))
    assert (strip["columns"], strip["texts"]) == (6, list("123456"))


def test_what_was_chosen_is_checked():
    assert chosen_cell({"cell": 3, "query": "seed=1"}, 4) == (3, "seed=1")
    for asked in (None, {}, {"cell": 4}, {"cell": -1}, {"cell": "1"}, {"cell": True}, [1]):
        with pytest.raises(ValueError, match="the picture"):
            chosen_cell(asked, 4)
