"""Nothing from a run's files becomes markup."""

from gan_vs_vae.exhibits import as_json
from gan_vs_vae.markup import Cell, Group, Head, figure, image, table
from gan_vs_vae.page import shown
from gan_vs_vae.pictures import Picture

BAD = '<script>alert("x")</script>'


def test_texts_are_escaped_everywhere():
    cell, head = Cell(BAD, BAD), Head(BAD, BAD, BAD)
    pages = [
        table(BAD, BAD, [head, head], [Group(BAD, [(head, [cell, Cell(BAD)])])]),
        figure(head, "", BAD),
        image(Picture("data:,", 1, 1, False), BAD),
        shown([BAD], [BAD]),
    ]
    assert not any("<script" in page for page in pages)


def test_json_cannot_end_its_script():
    assert "<" not in as_json(["</script>"])


def test_a_table_has_a_caption_and_scopes_and_joins_equal_cells():
    rows = [(Head("r"), [Cell("1"), Cell("2")]), (Head("s"), [Cell("3"), Cell("3")])]
    html = table("about", "key", [Head("a"), Head("b")], [Group("together", rows)])
    assert "<caption>about</caption>" in html
    assert html.count('scope="col"') == 3
    assert html.count('scope="row"') == 2
    assert '<th scope="rowgroup" colspan="3"><span>together</span></th>' in html
    assert html.count("<td>") == 2
    assert '<td colspan="2">3</td>' in html


def test_titles_stand_out_and_the_longest_wins():
    html = shown(["gan_mlp_plain and gan_mlp; no gan_mlp-like one"], ["gan_mlp", "gan_mlp_plain"])
    assert "<b>gan_mlp_plain</b> and <b>gan_mlp</b>; no gan_mlp-like one" in html
