"""Stage `shots`: where a title changes from one take to the next, and the files other tools keep that in."""
