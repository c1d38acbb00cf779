"""Stage `proxies`: videos that every browser plays, frame for frame those of the title, for the A/B player of reports."""
