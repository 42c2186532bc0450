"""The scores themselves: arrays or networks in, numbers out; one file a score.

Nothing here knows a run, a file or a protocol. Open `frechet.py` first. Each file names the paper
that the score comes from. To add a score, add a file here, its `Metric` in `protocol.py` and its
call in `image_scores.py` or `vae_scores.py`.
"""
