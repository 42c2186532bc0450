"""From YAML to GIF: everything about a training run that no particular model knows."""
