"""An image tokenizer with a learned codebook (VQ-VAE), to show collapse and its remedies.

van den Oord et al., "Neural Discrete Representation Learning" (arXiv 1711.00937): each vector of
the encoder is replaced by the nearest entry of a codebook, and the codebook learns to fit. An entry
that nothing is near to never moves again, so most of a plain codebook dies: it collapses. Remedies,
each a setting here, cheapest first: entries of few dimensions compared by direction (arXiv
2110.04627), a codebook started from the data, and re-seeding of dead entries.
`FsqTokenizer` has the same interface and no codebook at all.

Shape letters: B batch, K image channels, R x R pixels, h = w = R / P the token grid (P pixels
a patch), N = h * w tokens, Q dimensions of an entry, V entries, M = B * N vectors of a batch.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg.configuration import setting
from genimg.models.tokenizer import (
    AutoencoderConfig,
    Decoder,
    Encoder,
    check_images,
    check_tokens,
    straight_through,
)

# Entries started from the data are refined by this many rounds of k-means.
KMEANS_ROUNDS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class VqTokenizerConfig(AutoencoderConfig):
    """What a `VqTokenizer` is made of; the defaults have all remedies on."""

    codebook_size: int = setting(512, "Entries in the codebook.", low=2, high=65536)
    codebook_dimensions: int = setting(8, "Dimensions of an entry.", low=1, high=512)
    unit_length: bool = setting(True, "Compare directions only: all entries have length 1.")
    update: str = setting(
        "average",
        "How entries learn: moving average of the vectors they stand for, or gradient.",
        choices=("average", "gradient"),
    )
    decay: float = setting(
        0.98, "Share of the old value kept by the moving averages.", low=0.5, high=0.9999
    )
    start_from_data: bool = setting(True, "Start the codebook by k-means on the first batch.")
    reseed_below: float = setting(
        0.1,
        "Re-seed entries that serve fewer vectors a batch than this, on average; 0 is never.",
        low=0,
        high=100,
    )
    commitment: float = setting(
        0.25, "Weight of the pull of vectors towards their entries.", low=0, high=10
    )


class LearnedQuantizer(nn.Module):
    """A codebook and the search for the nearest entry.

    What is not learned by gradient changes at the start of each forward pass in training mode, and
    without random numbers: re-seeded entries take the vectors that are served worst.
    """

    def __init__(self, config: VqTokenizerConfig) -> None:
        super().__init__()
        self.config = config
        shape = (config.codebook_size, config.codebook_dimensions)
        codebook = torch.empty(shape)
        # Small, as usual, so that without a start from the data the entries are all alike.
        nn.init.uniform_(codebook, -1 / config.codebook_size, 1 / config.codebook_size)
        if config.update == "gradient":
            self.codebook = nn.Parameter(codebook)
        else:
            self.register_buffer("codebook", codebook)
            self.register_buffer("average_sum", codebook.clone())
        # Starting at 1, no entry counts as dead before it had the time to be used.
        self.register_buffer("average_count", torch.ones(config.codebook_size))
        # A number, because checkpoints keep no truth values.
        self.register_buffer("started", torch.tensor(int(not config.start_from_data)))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Quantise, after letting the codebook learn if in training mode.

        Args:
            z: float (B, Q, h, w).

        Returns:
            codes float32 (B, Q, h, w) with the gradient of z, tokens int64 (B, h * w), and the
            quantisation loss, a scalar to add to the reconstruction error.
        """
        batch, _, height, width = z.shape
        vectors = self._normalised(z.float().permute(0, 2, 3, 1).flatten(0, 2))  # (M, Q)
        if self.training:
            self._adapt(vectors.detach())
        tokens = self._nearest(vectors)  # (M,)
        entries = self._entries()[tokens]  # (M, Q)

        loss = self.config.commitment * F.mse_loss(vectors, entries.detach())
        if self.config.update == "gradient":
            loss = loss + F.mse_loss(entries, vectors.detach())
        codes = straight_through(entries, vectors)
        codes = codes.unflatten(0, (batch, height, width)).permute(0, 3, 1, 2)  # (B, Q, h, w)
        return codes, tokens.unflatten(0, (batch, height * width)), loss

    def codes(self, tokens: Tensor) -> Tensor:
        """Return the entries of tokens int64 (B, h, w), float32 (B, Q, h, w)."""
        return self._entries()[tokens].permute(0, 3, 1, 2)

    def _normalised(self, vectors: Tensor) -> Tensor:
        return F.normalize(vectors, dim=-1) if self.config.unit_length else vectors

    def _entries(self) -> Tensor:
        return self._normalised(self.codebook)  # (V, Q)

    @torch.no_grad()
    def _nearest(self, vectors: Tensor) -> Tensor:
        """Return the number of the nearest entry for vectors (M, Q), int64 (M,)."""
        entries = self._entries()
        # In bfloat16, which autocast would choose, near entries could not be told apart.
        with torch.autocast(vectors.device.type, enabled=False):
            # |v - e|^2 without |v|^2, which is the same for all entries.
            distance = entries.square().sum(dim=1) - 2 * vectors @ entries.T  # (M, V)
        return distance.argmin(dim=1)

    @torch.no_grad()
    def _adapt(self, vectors: Tensor) -> None:
        """Move the entries towards the vectors (M, Q) they stand for; start and re-seed them."""
        if not self.started:
            self._start(vectors)
        tokens = self._nearest(vectors)
        count, total = self._gather(vectors, tokens)
        self.average_count.lerp_(count, 1 - self.config.decay)
        if self.config.update == "average":
            self.average_sum.lerp_(total, 1 - self.config.decay)
            mean = self.average_sum / self.average_count.clamp(min=1e-6)[:, None]
            self.codebook.copy_(self._normalised(mean))
        if self.config.reseed_below:
            self._reseed(vectors, tokens)

    def _start(self, vectors: Tensor) -> None:
        """Set the codebook by k-means, from entries spread evenly over the batch."""
        size = self.config.codebook_size
        picks = torch.linspace(0, len(vectors) - 1, size, device=vectors.device).long()
        self._place(torch.arange(size, device=vectors.device), vectors[picks])
        for _ in range(KMEANS_ROUNDS):
            count, total = self._gather(vectors, self._nearest(vectors))
            used = count.nonzero().squeeze(1)
            self._place(used, self._normalised(total[used] / count[used, None]))
        self.started.fill_(1)

    def _reseed(self, vectors: Tensor, tokens: Tensor) -> None:
        """Put dead entries where vectors are farthest from the entries they have."""
        dead = (self.average_count < self.config.reseed_below).nonzero().squeeze(1)
        error = (vectors - self._entries()[tokens]).square().sum(dim=1)  # (M,)
        worst = error.argsort(descending=True)[: len(dead)]
        self._place(dead[: len(worst)], vectors[worst])

    def _place(self, entries: Tensor, vectors: Tensor) -> None:
        """Set the numbered entries to these vectors, as if each had just stood for one."""
        self.codebook[entries] = vectors
        self.average_count[entries] = 1.0
        if self.config.update == "average":
            self.average_sum[entries] = vectors

    def _gather(self, vectors: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return how many vectors each entry stands for (V,), and their sum (V, Q)."""
        count = torch.bincount(tokens, minlength=self.config.codebook_size).to(vectors.dtype)
        total = torch.zeros_like(self.codebook).index_add_(0, tokens, vectors)
        return count, total


class VqTokenizer(nn.Module):
    """Images to tokens and back, by a learned codebook; the interface of `FsqTokenizer`.

    Attributes:
        grid: (h, w) of the tokens.
        num_tokens: N, tokens of an image.
        vocabulary_size: number of different tokens.
    """

    def __init__(self, config: VqTokenizerConfig) -> None:
        super().__init__()
        self.config = config
        side = config.size // config.patch_size
        self.grid = (side, side)
        self.num_tokens = side * side
        self.vocabulary_size = config.codebook_size
        self.encoder = Encoder(config, config.codebook_dimensions)
        self.quantizer = LearnedQuantizer(config)
        self.decoder = Decoder(config, config.codebook_dimensions)

    def encode(self, images: Tensor) -> Tensor:
        """Return the tokens int64 (B, N), in raster order, of images float (B, K, R, R) in [-1, 1].

        Raises:
            ValueError: the images have another shape than the configuration says.
        """
        return self._quantize(images)[1]

    def decode(self, tokens: Tensor) -> Tensor:
        """Return the images float (B, K, R, R) in [-1, 1] of tokens int64 (B, N).

        Raises:
            ValueError: the tokens have another shape, or one is not in the vocabulary.
        """
        check_tokens(tokens, self.num_tokens, self.vocabulary_size)
        return self.decoder(self.quantizer.codes(tokens.unflatten(1, self.grid)))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return (reconstruction, tokens); gradients pass straight through the codebook."""
        codes, tokens, _ = self._quantize(images)
        return self.decoder(codes), tokens

    def forward_with_loss(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (reconstruction, tokens, quantisation loss) for training.

        The loss, a scalar, pulls vectors to their entries (and entries to their vectors, if they
        learn by gradient). Without it in the total the encoder's vectors drift away.
        """
        codes, tokens, loss = self._quantize(images)
        return self.decoder(codes), tokens, loss

    def _quantize(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        check_images(images, self.config)
        return self.quantizer(self.encoder(images))


@dataclass(frozen=True, slots=True)
class CodebookUsage:
    """How much of a vocabulary some tokens use.

    Attributes:
        used: number of different tokens that occur.
        perplexity: exp of the entropy of their frequencies, from 1 (all the same) to the size of
            the vocabulary (all equally often).
    """

    used: int
    perplexity: float


def codebook_usage(tokens: Tensor, vocabulary_size: int) -> CodebookUsage:
    """Measure the use of a vocabulary over tokens int64 of any shape.

    Give it the tokens of a whole epoch: over one batch both numbers depend on the batch's size.

    Raises:
        ValueError: there are no tokens, or one is not in the vocabulary.
    """
    tokens = tokens.flatten()
    if not tokens.numel() or not 0 <= int(tokens.min()) <= int(tokens.max()) < vocabulary_size:
        raise ValueError(f"give at least one token, all from 0 to {vocabulary_size - 1}")
    count = torch.bincount(tokens, minlength=vocabulary_size).double()
    share = count[count > 0] / count.sum()
    entropy = -(share * share.log()).sum()
    return CodebookUsage(used=len(share), perplexity=float(entropy.exp()))
