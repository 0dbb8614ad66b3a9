"""Exploring generators in a browser and by programs: pictures from nothing, moved along what a prior has learned."""
