"""The README.md of an export: files, shapes, ranges, and code that uses them."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from training_run.export.formats import FORMATS
from training_run.export.networks import NUM_EXAMPLES, weights_of
from training_run.export.usage import usage_code
from training_run.files import write_text
from training_run.run_folder.environment import read_class_names

HEADING = "# Exported networks of "
"""The start of the file, by which an earlier export is recognised."""


def write_readme(folder, run, format, written, value_range, prior):
    """Write the README.md of an export.

    Args:
        folder: of the export.
        run: the `RunDir` that it is of.
        format: a key of `FORMATS`.
        written: list of `Written`.
        value_range: (low, high) of images.
        prior: the run's learned `Prior`, or None.
    """
    low, high = value_range
    networks = {each.exported.name: each.exported for each in written}
    values = {
        "heading": HEADING,
        "run": run.path.resolve().name,
        "format": format,
        "title": FORMATS[format].title,
        "runtime": RUNTIMES[format],
        "num_examples": NUM_EXAMPLES,
        "weights": {each.file: weights_of(each.exported.network) for each in written},
        "written": written,
        "low": low,
        "high": high,
        "draws": not networks.keys().isdisjoint(("generator", "decoder")),
        "prior": prior,
        "num_classes": written[0].exported.num_classes,
        "class_names": read_class_names(run),
        "code": usage_code(format, networks, value_range, prior),
    }
    text = make_environment().get_template("README.md.jinja").render(values)
    write_text(folder / "README.md", text)


RUNTIMES = {
    "onnx": "onnxruntime",
    "tflite": "the LiteRT interpreter",
    "saved_model": "`tf.saved_model.load`",
    "safetensors": "safetensors and Keras",
}
"""What runs each of `FORMATS`."""


def make_environment():
    """The Jinja environment of the template."""
    environment = Environment(
        loader=PackageLoader("training_run.export"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["shape"] = shape_text
    return environment


def shape_text(tensor):
    """The shape of a tensor for readers: "(N, 28, 28, 1)"."""
    sizes = ", ".join(str(size) for size in tensor.shape[1:])
    return f"(N, {sizes})" if sizes else "(N,)"


def is_readme(path):
    """True if a file is the README.md of an export."""
    return path.is_file() and path.read_bytes().startswith(HEADING.encode())
