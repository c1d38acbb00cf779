"""The media map-reduce."""
