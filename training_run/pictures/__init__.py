"""Arrays become PNG files, GIFs and curves.

In: arrays of images, and the columns of a log. Out: grids (`grid`), text around them
(`captions`), looping GIFs (`gif`), loss curves (`curves`), and strips between two latents
(`interpolation`). Nothing here knows a model or a run folder. The same input gives the same
bytes, and every file is written whole or not at all. Open `grid.py` first.
"""
