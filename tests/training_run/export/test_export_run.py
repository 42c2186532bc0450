import importlib.util
import re
import shutil

import numpy as np
import pytest

from training_run.errors import UserError
from training_run.export import export_run as module
from training_run.export.export_run import ExportFailed, export_run, largest_difference
from training_run.export.formats import FORMATS, find_format
from training_run.export.networks import ExportedNetwork, in_float32
from training_run.pictures.pixels import to_uint8
from training_run.run_folder.networks import LATENTS_TO_IMAGES, load_network
from training_run.run_folder.paths import RunDir


def run_readme(folder, monkeypatch):
    """What the code of a README.md computes in its folder: name to value."""
    (code,) = re.findall("```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(folder)
    values = {}
    exec(code, values)
    return values


@pytest.mark.parametrize("format", FORMATS)
def test_the_readme_draws_with_a_generator(gan_run, tmp_path, monkeypatch, format):
    lines = []
    out = export_run(gan_run, format, tmp_path / "out", lines.append)
    values = run_readme(out, monkeypatch)
    network = in_float32(load_network(gan_run, "generator", LATENTS_TO_IMAGES))
    expected = network([values["z"], values["labels"]])
    np.testing.assert_allclose(values["images"], expected, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(values["pixels"], to_uint8(values["images"], (-1, 1)))
    assert len(lines) == 1
    assert {path.name for path in out.iterdir()} == {
        "README.md", *find_format(format).files("generator")
    }  # fmt: skip


@pytest.mark.parametrize("format", FORMATS)
def test_the_readme_encodes_and_decodes_with_a_vae(vae_run, tmp_path, monkeypatch, format):
    values = run_readme(export_run(vae_run, format, tmp_path / "out"), monkeypatch)
    # The prior of class 3 is N(30, (0.1)^2), and half as wide at its temperature.
    assert values["z"].shape == (16, 4)
    assert values["z"].mean() == pytest.approx(30, abs=0.05)
    assert values["z"].std() == pytest.approx(0.05, abs=0.015)
    assert (values["labels"] == 3).all()
    assert values["z_mean"].shape == (16, 4)
    assert values["reconstructions"].shape == values["pixels"].shape == (16, 8, 8, 1)


def test_the_readme_names_shapes_ranges_and_classes(vae_run, tmp_path):
    text = (export_run(vae_run, "onnx", tmp_path / "out") / "README.md").read_text()
    assert "`z` (N, 4) float32, `labels` (N,) int32 | `images` (N, 8, 8, 1) float32" in text
    assert "from 0 (black) to 1 (white)" in text
    assert "class numbers from 0 to 4" in text
    assert "0.5 * random.standard_normal" in text


def test_an_onnx_file_takes_any_number_of_images(gan_run, tmp_path):
    import onnxruntime

    out = export_run(gan_run, "onnx", tmp_path / "out")
    session = onnxruntime.InferenceSession(out / "generator.onnx")
    shapes = {each.name: each.shape for each in [*session.get_inputs(), *session.get_outputs()]}
    assert shapes == {"z": ["batch", 4], "labels": ["batch"], "images": ["batch", 8, 8, 1]}
    inputs = {"z": np.zeros((3, 4), np.float32), "labels": np.zeros(3, np.int32)}
    assert session.run(["images"], inputs)[0].shape == (3, 8, 8, 1)


def test_a_file_that_computes_something_else_is_not_kept(gan_run, tmp_path, monkeypatch):
    def save_other_weights(exported, path):
        other = in_float32(exported.network)
        last = other.weights[-1]
        last.assign(last + 1e-3)
        FORMATS["safetensors"].save(ExportedNetwork(exported.name, other), path)

    wrong = FORMATS["safetensors"]._replace(save=save_other_weights)
    monkeypatch.setattr(module, "find_format", lambda name: wrong)
    with pytest.raises(ExportFailed, match="generator as safetensors: expected what Keras") as info:
        export_run(gan_run, "safetensors", tmp_path / "out")
    assert info.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_conversion_that_fails_leaves_nothing(gan_run, tmp_path, monkeypatch):
    def fail(exported, path):
        path.write_text("half")
        raise ValueError("no such operation\nand more")

    broken = FORMATS["onnx"]._replace(save=fail)
    monkeypatch.setattr(module, "find_format", lambda name: broken)
    with pytest.raises(ExportFailed, match="cannot be converted: no such operation; nothing was"):
        export_run(gan_run, "onnx", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_differences_are_shares_of_large_numbers_and_absolute_for_small_ones():
    expected = {"x": np.array([0.01, 100.0], np.float32)}
    assert largest_difference({"x": np.array([0.02, 100.0])}, expected) == pytest.approx(0.01)
    assert largest_difference({"x": np.array([0.01, 101.0])}, expected) == pytest.approx(0.01)
    assert np.isnan(largest_difference({"x": np.array([np.nan, 100.0])}, expected))
    assert largest_difference({"x": np.zeros(1)}, expected) == np.inf
    assert largest_difference({"y": expected["x"]}, expected) == np.inf


def test_an_earlier_export_is_replaced_and_other_files_are_not(gan_run, tmp_path):
    out = export_run(gan_run, "safetensors", tmp_path / "out")
    (out / "generator.json").write_text("old")
    export_run(gan_run, "safetensors", out)
    assert (out / "generator.json").read_text() != "old"
    (out / "mine.py").write_text("x = 1")
    with pytest.raises(UserError, match="--out: expected a new folder, an empty one or an earlier"):
        export_run(gan_run, "safetensors", out)
    (out / "mine.py").unlink()
    with pytest.raises(UserError, match="--out: expected a new folder"):
        export_run(gan_run, "tflite", out)
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_a_prior_of_other_networks_is_refused(vae_run, tmp_path):
    run = RunDir(shutil.copytree(vae_run.path, tmp_path / "run"))
    decoder = load_network(run, "decoder", LATENTS_TO_IMAGES)
    decoder.weights[0].assign(decoder.weights[0] + 1)
    decoder.save(run.network("decoder"))
    with pytest.raises(UserError, match="expected a prior fitted with this decoder"):
        export_run(run, "safetensors", tmp_path / "out")
    (run.path / "prior.npz").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"expected the file that prior\.json describes"):
        export_run(run, "safetensors", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_named(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tf2onnx" else find(name)
    )
    sentence = (
        r"expected the package tf2onnx to be installed for onnx \(pip install 'gan-vae-mnist\[exp"
    )
    with pytest.raises(UserError, match=sentence):
        find_format("onnx")
    find_format("safetensors")


def test_an_unknown_format_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="received 'onx'; did you mean 'onnx'"):
        find_format("onx")
