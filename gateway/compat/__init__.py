"""What Flask does and FastAPI does not, put around a moved route until its clients need it no more. Imports nothing of
the rest of the gateway."""
