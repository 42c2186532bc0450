"""A user's own images: a folder of files of any size and kind becomes arrays of equal squares.

Open `find` first. `listing` names the files, `classes` finds their labels, `pixels` decodes one
file, and `reading` all of them.
"""
