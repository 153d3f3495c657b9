"""What the doctor knows: how a host is asked (probe), and how the answers are evaluated (checks)."""
