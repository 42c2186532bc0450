import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import gan_mnist.denoiser.family
import gan_mnist.family
import vae_mnist.family
from gan_mnist.config import GANConfig
from training_run.cli.train import train_command
from training_run.config.load import (
    check_against_data,
    config_to_yaml,
    find_config,
    list_presets,
    load_config,
    preset_files,
)
from training_run.config.messages import dotted_keys
from training_run.config.yaml_source import ConfigError
from training_run.data.image_data import DataSpec

FAMILIES = tuple(
    module.FAMILY for module in (gan_mnist.family, gan_mnist.denoiser.family, vae_mnist.family)
)
MINIMAL = "family: gan\nname: x\ntraining:\n  steps: 100\n"


def write(folder, text):
    path = folder / "x.yaml"
    path.write_text(text)
    return path


def problems_of(path, *overrides):
    with pytest.raises(ConfigError) as caught:
        load_config(GANConfig, path, overrides)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


def test_defaults_are_filled_in(tmp_path):
    config = load_config(GANConfig, write(tmp_path, MINIMAL))
    assert config.training.batch_size == 32
    assert config.model.value_range == (-1.0, 1.0)
    assert config.optimizer.learning_rate == 2e-4
    assert config.data.dataset == "mnist"


def test_it_is_frozen(tmp_path):
    config = load_config(GANConfig, write(tmp_path, MINIMAL))
    with pytest.raises(ValidationError):
        config.seed = 3


def test_all_problems_come_at_once_each_with_line_key_and_nearest_name(tmp_path):
    path = write(
        tmp_path,
        """\
family: gan
name: x
sede: 3
batch_size: 3
data: {dataset: mnits}
training: {steps: 0, batch_size: -1, batch_sise: 3}
model: {kind: mlp, generator_widths: [1, a], output_activation: relu, leaky_slope: 1.5}
loss: {name: wgan}
optimizer: {learning_rate: -1, generator: {beta_1: "0.5"}}
samples: 5
seed: 1
seed: 2
""",
    )
    found = problems_of(path, "training.stepz=4", "log.every=2.5")
    expected = [
        "x.yaml:12: seed: expected each key once, received it again (first on line 11)",
        "x.yaml:3: sede: unknown key, received 3; did you mean 'seed'?",
        "x.yaml:4: batch_size: unknown key, received 3; did you mean 'training.batch_size'?",
        "x.yaml:5: data.dataset: expected 'mnist', 'fashion_mnist', 'orl_faces' or 'image_folder', "
        "received 'mnits'; did you mean 'mnist'?",
        "x.yaml:6: training.steps: expected a number of steps or epochs from 1 on, such as 200, "
        "'200 steps' or '30 epochs', received 0",
        "x.yaml:6: training.batch_size: expected a number greater than 0, received -1",
        "x.yaml:6: training.batch_sise: unknown key, received 3; "
        "did you mean 'training.batch_size'?",
        "command line: training.stepz: unknown key, received 4; did you mean 'training.steps'?",
        "x.yaml:7: model.generator_widths.1: expected an integer, received 'a'",
        "x.yaml:7: model.output_activation: expected 'tanh' or 'sigmoid', received 'relu'",
        "x.yaml:7: model.leaky_slope: expected a number less than 1, received 1.5",
        "x.yaml:9: optimizer.learning_rate: expected a number greater than 0, received -1",
        "x.yaml:9: optimizer.generator.beta_1: expected a number, received '0.5'",
        "x.yaml:10: samples: expected keys and values, received 5",
    ]
    for line in expected:
        assert line in found, line
    assert any(line.startswith("x.yaml:8: loss.name: expected 'non_saturating'") for line in found)
    assert any(line.startswith("command line: log.every: expected a number") for line in found)
    assert len(found) == len(expected) + 2


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.value_range=[0,3]", "expected a value_range inside [-1, 1]"),
        ("model.value_range=[1,0]", "expected a value_range inside [-1, 1]"),
        ("data.cache=5", "data.cache: expected true or false or a string, received 5"),
        ("model.kind=cnn", "model.kind: expected 'mlp', 'conv' or 'saved', received 'cnn'"),
        ("model=5", "model: expected keys and values, received 5"),
        ("model.generator_filters=[4]", "model.generator_filters: unknown key, received [4]"),
        ("loss.name=wasserstein", "a critic of unbounded slope estimates no distance"),
        (
            "loss={name: hinge, label_smoothing: 0.1}",
            "expected label_smoothing 0 with the hinge loss, which has no labels to smooth",
        ),
        ("regularization.r1=-1", "expected a number greater than or equal to 0, received -1"),
        ("seed=-1", "expected a number greater than or equal to 0, received -1"),
        ("seed=1.5", "expected an integer, received 1.5"),
        ("seed=true", "expected an integer, received True"),
        ("name=a/b", "expected text that matches"),
        ("optimizer.learning_rate=.nan", "expected a finite number"),
        ("optimizer.learning_rate=.inf", "expected a finite number"),
        ("model.generator_widths=[]", "expected a list of at least 1 item, received []"),
        ("model.generator_widths=5", "expected a list, received 5"),
        ("training.jit_compile=yes", "expected true, false or auto, received 'yes'"),
        ("gif.seconds=2", "gif.seconds: expected a number greater than 2, received 2"),
        ("gif.seconds=601", "gif.seconds: expected a number less than or equal to 600"),
        ("name=2001-01-01", "name:1: expected a plain YAML value, received one with"),
        ("family=vae", "expected 'gan', received 'vae'"),
        ("seed", "expected an override of the form key=value, received 'seed'"),
        ("seed=[1", "expected YAML"),
        ("=3", "expected an override of the form key=value"),
    ],
)
def test_overrides_obey_the_same_checks(tmp_path, override, sentence):
    found = problems_of(write(tmp_path, MINIMAL), override)
    assert len(found) == 1
    assert sentence in found[0]


def test_overrides_win_and_reach_sections_the_file_does_not_have(tmp_path):
    path = write(tmp_path, MINIMAL)
    config = load_config(
        GANConfig, path, ["training.steps=30 epochs", "optimizer.generator.beta_1=0.25"]
    )
    assert config.training.steps == "30 epochs"
    generator = config.optimizer.generator.applied_to(config.optimizer)
    assert (generator.beta_1, generator.learning_rate) == (0.25, 2e-4)
    assert config.optimizer.discriminator.applied_to(config.optimizer).beta_1 == 0.5


def test_the_range_follows_the_activation_unless_it_is_given(tmp_path):
    path = write(tmp_path, MINIMAL)
    for override in ("model.output_activation=sigmoid", "model.value_range=[0,1]"):
        assert load_config(GANConfig, path, [override]).model.value_range == (0, 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x.yaml: expected keys and values, received None"),
        ("- 1\n", "x.yaml: expected keys and values, received [1]"),
        ("7\n", "x.yaml: expected keys and values, received 7"),
        ("a: [\n", "expected YAML, received text that is not"),
        ("seed: 2001-01-01\nname: !mine x\n", "x.yaml:1: seed: expected a plain YAML value"),
    ],
)
def test_files_that_are_no_configuration(tmp_path, text, sentence):
    assert sentence in problems_of(write(tmp_path, text))[0]


def test_a_batch_larger_than_the_data_is_refused(tmp_path):
    config = load_config(GANConfig, write(tmp_path, MINIMAL), ["training.batch_size=101"])
    with pytest.raises(ConfigError, match="expected at most the 100 training images"):
        check_against_data(config, DataSpec(100, (28, 28, 1), 10), "x.yaml")


def test_a_batch_that_is_too_large_for_what_was_left_is_told_why(tmp_path):
    config = load_config(GANConfig, write(tmp_path, MINIMAL), ["training.batch_size=3"])
    notes = ("no labels", "98 images have no row and are left out (a.png)")
    with pytest.raises(ConfigError, match=r"received 3; 98 images have no row .*png\)$"):
        check_against_data(config, DataSpec(2, (28, 28, 1), 10, notes=notes), tmp_path)


@pytest.mark.parametrize("key", ["model.conditional", "data.balance"])
def test_what_needs_labels_is_refused_without_and_told_why(tmp_path, key):
    config = load_config(GANConfig, write(tmp_path, MINIMAL), [f"{key}=true"])
    check_against_data(config, DataSpec(100, (28, 28, 1), 10), "x.yaml")
    spec = DataSpec(100, (28, 28, 1), None, notes=("no labels: one folder, cats", "a note"))
    with pytest.raises(ConfigError) as error:
        check_against_data(config, spec, "x.yaml")
    assert str(error.value) == (
        f"x.yaml: {key}: expected a data set with labels, received 'mnist' without; no labels: one "
        "folder, cats"
    )


@pytest.mark.parametrize(
    ("name", "config_class"),
    [(name, family.config_class) for family in FAMILIES for name, _ in list_presets(family.name)],
)
def test_presets_survive_a_round_trip(tmp_path, name, config_class):
    config = load_config(config_class, find_config(name))
    again = load_config(config_class, write(tmp_path, config_to_yaml(config)))
    assert again == config
    assert config.name == name


@given(
    learning_rate=st.floats(1e-30, 1e10),
    seed=st.integers(0, 2**31 - 1),
    low=st.floats(-1, 0),
    steps=st.one_of(st.integers(1, 10**9), st.integers(1, 1000).map("{} epochs".format)),
    name=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,60}\Z"),
)
@settings(max_examples=25, deadline=None)
def test_any_valid_configuration_survives_a_round_trip(
    tmp_path_factory, learning_rate, seed, low, steps, name
):
    config = GANConfig.model_validate(
        {
            "family": "gan",
            "name": name,
            "seed": seed,
            "training": {"steps": steps},
            "optimizer": {"learning_rate": learning_rate},
            "model": {"value_range": [low, 1.0]},
        }
    )
    path = write(tmp_path_factory.mktemp("c"), config_to_yaml(config))
    assert load_config(GANConfig, path) == config


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_loads_or_is_refused_in_sentences(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("c") / "x.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError) as caught:
        load_config(GANConfig, path)
    assert all(str(problem) for problem in caught.value.problems)


def test_unknown_presets_name_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'gan_mlp'"):
        find_config("gan_mpl")
    with pytest.raises(ConfigError, match="received a path where there is none"):
        find_config("nowhere/x.yaml")


def test_every_preset_says_its_command_and_time():
    assert len(preset_files()) >= 16
    for path in preset_files():
        text = path.read_text()
        comment = [line for line in text.splitlines() if line.startswith("#")]
        family = text.split("family: ")[1].split()[0]
        assert comment[0] == f"# yaml-language-server: $schema={family}.schema.json"
        assert "python -m" in comment[1]
        assert "CPU core" in " ".join(comment)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_preset_of_another_family_is_refused_by_its_command(family):
    programs = {other.name: other.program for other in FAMILIES if other is not family}
    for other, program in programs.items():
        for name, _ in list_presets(other):
            with pytest.raises(ConfigError) as error:
                load_config(family.config_class, find_config(name), ["training.steps=1"])
            assert str(error.value) == f"--config: {name} is a preset of {program}"


def test_an_own_file_of_another_family_is_refused_by_its_family_alone(tmp_path):
    path = write(tmp_path, MINIMAL.replace("gan", "vae") + "prior:\n  kind: mixture\n")
    (found,) = problems_of(path)
    assert found.endswith("1: family: expected 'gan', received 'vae', which vae_mnist.train trains")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_committed_schema_is_up_to_date(family, capsys):
    assert train_command(family, ["--schema"]) == 0
    committed = Path(f"configs/{family.name}.schema.json").read_text()
    assert json.loads(capsys.readouterr().out) == json.loads(committed)


def test_dotted_keys_reach_every_leaf():
    keys = dotted_keys(GANConfig)
    assert {"seed", "training.steps", "optimizer.generator.beta_1", "model.latent_dim"} <= set(keys)
