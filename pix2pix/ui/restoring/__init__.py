"""Restoring in a browser and by programs: a damaged picture, a search that is watched, and what it has found."""
