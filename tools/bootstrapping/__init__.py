"""What ``tools/bootstrap`` does, in Python's standard library alone, since it runs before anything is installed."""
