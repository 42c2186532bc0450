"""Lines of Python that use an exported folder, for its README.md."""

from collections.abc import Callable
from typing import NamedTuple

EXAMPLE_LABEL = 3
"""The class that is drawn, where there are as many."""

_LOAD_SAFETENSORS = """

def load(name):
    network = keras.models.model_from_json(Path(f"{name}.json").read_text())
    weights = load_file(f"{name}.safetensors")
    for variable in network.variables:
        variable.assign(weights[variable.path.removeprefix(f"{network.name}/")])
    return network

"""


class Usage(NamedTuple):
    """How Python loads and calls a network of a format.

    Attributes:
        imports: what comes before numpy's import; `definitions`: what comes after all of them.
        load: function of a network's name, giving an expression.
        call: function of (network's name, names of the input variables, output), giving an
            expression for an array.
    """

    imports: str
    definitions: str
    load: Callable
    call: Callable


def _as_dict(inputs):
    return "{" + ", ".join(f'"{name}": {variable}' for name, variable in inputs.items()) + "}"


def _call_keras(name, inputs, output):
    values = list(inputs.values())
    argument = f"[{', '.join(values)}]" if len(values) > 1 else values[0]
    first = "[0]" if output == "z_mean" else ""
    return f"np.asarray({name}({argument}){first})"


USAGES = {
    "onnx": Usage(
        "import numpy as np\nimport onnxruntime\n",
        "",
        lambda name: f'onnxruntime.InferenceSession("{name}.onnx")',
        lambda name, inputs, output: f'{name}.run(["{output}"], {_as_dict(inputs)})[0]',
    ),
    "tflite": Usage(
        "import numpy as np\nfrom ai_edge_litert.interpreter import Interpreter\n",
        "",
        lambda name: f'Interpreter("{name}.tflite").get_signature_runner()',
        lambda name, inputs, output: (
            f'{name}({", ".join(f"{key}={value}" for key, value in inputs.items())})["{output}"]'
        ),
    ),
    "saved_model": Usage(
        "import numpy as np\nimport tensorflow as tf\n",
        "",
        lambda name: f'tf.saved_model.load("{name}")',
        lambda name, inputs, output: f'{name}.serve({_as_dict(inputs)})["{output}"].numpy()',
    ),
    "safetensors": Usage(
        "from pathlib import Path\n\nimport keras\nimport numpy as np\n"
        "from safetensors.numpy import load_file\n",
        _LOAD_SAFETENSORS,
        lambda name: f'load("{name}")',
        _call_keras,
    ),
}
"""Key of `training_run.export.formats.FORMATS` to its `Usage`."""


def usage_code(format, networks, value_range, prior):
    """A Python script that draws, encodes or denoises images with an export, in its folder.

    Args:
        format: a key of `USAGES`.
        networks: name to `ExportedNetwork`.
        value_range: (low, high) of images.
        prior: the `Prior` that latents are drawn from; None for N(0, I).

    Returns:
        str.
    """
    usage = USAGES[format]
    lines = [usage.imports + usage.definitions, "random = np.random.default_rng(0)"]
    names = [name for name in ("generator", "decoder") if name in networks]
    if names:
        lines += draw_lines(usage, networks[names[0]], prior)
    else:
        shape = ", ".join(str(size) for size in next(iter(networks.values())).first.shape[1:])
        bounds = "{:g}, {:g}".format(*value_range)
        lines.append(
            f"images = random.uniform({bounds}, (16, {shape})).astype(np.float32)  # yours here"
        )
    if "encoder" in networks:
        lines += encode_lines(usage, networks["encoder"], names)
    if "denoiser" in networks:
        lines += [
            f"denoiser = {usage.load('denoiser')}",
            f"images = {usage.call('denoiser', {'images': 'images'}, 'denoised')}",
        ]
    lines.append(f"pixels = {pixels_expression(value_range)}")
    return "\n".join(lines) + "\n"


def draw_lines(usage, exported, prior):
    """Lines that draw 16 `images`: latents, labels, the network and its call."""
    latent_dim = exported.first.shape[-1]
    noise = f"random.standard_normal((16, {latent_dim}), np.float32)"
    label = min(EXAMPLE_LABEL, (exported.num_classes or 1) - 1)
    latents = [f"z = {noise}"] if prior is None else prior_lines(prior, noise, label)
    labels = [f"labels = np.full(16, {label}, np.int32)"] if exported.num_classes else []
    inputs = {name: name for name in exported.inputs}
    return [
        *latents,
        *labels,
        f"{exported.name} = {usage.load(exported.name)}",
        f"images = {usage.call(exported.name, inputs, 'images')}",
    ]


def prior_lines(prior, noise, label):
    """Lines that draw `z` from a mixture of Gaussians: a component, then its Gaussian."""
    cooled = "" if prior.record.temperature == 1 else f"{prior.record.temperature:g} * "
    weights = 'prior["weights"]'
    if prior.by_class:
        weights = f'np.where(prior["classes"] == {label}, {weights}, 0)'
    return [
        'prior = np.load("prior.npz")',
        f"weights = {weights}.astype(float)",
        "chosen = random.choice(len(weights), 16, p=weights / weights.sum())",
        f"noise = {cooled}{noise}",
        'z = prior["means"][chosen] + np.einsum("nij,nj->ni", prior["cholesky"][chosen], noise)',
    ]


def encode_lines(usage, exported, decoders):
    """Lines that encode `images`, and decode their codes where there is a decoder."""
    inputs = {name: name for name in exported.inputs}
    lines = [
        f"encoder = {usage.load('encoder')}",
        f"z_mean = {usage.call('encoder', inputs, 'z_mean')}  # codes of images, yours or these",
    ]
    for name in decoders:
        again = {"z": "z_mean"} | {key: key for key in inputs if key == "labels"}
        lines.append(f"reconstructions = {usage.call(name, again, 'images')}")
    return lines


def pixels_expression(value_range):
    """An expression that makes uint8 of `images`."""
    low, high = value_range
    shifted = "images" if low == 0 else f"(images {'-' if low > 0 else '+'} {abs(low):g})"
    levels = f"{shifted} * {255 / (high - low):g}"
    return f"np.rint(np.clip({levels}, 0, 255)).astype(np.uint8)"
