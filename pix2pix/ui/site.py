"""The whole site: a gallery of tasks with a page each, of priors, of restoring; or the one page where there is one."""

from __future__ import annotations

import gradio as gr

from pix2pix.ui.pages import build_page
from pix2pix.ui.pages.frame import SITE_TITLE
from pix2pix.ui.pages.home import home_page
from pix2pix.ui.priors.page import EXPLORE, explore_page
from pix2pix.ui.restoring.page import RESTORE, restore_page
from pix2pix.ui.service import Service


def build_site(service: Service) -> gr.Blocks:
    """The pages for all that `service` offers; its theme and style sheets are `look`'s, given where it is mounted."""
    offers, priors = service.offers, service.explorer.offers
    is_gallery = service.restores or len(offers) != 1
    title = SITE_TITLE if is_gallery else f"{offers[0].title} · {SITE_TITLE}"
    site = gr.Blocks(analytics_enabled=False, title=title, fill_width=True)
    with site:
        if is_gallery:
            home_page(offers, priors, service.restores)
        else:
            build_page(service, offers[0], has_gallery=False)
    if is_gallery:
        for offer in offers:
            with site.route(offer.title, f"/{offer.name}", show_in_navbar=False):
                build_page(service, offer, has_gallery=True)
        if priors:
            with site.route(EXPLORE, f"/{EXPLORE.lower()}", show_in_navbar=False):
                explore_page(service.explorer)
        if service.restores:
            with site.route(RESTORE, f"/{RESTORE.lower()}", show_in_navbar=False):
                restore_page(service)
        # Whatever is added to the site later belongs to its first page.
        site.current_page = ""
    return site
