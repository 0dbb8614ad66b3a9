"""Generators that know what pictures look like: trained on pictures alone, sampled, explored, searched."""
