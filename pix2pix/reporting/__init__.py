"""Pages people open: what a training run did, and how good a model is."""
