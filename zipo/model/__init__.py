"""ZiPo as its users meet it: fit, apply, save, fine-tune, and what is written of the result."""
