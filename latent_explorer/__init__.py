"""One HTML page in which the networks of any run live: offline, in plain JavaScript.

Start with `command.py`. `plan.py` turns a Keras network into a list of plain steps, `quantise.py`
packs their weights, `material.py` gathers what the page shows beside the networks, and `page.py`
writes the file. `static/network.mjs` runs the steps in the browser.
"""
