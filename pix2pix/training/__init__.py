"""Learning: losses, the updates of both networks, and the loop around them."""
