"""Alembic scripts of the job store: one per version of its schema, up and down, on SQLite and PostgreSQL alike.

A script is written once and never changed. `archer.store.migrations` runs them; nothing imports them where a store is up to date.
"""
