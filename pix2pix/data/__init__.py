"""Data: paired data sets, what makes an input fit for the network, and the embedded pairs."""
