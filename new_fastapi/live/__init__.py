"""What happens now, told to whoever listens: server-sent events and the chat."""
