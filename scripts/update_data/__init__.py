"""The planner's tables: read strictly from data/*.toml, rendered as a Python module, renewed from their sources."""
