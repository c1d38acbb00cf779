"""Stage `qc`: what is wrong with the pictures of a title, as findings with severity and frames, and a gate."""
