"""What the gateway costs, measured from outside. `python -m benchmarks` runs everything and prints ratios."""
