import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.explore.paths import slerp


class TestSlerp:
    def _ends(self, seed, count=5, size=64):
        numbers = torch.Generator().manual_seed(seed)
        return torch.randn(2, count, size, generator=numbers, dtype=torch.float64)

    @given(st.integers(0, 1000), st.floats(0, 1))
    def test_the_angle_grows_evenly_and_so_does_the_length(self, seed, t):
        start, end = self._ends(seed)
        end = end * 2
        point = slerp(start, end, torch.full((5, 1), t, dtype=torch.float64))
        lengths = torch.lerp(start.norm(dim=1), end.norm(dim=1), t)
        torch.testing.assert_close(point.norm(dim=1), lengths)

        def angle(a, b):
            return torch.cosine_similarity(a, b, dim=1).clamp(-1, 1).acos()

        torch.testing.assert_close(angle(start, point), t * angle(start, end), atol=1e-6, rtol=0)
        torch.testing.assert_close(
            angle(point, end), (1 - t) * angle(start, end), atol=1e-6, rtol=0
        )

    def test_the_ends_are_the_ends(self):
        start, end = self._ends(0)
        zero = torch.zeros(5, 1, dtype=torch.float64)
        torch.testing.assert_close(slerp(start, end, zero), start)
        torch.testing.assert_close(slerp(start, end, zero + 1), end)

    @pytest.mark.parametrize("factor", [1.0, 3.0, -1.0])
    def test_where_there_is_no_arc_it_goes_straight(self, factor):
        start, _ = self._ends(0)
        t = torch.full((5, 1), 0.25, dtype=torch.float64)
        torch.testing.assert_close(
            slerp(start, factor * start, t), (0.75 + 0.25 * factor) * start, atol=1e-9, rtol=1e-9
        )
