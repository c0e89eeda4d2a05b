"""Active checks of remote apps: asked in one process, known in all of them."""
