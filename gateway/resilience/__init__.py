"""When to stop trusting a backend, and when to trust it again: pure logic, with the time as a parameter."""
