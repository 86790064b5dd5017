"""Workflow files, what Argo's own controller answered to them, and the means to compare and to record again."""
