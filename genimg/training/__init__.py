"""How a model is trained: specification, loop, objectives, checkpoints of a run."""
