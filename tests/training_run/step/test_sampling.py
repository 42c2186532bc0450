import pytest

from training_run.errors import UserError
from training_run.step.sampling import class_number

NAMES = ("10", "cat", "2")


@pytest.mark.parametrize(
    ("label", "number"), [("cat", 1), ("10", 0), ("2", 2), ("0", 0), ("1", 1), (1, 1)]
)
def test_a_class_goes_by_its_name_first_and_else_by_its_number(label, number):
    assert class_number("--label", label, 3, NAMES) == number


@pytest.mark.parametrize("label", ["3", "-1", "cta", "", "1.0"])
def test_a_class_that_is_not_there_is_refused(label):
    with pytest.raises(UserError, match="--label: expected a class from 0 to 2, or one of 10, cat"):
        class_number("--label", label, 3, NAMES)
    with pytest.raises(UserError, match=f"expected a class from 0 to 2, received {label}$"):
        class_number("--label", label, 3)


def test_the_nearest_name_is_told():
    with pytest.raises(UserError, match="received cta; did you mean 'cat'"):
        class_number("--label", "cta", 3, NAMES)


def test_of_many_names_the_first_are_told():
    names = [f"class {number}" for number in range(50)]
    with pytest.raises(UserError, match=r"class 11, \.\.\., received x$"):
        class_number("--label", "x", 50, names)
