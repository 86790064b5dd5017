"""Grading a submission: its pipelines are played in a sandbox of their own, then checks judge what they left."""
