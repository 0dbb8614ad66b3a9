"""What Gradio keeps of each visit: less of it, and not for ever."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import gradio as gr
from gradio import routes

SESSION = 20.0  # seconds, after which a session goes in which nothing is kept, as that of a call: 0.05 MB each
VISIT = 7200.0  # seconds, after which any other goes, from its last event
# What is relied on below and where a visitor's name is looked up, none of which Gradio documents.
OF_SITE = (
    *("_queue.pending_event_ids_session", "_queue.pending_messages_per_session", "default_config.blocks"),
    *("upload_file_set", "temp_file_sets"),
)
OF_APP = (
    *("state_holder.session_data", "state_holder.time_last_used", "state_holder.blocks"),
    *("tokens", "cookie_id", "auth"),
)
OF_UPLOADS = ("_statuses", "_signals", "stop_tracking")


def check_gradio(site: gr.Blocks, app: routes.App) -> None:
    """Raises ValueError with one line where another version of Gradio lacks what is relied on here."""
    try:
        for thing, names in ((site, OF_SITE), (app, OF_APP), (routes.file_upload_statuses, OF_UPLOADS)):
            attrgetter(*names)(thing)
    except AttributeError as error:
        line = f"pages cannot be made with gradio {gr.__version__}: {error}; run: pip install 'pix2pix[app]'"
        raise ValueError(line) from None


class WithoutBlocks:
    """A site that looks empty to a new session, and is otherwise the same.

    A session begins with a copy of what describes each component of every page, which only links into its middle need.
    For a gallery of ten tasks that is 0.7 MB and 55 ms, for every call of the API.
    """

    def __init__(self, site: gr.Blocks) -> None:
        self._site = site
        self.blocks: dict[int, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._site, name)


def lighten(site: gr.Blocks, app: routes.App) -> None:
    """Have new sessions begin without those copies; each is made once it changes."""
    app.state_holder.blocks = WithoutBlocks(site)  # type: ignore[assignment]


def forget_visits(site: gr.Blocks, app: routes.App) -> None:
    """Let go of what Gradio keeps for ever, or of thousands of visits: sessions, queues of messages, names of files."""
    queue, holder = site._queue, app.state_holder
    now = datetime.now()
    for session in list(holder.session_data):
        state, used = holder.session_data.get(session), holder.time_last_used.get(session, now)
        if state is None:
            continue
        has_changed = state.state_data or state.blocks_config.blocks != site.default_config.blocks
        age = timedelta(seconds=VISIT if has_changed else SESSION)
        if now - used > age and not queue.pending_event_ids_session.get(session):
            holder.session_data.pop(session, None)
            holder.time_last_used.pop(session, None)
    for session in list(queue.pending_event_ids_session):
        if not queue.pending_event_ids_session.get(session) and session not in holder.session_data:
            queue.pending_event_ids_session.pop(session, None)
    for session in list(queue.pending_messages_per_session):
        messages = queue.pending_messages_per_session.get(session)
        if messages is not None and messages.empty() and session not in queue.pending_event_ids_session:
            queue.pending_messages_per_session.pop(session, None)
    for names in (site.upload_file_set, *site.temp_file_sets):
        names -= {name for name in list(names) if not os.path.exists(name)}
    uploads = routes.file_upload_statuses
    for upload in [name for name, status in list(uploads._statuses.items()) if status.is_done]:
        uploads.stop_tracking(upload)
        uploads._signals.pop(upload, None)
