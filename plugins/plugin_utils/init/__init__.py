"""The questions of `./dlbox init`: detected answers, and the inventory that they become."""
