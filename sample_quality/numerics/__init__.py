"""Computations that several scores share: distances, matrix products and the bootstrap.

Arrays come in and arrays go out. Open `distances.py` first: it goes through all pairs of two large
sets in little memory.
"""
