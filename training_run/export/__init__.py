"""A run's networks for other programs: ONNX, TFLite, SavedModel and safetensors.

`export_run` is the whole story: it loads the networks (`networks`), writes each in a format and
reads it again with that format's own runtime (`formats`), and explains the folder (`readme`).
`command` is `python -m training_run.export`.
"""
