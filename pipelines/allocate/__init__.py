"""One operating point per shot and rung: stage `allocate`, and why it chose what it chose."""
