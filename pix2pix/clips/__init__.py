"""Clips through a model: frame by frame, with their sound, and with steady colours."""
