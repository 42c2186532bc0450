import os

import pytest

from training_run.data.image_data import ImageFile
from training_run.errors import UserError
from training_run.run_folder.image_files import (
    compare_files,
    read_image_files,
    write_image_files,
)
from training_run.run_folder.paths import RunDir

FILES = [ImageFile('a "b", c.png', 10, 5), ImageFile("d/é\n.png", 20, 1 << 60)]


def test_the_list_comes_back(tmp_path):
    run = RunDir(tmp_path)
    assert read_image_files(run) is None
    bad = ImageFile(os.fsdecode(b"bad\xff.png"), 1, 1)
    write_image_files(run, [*FILES, bad])
    assert read_image_files(run) == [*FILES, bad]


@pytest.mark.parametrize("text", ["", "x,y\n", "name,num_bytes,modified\na,b,c\n", "\xff"])
def test_a_damaged_list_is_refused(tmp_path, text):
    (tmp_path / "images.csv").write_text(text)
    with pytest.raises(UserError, match=r"images\.csv: expected the files that the run began with"):
        read_image_files(RunDir(tmp_path))


def test_what_has_changed_is_told_with_three_names():
    before = [ImageFile(f"{number}.png", 10, 5) for number in range(9)]
    assert compare_files(before, before[::-1]) is None
    after = [*before[5:], ImageFile("0.png", 11, 5), ImageFile("1.png", 10, 6)]
    after.append(ImageFile("new\n.png", 1, 1))
    change = compare_files(before, after)
    assert str(change) == (
        "1 added ('new\\n.png'); 3 removed (2.png, 3.png, 4.png); 1 changed (0.png); "
        "1 touched (1.png)"
    )
    assert str(compare_files(before, before[:5])) == "4 removed (5.png, 6.png, 7.png, ...)"
