"""Ways to cut a title into chunks without looking at its pictures; `archer.split.base` says what one is."""
