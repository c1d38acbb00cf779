"""Stage `score`: every frame of every rung against the source."""
