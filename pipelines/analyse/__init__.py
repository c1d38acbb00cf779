"""What each shot costs and how good it is at the settings that its rungs may need: stages `rungs` and `analyse`."""
