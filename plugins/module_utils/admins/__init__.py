"""Admin accounts: what they would cost and change, their keys, and who may become root without a password."""
