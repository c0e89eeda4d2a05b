"""The front door: the server protocols that uvicorn runs for each client, HTTP/1.1 and WebSocket."""
