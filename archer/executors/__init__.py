"""Where tasks run: `inline` in this process, `local` in worker processes."""
