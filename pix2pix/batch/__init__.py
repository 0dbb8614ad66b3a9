"""Many pictures at once: which files are meant, and where the results go."""
