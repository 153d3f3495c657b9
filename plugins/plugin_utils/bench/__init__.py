"""The benchmark: the program that runs on the host (program), and what is made of its figures (history)."""
