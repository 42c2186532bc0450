"""Any configuration either loads and survives a round trip, or is refused in lines."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

import gan_mnist.denoiser.family
import gan_mnist.family
import vae_mnist.family
from training_run.config.load import config_to_yaml, find_config, load_config
from training_run.config.messages import dotted_keys
from training_run.config.yaml_source import MAX_SHOWN, ConfigError, parse_yaml

FAMILIES = [
    command.FAMILY for command in (gan_mnist.family, gan_mnist.denoiser.family, vae_mnist.family)
]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(0, 300),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["200 steps", "3 epochs", "mnist", "conv", "tanh", "1e-4", "hinge", "none"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def set_key(values, key, value):
    """Put a value at a dotted key, through whatever stands in the way."""
    *parents, last = key.split(".")
    for parent in parents:
        if not isinstance(values.get(parent), dict):
            values[parent] = {}
        values = values[parent]
    values[last] = value


def write_yaml(path, values):
    text = io.StringIO()
    YAML(typ="safe", pure=True).dump(values, text)
    path.write_text(text.getvalue(), encoding="utf-8")


def load_or_lines(config_class, path, overrides=()):
    """The configuration, or None after its problems have been looked at."""
    try:
        return load_config(config_class, path, overrides)
    except ConfigError as error:
        lines = str(error).splitlines()
        assert len(lines) == min(len(error.problems), MAX_SHOWN + 1)
        assert all(0 < len(line) < 600 for line in lines)
        return None


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_any_values_at_any_keys_load_or_are_refused_in_lines(tmp_path_factory, family, data):
    preset = find_config(family.default_preset)
    keys = st.one_of(st.sampled_from(dotted_keys(family.config_class)), st.text(max_size=12))
    changes = data.draw(st.dictionaries(keys, VALUES, min_size=1, max_size=4))
    values = parse_yaml(preset.read_text(encoding="utf-8"), "preset").values
    for key, value in changes.items():
        set_key(values, key, value)
    path = tmp_path_factory.mktemp("c") / "x.yaml"
    write_yaml(path, values)
    config = load_or_lines(family.config_class, path)
    if config is not None:
        path.write_text(config_to_yaml(config), encoding="utf-8")
        assert load_config(family.config_class, path) == config


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_any_overrides_load_or_are_refused_in_lines(family, data):
    keys = st.one_of(st.sampled_from(dotted_keys(family.config_class)), st.text(max_size=12))
    text = st.one_of(
        st.text(max_size=30), SCALARS.map(str), st.text("[]{},:&*!|>-\"'# x1", max_size=9)
    )
    overrides = data.draw(st.lists(st.tuples(keys, text).map("=".join), min_size=1, max_size=3))
    load_or_lines(family.config_class, find_config(family.default_preset), overrides)


@pytest.mark.parametrize(
    "value",
    ["0x" + 5000 * "f", 5000 * "9", ".inf", "-.nan", "[[[[1]]]]", "{a: {b: {c: d}}}", '"\\0"'],
)
def test_odd_values_at_every_key_are_refused_in_lines(value):
    """Of every family, each key alone: none of them may end in anything but a sentence."""
    for family in FAMILIES:
        preset = find_config(family.default_preset)
        for key in dotted_keys(family.config_class):
            load_or_lines(family.config_class, preset, [f"{key}={value}"])
