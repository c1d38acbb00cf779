"""Stage `publish`: results where a user wants them, at any URL."""
