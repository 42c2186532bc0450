"""A report that compares runs of GANs and VAEs.

In: run folders (`runs`) and their scores (`scores`), pooled over seeds (`pooling`).
Out: one HTML file. `findings` writes its sentences, `pictures` and `figures` its images, `tables`
its tables; `page` fills the Jinja templates in `templates/` with them.
Open `command` first: `prepare_report` goes from the runs to the page.
"""
