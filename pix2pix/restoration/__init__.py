"""Damaged pictures repaired by search: the picture that a generator can make and that explains what is observed."""
