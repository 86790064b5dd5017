"""Running a step's process alone: own mounts, own process group, ended with the executor. Standard library only."""
