"""HTTP/1.1 towards remote backends: one connection, the pool of them, and what a proxy owes to what passes through."""
