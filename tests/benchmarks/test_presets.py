"""What the benchmarks change in presets is still a configuration, and does what it says."""

import importlib

import pytest

from benchmarks.growth import AXES
from benchmarks.models import MODELS
from benchmarks.ours import OVERRIDES
from benchmarks.presets import PROGRAMS, first_step, shortened
from training_run.config.intervals import resolve_schedule
from training_run.config.load import find_config, list_presets, load_config

PRESETS = [(name, program) for f, program in PROGRAMS.items() for name, _ in list_presets(f)]


def load(name, program, overrides):
    family = importlib.import_module(program).FAMILY
    config = load_config(family.config_class, find_config(name), overrides)
    return config, resolve_schedule(config, 60_000, family.intervals(config))


@pytest.mark.parametrize(("name", "program"), PRESETS)
def test_in_a_short_run_of_a_preset_everything_happens_twice(name, program):
    _, schedule = load(name, program, shortened(name, 200, 100))
    intervals = {schedule.log_every, schedule.samples_every, schedule.gif_every}
    intervals |= {schedule.checkpoints_every, *schedule.extra.values()}
    assert (schedule.steps, intervals) == (200, {100})


@pytest.mark.parametrize(("name", "program"), PRESETS)
def test_the_first_log_row_is_that_of_the_first_step_alone(name, program):
    _, schedule = load(name, program, first_step(name))
    assert (schedule.log_every, schedule.block) == (1, 1)
    assert min(schedule.samples_every, *schedule.extra.values(), 2) == 2


@pytest.mark.parametrize("name", MODELS)
def test_timed_runs_have_rows_to_reckon_a_rate_from(name):
    timed = MODELS[name]
    for overrides in OVERRIDES.values():
        _, schedule = load(timed.preset, timed.program, [*timed.overrides, *overrides])
        assert schedule.steps >= 4 * schedule.log_every
        assert schedule.block >= 10


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.title)
def test_one_thing_grows_and_the_preset_is_among_its_values(axis):
    plain, _ = load(axis.preset, "gan_mnist.train", ())
    configs = [load(axis.preset, "gan_mnist.train", axis.overrides(v))[0] for v in axis.values]
    sides = {axis.image_side(value) for value in axis.values}
    assert plain in configs or len(sides) > 1
    assert len(sides) == len(axis.values) or len({c.model_dump_json() for c in configs}) == len(
        configs
    )
