"""Remote objects as seekable files."""
