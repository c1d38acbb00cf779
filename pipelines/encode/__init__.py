"""The main job: encode every chunk at every rung, assemble, add the audio, score, package, report, publish."""
