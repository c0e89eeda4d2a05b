"""One router for each subject. The routers of the moved API use `FlaskRoute`; the new endpoints are plain FastAPI."""
