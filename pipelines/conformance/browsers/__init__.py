"""Real browsers, one file each: a fresh process with a fresh profile, and tabs that run scripts and take pictures."""
