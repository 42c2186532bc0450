import keras
import numpy as np
import pytest

from sample_quality.protocol import read_quality
from training_run.cli.bundle import bundle, halve, main
from training_run.errors import UserError
from training_run.files import sha256_of_file
from training_run.run_folder.find import BUNDLED_FOLDER, bundled_names, find_bundled, find_run
from training_run.run_folder.networks import (
    IMAGES_TO_IMAGES,
    IMAGES_TO_POSTERIORS,
    LATENTS_TO_IMAGES,
    load_network,
)
from training_run.run_folder.paths import RunDir


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "00001-x"
    folder.mkdir()
    (folder / "config.yaml").write_text("family: gan\nname: x\n")
    layers = keras.layers
    generator = keras.Sequential(
        [layers.Input((40,)), layers.Dense(64), layers.BatchNormalization(),
         layers.Reshape((8, 8, 1))], name="generator",
    )  # fmt: skip
    generator.save(folder / "generator.keras")
    return RunDir(folder)


def test_a_bundle_is_a_run_with_the_same_weights_to_half_precision(run, tmp_path):
    bundle(run, tmp_path / "models/x")
    whole, half = (
        load_network(run, "generator", LATENTS_TO_IMAGES),
        load_network(RunDir(tmp_path / "models/x"), "generator", LATENTS_TO_IMAGES),
    )
    assert all(weight.dtype == "float32" for weight in half.weights)
    for one, other in zip(whole.get_weights(), half.get_weights(), strict=True):
        np.testing.assert_array_equal(one.astype("f2").astype("f4"), other)
    assert (tmp_path / "models/x/config.yaml").read_text() == run.config.read_text()


def test_halving_is_smaller_and_gives_the_same_bytes_every_time(run):
    path = run.network("generator")
    once = halve(path)
    assert once == halve(path)
    assert len(once) < 0.75 * path.stat().st_size


def test_a_run_without_networks_is_no_bundle(run, tmp_path):
    run.network("generator").unlink()
    with pytest.raises(UserError, match="expected saved networks"):
        bundle(run, tmp_path / "models/x")
    assert not (tmp_path / "models").exists()


def test_a_wrong_name_is_refused_with_the_nearest_one():
    with pytest.raises(UserError, match="did you mean 'bundled:vae_mlp'"):
        find_run("bundled:vae_mpl", "outputs")


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "/tmp"])
def test_a_bundle_is_not_made_outside_of_the_folder_of_models(run, capsys, monkeypatch, name):
    monkeypatch.setattr("training_run.cli.bundle.bundle", lambda *_: pytest.fail("it was made"))
    assert main([str(run.path), "--name", name]) == 2
    assert "expected a bundle's name to match" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "../mnist", "gan_mlp/../vae_mlp"])
def test_a_name_is_not_a_path(name):
    with pytest.raises(UserError, match="expected one of bundled:"):
        find_bundled(f"bundled:{name}")


@pytest.mark.parametrize("name", bundled_names())
def test_what_ships_loads_and_its_scores_are_those_of_its_network(name):
    folder = BUNDLED_FOLDER / name
    signatures = {"denoiser": IMAGES_TO_IMAGES, "encoder": IMAGES_TO_POSTERIORS}
    networks = [path.stem for path in folder.glob("*.keras")]
    for network in networks:
        signature = signatures.get(network, LATENTS_TO_IMAGES)
        weights = load_network(RunDir(folder), network, signature).get_weights()
        assert all(np.isfinite(w).all() for w in weights)
    if networks == ["denoiser"]:
        return
    about = read_quality(folder / "quality.json").about
    assert about["network_sha256"] == sha256_of_file(folder / about["network"])


def test_what_ships_is_small():
    assert {"denoiser", "vae_mlp", "vae_fast"} < set(bundled_names())
    assert sum(path.stat().st_size for path in BUNDLED_FOLDER.rglob("*") if path.is_file()) < 9e6


def test_learned_arrays_with_a_record_are_bundled(run, tmp_path):
    for name in ("prior.npz", "prior.json", "samples.npz"):
        (run.path / name).write_text(name)
    bundle(run, tmp_path / "x")
    names = sorted(path.name for path in (tmp_path / "x").iterdir())
    assert names == ["config.yaml", "generator.keras", "prior.json", "prior.npz"]
