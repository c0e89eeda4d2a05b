"""The apps under measurement: as small as an endpoint of a real API can be, so that the cost around them shows."""
