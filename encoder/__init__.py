"""Frames in, coded shots out."""
