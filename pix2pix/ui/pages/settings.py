"""The settings of a page: those that its task takes, each a field of `Wish` with a control of its own."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from pix2pix.ui.offers import Offer
from pix2pix.ui.wishes import MOST_GROWTH, MOST_SAMPLES, MOST_SATURATION, Wish, taken


@dataclass
class Settings:
    """Controls by the field of `Wish` that they set, and the events after which a result is out of date."""

    controls: dict[str, Any] = field(default_factory=dict)
    triggers: list[Any] = field(default_factory=list)

    @property
    def inputs(self) -> list[Any]:
        """The controls, for an event's inputs; `wish` takes their values."""
        return list(self.controls.values())

    def wish(self, values: Sequence[Any], hints: Path | None = None, mask: Path | None = None) -> Wish:
        """The wish that the controls' values make. Raises ValueError for a seed that is none."""
        asked = dict(zip(self.controls, values, strict=True))
        seed = asked.get("seed", 0)
        return Wish(
            saturation=asked.get("saturation", 1.0),
            strength=asked.get("strength", 1.0),
            hints=hints,
            as_drawn=asked.get("as_drawn", False),
            mask=mask,
            grow=int(asked.get("grow", 0)),
            samples=int(asked.get("samples", 1)),
            seed=0 if seed is None else int(seed),
        )


def settings(offer: Offer) -> Settings:
    """The controls of `offer`, put where they are called for; none where the task takes none."""
    made, takes = Settings(), taken(offer)
    if not {"strength", "saturation", "grow", "as_drawn"}.isdisjoint(takes):
        with gr.Column(elem_classes="p2p-settings"):
            _fill(made, takes)
    if "samples" in takes:
        with gr.Accordion("Several results of one picture", open=False, elem_classes="p2p-more"):
            _samples(made)
    return made


def _fill(made: Settings, takes: Sequence[str]) -> None:
    if "strength" in takes:
        _slide(made, "strength", "Strength", (0, 1, 0.05), 1, "How much of the change is kept")
    if "saturation" in takes:
        _slide(made, "saturation", "Saturation", (0, MOST_SATURATION, 0.05), 1, "1 is what the model gives")
    if "grow" in takes:
        _slide(made, "grow", "Grow the mask", (0, MOST_GROWTH, 1), 0, "Pixels all around, for edges left behind")
    if "as_drawn" in takes:
        keeps = gr.Checkbox(
            value=False,
            label="Keep my lines exactly as drawn",
            info="Else they are made as thick and dark as the model likes",
            elem_classes="p2p-control",
        )
        made.controls["as_drawn"] = keeps
        made.triggers.append(keeps.input)


def _slide(made: Settings, name: str, label: str, span: tuple[float, float, float], start: float, info: str) -> None:
    made.controls[name] = slider(label, span, start, info)
    made.triggers.append(made.controls[name].release)


def slider(label: str, span: tuple[float, float, float], start: float, info: str) -> gr.Slider:
    """A slider of the site's look; `span` is least, most and step."""
    least, most, step = span
    return gr.Slider(
        least, most, value=start, step=step, label=label, info=info, buttons=[], elem_classes="p2p-control"
    )


def _samples(made: Settings) -> None:
    """How many outputs are drawn by chance, and the number that chance starts from."""
    _slide(made, "samples", "Samples", (1, MOST_SAMPLES, 1), 1, "Different results for the same picture")
    with gr.Row(elem_classes="p2p-seed"):
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, info="The same number gives the same samples")
        again = gr.Button("Another seed", size="md", min_width=130)
    again.click(
        lambda: secrets.randbelow(2**31), None, seed, show_progress="hidden", queue=False, api_visibility="private"
    )
    made.controls["seed"] = seed
    made.triggers.append(seed.change)
