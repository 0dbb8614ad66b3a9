"""Picture in, picture out: paired image translation with a conditional GAN (Isola et al. 2017, arXiv 1611.07004)."""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> object:
    # Loaded on first use: `import pix2pix` stays fast, and the commands that need no torch never pay for it.
    if name == "load":
        from pix2pix.hub import load

        return load
    raise AttributeError(f"module 'pix2pix' has no attribute '{name}'")
