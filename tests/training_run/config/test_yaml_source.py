import pytest

from training_run.config.yaml_source import ConfigError, parse_yaml


def problems_of(text):
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "x.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_values_are_those_of_yaml_1_2():
    source = parse_yaml("a: 1e-4\nb: yes\nc: 0o17\nd: 012\ne: null\nf: [1, 2]", "x.yaml")
    assert source.values == {"a": 1e-4, "b": "yes", "c": 15, "d": 12, "e": None, "f": [1, 2]}


def test_every_key_knows_its_line():
    source = parse_yaml("a: 1\nb:\n  c: 2\n  d:\n  - 5\n  - 6\n", "x.yaml")
    assert source.places["a"] == "x.yaml:1"
    assert source.places["b"] == "x.yaml:2"
    assert source.places["b.c"] == "x.yaml:3"
    assert source.places["b.d.1"] == "x.yaml:6"


def test_all_duplicates_are_reported_with_both_lines():
    source = parse_yaml("a: 1\na: 2\nb: {c: 1, c: 2}\n", "x.yaml")
    assert [str(problem) for problem in source.problems] == [
        "x.yaml:2: a: expected each key once, received it again (first on line 1)",
        "x.yaml:3: b.c: expected each key once, received it again (first on line 3)",
    ]


@pytest.mark.parametrize(
    "value", ["!!python/object/apply:os.system [echo]", "!mine x", "!!binary aGk=", "2001-01-01"]
)
def test_tags_beyond_plain_yaml_are_refused(value):
    (problem,) = problems_of(f"ok: 1\na: {value}")
    assert problem.startswith("x.yaml:2: a: expected a plain YAML value")


def test_a_key_named_tag_is_no_tag():
    assert parse_yaml("tag: 1\ntag: 2\n", "x.yaml").values == {"tag": 1}


def test_tags_and_duplicate_keys_are_reported_together():
    assert len(problems_of("a: !mine 1\nb: !mine 2\na: 3\n")) == 3


@pytest.mark.parametrize("text", ["a: [", "a: *x", "\ta: 1", "a: 1\n---\nb: 2", "[" * 900])
def test_what_is_no_yaml_is_one_sentence(text):
    (problem,) = problems_of(text)
    assert problem.startswith("x.yaml")
    assert "expected YAML" in problem


def test_an_alias_to_itself_ends():
    assert parse_yaml("a: &a [*a]", "x.yaml").problems == []
