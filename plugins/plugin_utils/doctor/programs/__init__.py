"""Programs that the probe runs with an environment's own Python; each is one self-contained file."""
