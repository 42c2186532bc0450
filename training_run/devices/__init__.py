"""The devices and machines that a run trains on, and what its processes tell each other.

In: `distribution.strategy` of the configuration, and TF_CONFIG for several machines.
Out: a `Devices`, under which the model is built and the batches are split.
Open `strategy.py` first. `cluster.py` checks what can be checked before TensorFlow is imported.
"""
