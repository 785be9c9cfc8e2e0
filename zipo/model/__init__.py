"""ZiPo for its users: fit a model, apply, save and fine-tune it, and write its results."""
