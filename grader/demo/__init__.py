"""The main job on real data: pipelines run, run again, proven, and drawn."""
