import numpy as np
import pytest
from scipy.stats import binom, binomtest

from sample_quality.numerics.binomial import exact_interval


@pytest.mark.parametrize(("hits", "num"), [(0, 2000), (3, 40), (17, 18), (5, 5), (0, 1)])
def test_it_is_the_interval_of_clopper_and_pearson(hits, num):
    expected = binomtest(hits, num).proportion_ci(0.95, method="exact")
    assert exact_interval(hits, num) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_no_hits_among_2000_by_hand():
    """The largest share that gives none with probability 2.5%: 1 - 0.025^(1 / 2000)."""
    assert exact_interval(0, 2000) == pytest.approx((0.0, 1 - 0.025 ** (1 / 2000)))


@pytest.mark.parametrize("share", [0.001, 0.02, 0.5])
def test_it_covers_at_least_95_percent(share):
    hits = np.arange(201)
    low, high = exact_interval(hits, 200)
    assert binom.pmf(hits, 200, share)[(low <= share) & (share <= high)].sum() >= 0.95
