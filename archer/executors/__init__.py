"""Where tasks run: `inline` in this process, `local` in worker processes; the interface is in `base`."""
