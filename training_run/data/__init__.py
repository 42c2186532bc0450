"""A dataset's name, or a user's own files, become arrays of images in memory.

In: the `data` section of a configuration. Out: a `Dataset` with its `DataSpec`, then `ImageData`.
`datasets` lists the datasets; open it first. `mnist`, `orl_faces`, `local_arrays` and the folder
`image_folder` find and read; `stacking` joins images, `pinned_arrays` checks, `fetch` downloads.
Nothing here imports TensorFlow, so that a configuration is checked before that wait.
"""
