import pytest

from genimg.ui.compare.handlers import CompareHandlers


@pytest.fixture(scope="module")
def compared(shelf, drawer_shelf):
    """The handlers, with small models whose data set is not on this machine."""
    return CompareHandlers(shelf, drawer_shelf)


@pytest.fixture(scope="module")
def shipped():
    """The handlers with models that ship."""
    from genimg.ui.model_shelf import ModelShelf

    return CompareHandlers(
        ModelShelf(["portraits-small", "fashion-mlp", "fashion-small"]),
        ModelShelf(["fashion-gpt", "portraits-gpt"]),
    )
