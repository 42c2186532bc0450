"""The folder of a run, which explains itself.

In: a path, a number, `latest` or `bundled:NAME`. Out: a `RunDir`, its records, its checkpoints and
its networks. Nothing here trains. `paths` says where each file lies, `find` which
folder is meant, `checkpoint` what is saved, and `resume` what a resumed run may change and what
it removes.
"""
