"""Stage `ingest`: probe a title, and refuse what cannot be encoded, with the reason."""
