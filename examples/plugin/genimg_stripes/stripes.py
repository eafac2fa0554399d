"""A data set that is computed: stripes that go up, across, or both ways."""

import numpy as np

import genimg

CLASSES = ("upright", "level", "crossed")
SIDE = 28
COUNTS = {"train": 3000, "test": 600}


def read(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures uint8 (N, 1, 28, 28) and labels int64 (N,): the same ones each time."""
    random = np.random.default_rng(list(COUNTS).index(split))
    count = COUNTS[split]
    labels = random.integers(len(CLASSES), size=count)
    period, phase = random.uniform(4, 12, count), random.uniform(0, 2 * np.pi, count)
    angle = 2 * np.pi * np.arange(SIDE) / period[:, None] + phase[:, None]  # (N, SIDE)
    wave = (np.sin(angle) + 1) / 2
    upright = np.broadcast_to(wave[:, None, :], (count, SIDE, SIDE))
    level = np.broadcast_to(wave[:, :, None], (count, SIDE, SIDE))
    both = np.stack([upright, level, np.maximum(upright, level)])  # (3, N, SIDE, SIDE)
    pictures = (255 * both[labels, np.arange(count)]).astype(np.uint8)
    return pictures[:, None], labels


STRIPES = genimg.DataSource(
    name="stripes",
    title="Stripes: computed, in three directions",
    classes=CLASSES,
    size=SIDE,
    channels=1,
    counts=COUNTS,
    read=read,
    license="CC0 1.0",
)
