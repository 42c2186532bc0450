import numpy as np
import pytest

from sample_quality.scores.precision_recall import manifold_errors, manifold_scores

LINE = np.arange(10.0)[:, None]


def means(scores):
    return {name: value.mean() for name, value in zip(scores._fields, scores, strict=True)}


def by_definition(real, generated):
    """The published definitions, one image after the other."""

    def radius(points, index, k):
        return np.sort(np.linalg.norm(points - points[index], axis=1))[k]  # the first is itself

    gap = np.linalg.norm(real[:, None] - generated[None], axis=2)
    real_3 = np.array([radius(real, i, 3) for i in range(len(real))])
    real_5 = np.array([radius(real, i, 5) for i in range(len(real))])
    generated_3 = np.array([radius(generated, j, 3) for j in range(len(generated))])
    return {
        "precision": np.mean([(gap[:, j] <= real_3).any() for j in range(len(generated))]),
        "recall": np.mean([(gap[i] <= generated_3).any() for i in range(len(real))]),
        "density": np.mean([(gap[:, j] < real_5).sum() / 5 for j in range(len(generated))]),
        "coverage": np.mean([gap[i].min() < real_5[i] for i in range(len(real))]),
    }


def test_the_definitions():
    random = np.random.default_rng(0)
    real, generated = random.normal(size=(40, 3)), 0.7 * random.normal(size=(30, 3)) + 0.6
    expected = by_definition(real, generated)
    assert all(0.05 < value < 3 for value in expected.values())
    assert means(manifold_scores(real, generated)) == pytest.approx(expected, abs=1e-12)


def test_a_model_that_draws_one_image_only():
    """At 4.5 on the line 0, 1, .. 9: inside all ten balls of k = 5, so density is 10 / 5."""
    generated = 4.5 + 1e-3 * np.arange(8.0)[:, None]
    scores = means(manifold_scores(LINE, generated))
    assert scores == {"precision": 1.0, "recall": 0.0, "density": 2.0, "coverage": 1.0}


def test_samples_far_from_everything():
    scores = means(manifold_scores(LINE, 100 + LINE))
    assert scores == {"precision": 0.0, "recall": 0.0, "density": 0.0, "coverage": 0.0}


def test_an_outlier_buys_recall_but_no_coverage():
    """Six samples around -50, one of them far out: its ball alone covers the line."""
    generated = np.array([[-50.0], [-50.1], [-50.2], [-50.3], [-50.4], [60.0]])
    scores = means(manifold_scores(LINE, generated))
    assert (scores["recall"], scores["coverage"], scores["precision"]) == (1.0, 0.0, 0.0)


def test_two_samples_of_one_distribution():
    """Expected density is 1; coverage is 1 - prod (N - i) / (2 N - i), Naeem et al., lemma 1."""
    random = np.random.default_rng(1)
    real, generated = random.normal(size=(1500, 2)), random.normal(size=(1500, 2))
    scores = means(manifold_scores(real, generated))
    steps = np.arange(1, 6)
    coverage = 1 - np.prod((1500 - steps) / (3000 - steps))
    assert scores["coverage"] == pytest.approx(coverage, abs=0.02)
    assert scores["density"] == pytest.approx(1.0, abs=0.05)
    assert scores["precision"] == pytest.approx(scores["recall"], abs=0.03)


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match="enough vectors"):
        manifold_scores(LINE[:5], LINE)


def test_standard_errors_are_the_spread_between_samples():
    """24 pairs of samples; their spread is known to about 15%."""
    scores, errors = [], []
    for seed in range(24):
        random = np.random.default_rng(seed)
        real, generated = random.normal(size=(800, 3)), 0.8 * random.normal(size=(500, 3))
        found = manifold_scores(real, generated)
        scores.append([values.mean() for values in found])
        errors.append(manifold_errors(real, generated, found, random))
    spread = np.std(scores, axis=0, ddof=1)
    ratios = np.sqrt(np.mean(np.square(errors), axis=0)) / spread
    assert ((ratios > 0.75) & (ratios < 1.5)).all(), ratios
