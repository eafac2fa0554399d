import pytest

from genimg.data import torchvision_sets


@pytest.fixture
def no_local_copy(tmp_path, monkeypatch):
    """A machine on which no data set was ever fetched; returns its empty cache folder."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("GENIMG_CACHE", str(cache))
    monkeypatch.delenv("GENIMG_DATA", raising=False)
    monkeypatch.setattr(torchvision_sets, "DEBIAN_FOLDER", tmp_path / "no-debian-folder")
    return cache


@pytest.fixture
def no_network(monkeypatch):
    """Make every attempt to use the network fail loudly."""

    def refuse(*args, **kwargs):
        raise AssertionError("the network was used")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("urllib.request.urlopen", refuse)
