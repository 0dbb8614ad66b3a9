"""Pictures too large for their network or for memory: computed in parts, and the same as in one."""
