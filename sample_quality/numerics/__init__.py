"""Computations that several scores share: distances, matrix products and the bootstrap.

In: arrays. Out: arrays. Open `distances.py` first: it goes through all pairs of two large
sets in little memory.
"""
