"""How good and how varied generated pictures are, and whether they are copies.

`evaluation.evaluate` measures everything; the modules beside it hold one metric each and work on
features (N, D) of any net, or, for `nearest`, on the pixels.
"""
