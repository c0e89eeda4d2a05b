"""What will surprise users when a route moves, told before it does: `gateway lint`."""
