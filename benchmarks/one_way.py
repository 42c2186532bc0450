"""Time one way to train one model, in a process of its own: `python -m benchmarks.one_way`."""

import json
import os
import sys

from training_run.tensorflow_import import import_tensorflow


def measure(name, way):
    """Milliseconds a step, or for "floor" a dict of counts and rates."""
    if way.startswith("ours"):
        from benchmarks.ours import milliseconds

        return milliseconds(name, way)
    import_tensorflow()
    if way == "floor":
        from benchmarks.floor import floor
        from benchmarks.models import load_model
        from training_run.step.precision import resolve_precision

        config, networks = load_model(name)
        return floor(resolve_precision(config), networks)
    from training_run.config.sections import DataConfig
    from training_run.data.datasets import load_dataset

    images = load_dataset(DataConfig()).x_train
    return find_way(way)(name, images)


def find_way(way):
    """The function that times a way."""
    if way.startswith("torch"):
        import torch

        from benchmarks import torch_ways

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
        return {"torch_eager": torch_ways.eager, "torch_fused": torch_ways.eager_fused}[way]
    from benchmarks import tensorflow_ways

    return getattr(tensorflow_ways, way)


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:])))
