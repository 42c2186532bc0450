"""Run folders in, one comparison report out."""
