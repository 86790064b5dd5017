"""A real cluster: its images, what is pushed to it, what it waits for."""
