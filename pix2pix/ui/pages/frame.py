"""What every page has around its work: the header with the light and dark switch, and the list of shortcuts."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import gradio as gr

SITE_TITLE = "pix2pix"

_SWITCH = (
    '<button type="button" class="p2p-quiet" data-theme-switch aria-label="Switch between light and dark">'
    '<svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">'
    '<circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" stroke-width="1.8"/>'
    '<path d="M12 3a9 9 0 0 1 0 18z" fill="currentColor"/></svg></button>'
)
_KEYS = '<button type="button" class="p2p-quiet p2p-keys" data-shortcuts aria-label="Keyboard shortcuts">?</button>'

PAGE_KEYS = {"D": "download the result", "← →": "move the line between before and after", "?": "this list"}


def header(title: str, line: str, has_gallery: bool, keys: Mapping[str, str] = PAGE_KEYS) -> None:
    """The top of a page: back to the gallery where there is one, the title, one line on what to do.

    The shortcuts `keys` are those of the page; a canvas lists its own beside itself.
    """
    # Relative to the page's base, which is the site's root, also behind a proxy's path.
    back = '<a class="p2p-back" href="./"><span aria-hidden="true">←</span> All tasks</a>' if has_gallery else ""
    rows = "".join(f"<dt>{_keys(pressed)}</dt><dd>{escape(what)}</dd>" for pressed, what in keys.items())
    gr.HTML(
        f'<header class="p2p-header"><div class="p2p-bar">{back}<span class="p2p-tools">{_KEYS}{_SWITCH}</span></div>'
        f"<h1>{escape(title)}</h1><p>{escape(line)}</p></header>"
        '<dialog class="p2p-shortcuts" aria-labelledby="p2p-shortcuts-title">'
        '<div><h2 id="p2p-shortcuts-title">Keyboard shortcuts</h2>'
        f'<dl>{rows}</dl><button type="button" data-close autofocus>Close</button></div></dialog>',
        js_on_load=None,
        apply_default_css=False,
    )


def home_header(line: str) -> None:
    """The top of the gallery: the site's name and one sentence."""
    gr.HTML(
        f'<header class="p2p-header p2p-home"><div class="p2p-bar"><span class="p2p-tools">{_SWITCH}</span></div>'
        f"<h1>{SITE_TITLE}</h1><p>{escape(line)}</p></header>",
        js_on_load=None,
        apply_default_css=False,
    )


def footer() -> None:
    """The bottom of every page: how to use it from a program, and what becomes of pictures."""
    gr.HTML(
        '<footer class="p2p-footer"><a class="p2p-api" href="./?api">Use it from a program</a>'
        "<span>Your pictures stay on this server for a while, for you alone, and are then removed.</span></footer>",
        js_on_load=None,
        apply_default_css=False,
    )


def _keys(text: str) -> str:
    return " ".join(f"<kbd>{escape(key)}</kbd>" for key in text.split())
