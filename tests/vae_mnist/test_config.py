import json
import subprocess
import sys
from pathlib import Path

import pytest

from training_run.config.load import config_to_yaml, find_config, list_presets, load_config
from training_run.config.yaml_source import ConfigError
from training_run.data.image_data import DataSpec
from vae_mnist.config import VAEConfig, check_data

MINIMAL = "family: vae\nname: x\ntraining:\n  steps: 100\n"
DIGITS = DataSpec(1000, (28, 28, 1), 10)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(MINIMAL)
    return path


def test_defaults_are_those_of_source_003(path):
    config = load_config(VAEConfig, path)
    assert config.model.kind == "mlp"
    assert (config.model.encoder_widths, config.model.latent_dim) == ((256,), 32)
    assert config.model.decoder_widths == (256,)
    assert config.model.value_range == (0.0, 1.0)
    assert (config.loss.reconstruction, config.loss.beta) == ("squared_error", 1)
    assert config.data.binarize == "none"
    assert config.validation.every is None


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "loss.reconstruction=l2",
            "loss.reconstruction: expected 'squared_error', 'bernoulli' or 'gaussian'",
        ),
        ("loss.c=0", "loss.c: expected a number greater than 0, received 0"),
        ("loss.beta=-1", "loss.beta: expected a number greater than or equal to 0, received -1"),
        ("loss.free_bits=-0.1", "loss.free_bits: expected a number greater than or equal to 0"),
        ("loss.warmup=0", "loss.warmup: expected a number of steps or epochs from 1 on"),
        ("loss.importance_samples=0", "loss.importance_samples: expected a number greater than or"),
        ("loss={importance_samples: 5, c: 2}", "expected loss.c 1 with loss.importance_samples 5"),
        ("loss={importance_samples: 5, beta: 0.5}", "expected loss.beta 1 with loss.importance"),
        ("loss={importance_samples: 5, warmup: 9}", "expected loss.warmup null with loss.import"),
        ("loss={importance_samples: 5, free_bits: 0.1}", "expected loss.free_bits 0 with loss.im"),
        (
            "loss={importance_samples: 5, reconstruction: bernoulli}",
            "expected data.binarize static or dynamic for a Bernoulli likelihood with "
            "loss.importance_samples 5, received none",
        ),
        ("prior.kind=flow", "prior.kind: expected 'normal', 'mixture' or 'vamp'"),
        (
            "prior.temperature=0.9",
            "expected prior.temperature 1 with prior.kind normal, received 0.9",
        ),
        (
            "prior={kind: mixture, temperature: 1.5}",
            "prior.temperature: expected a number less than or equal to 1, received 1.5",
        ),
        ("prior={kind: vamp, components: 0}", "prior.components: expected a number greater than 0"),
        ("loss.sigma=1", "loss.sigma: unknown key, received 1"),
        ("data.binarize=yes", "data.binarize: expected 'none', 'static' or 'dynamic'"),
        ("model.latent_dim=0", "model.latent_dim: expected a number greater than 0"),
        ("model.kind=cnn", "model.kind: expected 'mlp', 'conv' or 'saved', received 'cnn'"),
        ("model.encoder_filters=[4]", "model.encoder_filters: unknown key"),
        ("model={kind: conv, kernel_size: 1}", "model.kernel_size: expected a number greater"),
        ("model.output_activation=tanh", "model.output_activation: expected 'sigmoid'"),
        ("model.value_range=[0,0.5]", "expected model.value_range [0, 1], the range of a VAE's"),
        ("model.value_range=[-1,1]", "expected a value_range inside [0, 1]"),
        ("validation.num_images=0", "validation.num_images: expected a number greater than 0"),
        ("validation.every=no", "validation.every: expected a number of steps or epochs"),
        ("family=gan", "expected 'vae', received 'gan'"),
    ],
)
def test_wrong_values_are_refused_in_one_sentence(path, override, sentence):
    with pytest.raises(ConfigError) as caught:
        load_config(VAEConfig, path, [override])
    assert len(caught.value.problems) == 1
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("loss.free_bits=0.5", "expected loss.free_bits 0 with prior.kind vamp, received 0.5"),
        (
            "model.conditional=true",
            "expected model.conditional false with prior.kind vamp, received",
        ),
    ],
)
def test_a_vamp_prior_has_no_dimensions_and_no_classes(path, override, sentence):
    with pytest.raises(ConfigError, match=sentence):
        load_config(VAEConfig, path, ["prior.kind=vamp", override])


def test_a_vamp_prior_goes_with_warm_up_and_with_several_samples(path):
    load_config(VAEConfig, path, ["prior.kind=vamp", "loss={warmup: 9, beta: 0.5, c: 3}"])
    config = load_config(VAEConfig, path, ["prior.kind=vamp", "loss={importance_samples: 5}"])
    assert config.loss.importance_samples == 5
    gaussian = ["loss={importance_samples: 5, reconstruction: gaussian}"]
    assert load_config(VAEConfig, path, gaussian).data.binarize == "none"


@pytest.mark.parametrize(
    ("every", "is_right"), [(300, True), ("1 epoch", False), ("2 epochs", False), (150, False)]
)
def test_held_out_losses_belong_into_log_rows(path, every, is_right):
    """With 1,000 images in batches of 32 an epoch has 31 steps."""
    config = load_config(VAEConfig, path, ["log.every=100", f"validation.every={every}"])
    if is_right:
        check_data(config, DIGITS, path)
        return
    with pytest.raises(ConfigError, match=r"expected a multiple of log.every \(100 steps\)"):
        check_data(config, DIGITS, path)


@pytest.mark.parametrize("name", [name for name, _ in list_presets("vae")])
def test_presets_survive_a_round_trip(tmp_path, name):
    config = load_config(VAEConfig, find_config(name))
    again = tmp_path / "again.yaml"
    again.write_text(config_to_yaml(config))
    assert load_config(VAEConfig, again) == config
    assert config.name == name
    check_data(config, DataSpec(60000, (28, 28, 1), 10), again)


def test_there_is_a_preset_for_every_purpose():
    promised = {
        "vae_mlp", "vae_mlp_2d", "vae_mlp_binary", "vae_mlp_smoke", "vae_conv", "vae_conv_faces",
        "vae_conv_smoke", "vae_iwae", "vae_vamp",
    }  # fmt: skip
    assert promised <= {name for name, _ in list_presets("vae")}


def test_the_committed_schema_is_up_to_date():
    done = subprocess.run(
        [sys.executable, "-m", "vae_mnist.train", "--schema"], capture_output=True, check=True
    )
    assert json.loads(done.stdout) == json.loads(Path("configs/vae.schema.json").read_text())
