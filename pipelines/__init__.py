"""The reference pipelines, their reusable tier, and the embedded platform that runs them."""
