"""What the Jupyter modules share: Jupyter kernel specifications, server settings, passwords, safe file writing."""
