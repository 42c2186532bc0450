"""From a YAML file to a checked, frozen configuration, without TensorFlow.

In: a preset's name or a path, and `key=value` overrides. Out: an instance of a family's
`RunConfig`, or a `ConfigError` with a line for every problem, and a run's intervals in steps.
Open `sections.py` first for the keys, `load.py` for the way from the file to the object.
"""
