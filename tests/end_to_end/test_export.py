"""The networks of bundled models, exported as a user types it and used by the README's own code."""

import subprocess
import sys

import numpy as np
import pytest

from training_run.export.command import main
from training_run.export.formats import FORMATS


@pytest.mark.parametrize("format", FORMATS)
def test_a_vae_with_its_prior(tmp_path, capsys, monkeypatch, format):
    monkeypatch.chdir(tmp_path)
    assert main(["bundled:vae_fast", "--format", format]) == 0
    *lines, folder = capsys.readouterr().out.splitlines()
    assert [line.split(".")[0].split()[0] for line in lines] == ["decoder", "encoder"]
    assert folder == f"vae_fast-{format}"
    assert (tmp_path / folder / "prior.npz").is_file()


def test_the_readme_of_a_generator_draws_digits_in_another_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["bundled:gan_mlp", "--format", "onnx", "--out", "digits"]) == 0
    text = (tmp_path / "digits/README.md").read_text()
    code = text.partition("```python\n")[2].partition("```")[0] + "np.save('pixels', pixels)\n"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "digits", check=True)

    pixels = np.load(tmp_path / "digits/pixels.npy", allow_pickle=False)
    assert pixels.shape == (16, 28, 28, 1)
    assert 15 < pixels.mean() < 60  # 33 are the test digits': black paper, white strokes
    assert (pixels[:, 0] < 128).mean() > 0.99  # nothing is written at the edge


def test_the_denoiser(tmp_path):
    out = tmp_path / "out"
    assert main(["bundled:denoiser", "--format", "safetensors", "--out", str(out)]) == 0
    assert "`denoised` (N, 28, 28, 1) float32" in (out / "README.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bundled:gan_mlp"], "the following arguments are required: --format"),
        (["bundled:gan_mlp", "--format", "onx"], "--format: expected onnx or tflite or"),
        (["bundled:gan_mlp", "--format", "onnx", "--out", "no/where"], "--out: expected a folder"),
        (["bundled:gan_mpl", "--format", "onnx"], "did you mean 'bundled:gan_mlp'?"),
    ],
)
def test_wrong_arguments(tmp_path, capsys, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    assert code == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
