"""The front door: the HTTP/1.1 server protocol that uvicorn runs for each client. Imports nothing of ours."""
