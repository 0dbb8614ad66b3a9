"""How the site looks: colours and shapes for Gradio's theme, the style sheet, and the light and dark switch."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import gradio as gr
from gradio.themes.utils.colors import Color

HERE = Path(__file__).parent

SANS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Arial", "sans-serif")
MONO = ("ui-monospace", "SF Mono", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")

# From light to dark, as Gradio's hues are: the blue of the project's reports, and the warm greys around it.
BLUE = Color(
    *("#eff5fc", "#dbe8f8", "#bdd5f2", "#92baea", "#86b6f2", "#3f78c4", "#2f63a8", "#284f87", "#25446f", "#223a5d"),
    "#16253d",
    name="blue",
)
STONE = Color(
    *("#fbfaf8", "#f7f5f1", "#e4e0d8", "#c5c0b5", "#a4a19a", "#767a80", "#5d646d", "#4a515a", "#30353c", "#1d2126"),
    "#15181c",
    name="stone",
)


def theme() -> gr.themes.Base:
    """The theme of the whole site; its fonts are the visitor's own, so that a page fetches none."""
    base = gr.themes.Base(
        primary_hue=BLUE, secondary_hue=BLUE, neutral_hue=STONE, font=list(SANS), font_mono=list(MONO), radius_size="lg"
    )
    return base.set(
        body_background_fill="#f7f5f1",
        body_background_fill_dark="#15181c",
        body_text_color="#1f2328",
        body_text_color_dark="#e9e6e1",
        body_text_color_subdued="#5d646d",
        body_text_color_subdued_dark="#a4a9b0",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1d2126",
        background_fill_secondary="#f7f5f1",
        background_fill_secondary_dark="#15181c",
        border_color_primary="#e4e0d8",
        border_color_primary_dark="#30353c",
        block_background_fill="#ffffff",
        block_background_fill_dark="#1d2126",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_padding="0px",
        block_shadow="none",
        block_shadow_dark="none",
        block_title_text_color="#1f2328",
        block_title_text_color_dark="#e9e6e1",
        block_title_text_weight="500",
        block_title_text_size="*text_md",
        block_title_background_fill="transparent",
        block_title_background_fill_dark="transparent",
        block_title_padding="0",
        block_info_text_color="#5d646d",
        block_info_text_color_dark="#a4a9b0",
        block_label_border_width="0px",
        block_label_border_width_dark="0px",
        block_label_text_color="#5d646d",
        block_label_text_color_dark="#a4a9b0",
        form_gap_width="0px",
        layout_gap="16px",
        input_background_fill="#ffffff",
        input_background_fill_dark="#15181c",
        input_border_width="1px",
        input_border_width_dark="1px",
        input_border_color="#c5c0b5",
        input_border_color_dark="#4a515a",
        slider_color="#2f63a8",
        slider_color_dark="#86b6f2",
        color_accent="#2f63a8",
        checkbox_background_color_selected="#2f63a8",
        checkbox_background_color_selected_dark="#3f78c4",
        checkbox_border_color="#767a80",
        checkbox_border_color_dark="#767a80",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        checkbox_label_border_width="0px",
        checkbox_label_border_width_dark="0px",
        checkbox_label_padding="0px",
        button_primary_background_fill="#2f63a8",
        button_primary_background_fill_dark="#86b6f2",
        button_primary_background_fill_hover="#284f87",
        button_primary_background_fill_hover_dark="#a7caf6",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#11161c",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_dark="#1d2126",
        button_secondary_background_fill_hover="#f1eee8",
        button_secondary_background_fill_hover_dark="#282d34",
        button_secondary_border_color="#c5c0b5",
        button_secondary_border_color_dark="#4a515a",
        button_border_width="1px",
        button_border_width_dark="1px",
        button_large_radius="10px",
        button_medium_radius="10px",
        button_medium_padding="9px 16px",
        button_medium_text_weight="500",
        button_large_text_weight="500",
    )


@cache
def asset(name: str) -> str:
    """The text of a file of this package, by its path from here: 'pages/results.js'."""
    return (HERE / name).read_text(encoding="utf-8")


def head() -> str:
    """What goes into each page's head: the style sheets, and the script of the header that all pages share.

    Not handed to Gradio as `css`, which rewrites every selector.
    """
    styles = "\n".join(asset(name) for name in ("look.css", "pages/pages.css"))
    return f"<style>{styles}</style><script>{asset('pages/frame.js')}</script>"
