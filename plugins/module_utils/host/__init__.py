"""What a host is: each fact has one reader, here.

A reader is pure over a root directory (tests give it a prepared one) and over what commands printed: it starts no
program and raises nothing for a file that is missing or unreadable. It needs the standard library alone (Python 3.10
and newer), because these files also travel to hosts in programs of ours.
"""
