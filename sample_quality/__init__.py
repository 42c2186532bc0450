"""How good are the samples? Arrays in, scores out."""
