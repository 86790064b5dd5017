"""Order-insensitive 128-bit fingerprints of table content, per partition."""
