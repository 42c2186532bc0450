"""Templates: nothing from a run's files becomes markup, and tables can be read aloud."""

import pytest
from jinja2 import UndefinedError

from gan_vs_vae.page import bold_titles, make_environment
from gan_vs_vae.pictures import Picture
from gan_vs_vae.tables import Cell, Group, Row, Table

BAD = '<script>alert("x")</script>'


def render(source, **values):
    imports = '{% from "macros.html" import figure, image, side_by_side, table with context %}'
    return make_environment().from_string(imports + source).render(colors={}, **values)


def test_texts_are_escaped_everywhere():
    row = Row(BAD, BAD, [Cell(BAD, BAD, True), Cell(BAD)])
    run = {"title": BAD, "family": BAD, "is_unfinished": False}
    pages = [
        render(
            "{{ table(bad, bad, table_) }}",
            bad=BAD,
            table_=Table([Cell(BAD, BAD)], [Group(BAD, [row])]),
        ),
        render("{% call figure(run, bad) %}{{ bad }}{% endcall %}", run=run, bad=BAD),
        render("{{ image(picture) }}", picture=Picture("data:,", 1, 1, False, BAD)),
        render("{{ [bad] | tojson }}", bad=BAD),
        bold_titles(BAD, [BAD]),
    ]
    assert not any("<script" in page or "</script" in page for page in pages)


def test_a_name_that_is_not_there_is_an_error():
    with pytest.raises(UndefinedError):
        render("{{ nothing }}")


def test_a_table_has_a_caption_and_scopes_and_joins_equal_cells():
    rows = [Row("r", "", [Cell("1"), Cell("2")]), Row("s", "", [Cell("3"), Cell("3")])]
    table = Table([Cell("a"), Cell("b")], [Group("together", rows)])
    html = render('{{ table("about", "key", table_) }}', table_=table)
    assert "<caption>about</caption>" in html
    assert html.count('scope="col"') == 3
    assert html.count('scope="row"') == 2
    assert '<th scope="rowgroup" colspan="3"><span>together</span></th>' in html
    assert html.count("<td>") == 2
    assert '<td colspan="2">3</td>' in html


def test_titles_stand_out_and_the_longest_wins():
    html = bold_titles(
        "gan_mlp_plain and gan_mlp; no gan_mlp-like <one>", ["gan_mlp", "gan_mlp_plain"]
    )
    assert html == "<b>gan_mlp_plain</b> and <b>gan_mlp</b>; no gan_mlp-like &lt;one&gt;"
