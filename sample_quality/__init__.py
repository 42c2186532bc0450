"""How good are the samples of a run?

In: a run folder, or arrays of images. Out: scores, each with its protocol. Open `score_run.py`
first: it goes from a run folder to its scores. `image_scores.py` and `vae_scores.py` put the scores
together, `scores/` computes them, `features/` has the classifier that looks at the images, and
`while_training.py` scores a run while it trains.
"""
