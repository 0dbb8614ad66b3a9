"""The front-end: pages where people paint, sketch and upload, and the same as an API; only here is Gradio known."""
