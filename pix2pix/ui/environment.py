"""What has to be said before Gradio is imported: where files lie, and that it talks to nobody."""

from __future__ import annotations

import os
from pathlib import Path

EVENTS = 100  # of which Gradio keeps a record each; it would keep 10,000


def prepare(folder: Path) -> None:
    """Have Gradio keep what is uploaded and made in `folder`, and send nothing to anyone. Call it first of all."""
    os.environ.update(
        GRADIO_TEMP_DIR=str(folder),
        GRADIO_EXAMPLES_CACHE=str(folder / "examples"),
        GRADIO_ANALYTICS_ENABLED="False",
        GRADIO_ANALYTICS_MAX_EVENTS=str(EVENTS),
        GRADIO_RUN_HISTORY="False",
        GRADIO_SSR_MODE="False",
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_OFFLINE="1",
    )
