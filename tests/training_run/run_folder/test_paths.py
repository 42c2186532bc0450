import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from training_run.errors import UserError
from training_run.run_folder.find import find_run, run_family
from training_run.run_folder.locks import locked
from training_run.run_folder.paths import RunDir, check_disk_space, create_run_dir


def make_run(output_dir, name, family):
    run = create_run_dir(output_dir, name)
    run.config.write_text(f"family: {family}\nname: {name}\n")
    return run


def test_numbers_count_over_all_names(tmp_path):
    assert create_run_dir(tmp_path, "gan_mlp").path.name == "00001-gan_mlp"
    assert create_run_dir(tmp_path, "vae_mlp").path.name == "00002-vae_mlp"


def test_a_number_is_not_given_again_after_its_folder_is_deleted(tmp_path):
    create_run_dir(tmp_path, "a")
    shutil.rmtree(create_run_dir(tmp_path, "a").path)
    assert create_run_dir(tmp_path, "a").path.name == "00003-a"


def test_numbers_go_on_where_the_counter_file_is_lost(tmp_path):
    (tmp_path / "00041-x").mkdir()
    assert create_run_dir(tmp_path, "a").path.name == "00042-a"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"12 monkeys", 6000 * b"9", b"-7"])
def test_numbers_go_on_where_the_counter_file_is_damaged(tmp_path, content):
    (tmp_path / "00041-x").mkdir()
    (tmp_path / ".last_number").write_bytes(content)
    assert create_run_dir(tmp_path, "a").path.name == "00042-a"


def test_many_runs_started_at_once_get_different_numbers(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda k: create_run_dir(tmp_path, f"n{k}").path.name, range(24)))
    assert sorted(int(name.split("-")[0]) for name in names) == list(range(1, 25))


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="expected a folder that can be written to"):
        create_run_dir(tmp_path / "file", "a")


def test_runs_are_found_by_path_number_and_latest_of_the_family(tmp_path):
    first = make_run(tmp_path, "g", "gan")
    second = make_run(tmp_path, "g", "gan")
    third = make_run(tmp_path, "v", "vae")
    assert find_run(str(first.path), "elsewhere") == first
    assert find_run("2", tmp_path) == second
    assert find_run("latest", tmp_path, "gan") == second
    assert find_run("latest", tmp_path, "vae") == third
    assert find_run("latest", tmp_path) == third
    assert run_family(third) == "vae"


@pytest.mark.parametrize("reference", ["7", "latest", "no/such/folder"])
def test_a_run_that_is_not_there_is_one_sentence(tmp_path, reference):
    with pytest.raises(UserError, match="expected"):
        find_run(reference, tmp_path, "gan")


def test_a_second_writer_is_refused(tmp_path):
    run = RunDir(tmp_path)
    with locked(run), pytest.raises(UserError, match="another process"), locked(run):
        pass
    with locked(run):
        pass


def test_a_full_disk_is_said_before_the_run(tmp_path):
    check_disk_space(tmp_path / "not" / "yet", 1)
    with pytest.raises(UserError, match="free disk"):
        check_disk_space(tmp_path / "not" / "yet", 10**18)
    assert not (tmp_path / "not").exists()


def test_paths_are_zero_padded():
    assert RunDir(Path("r")).sample(200) == Path("r/samples/step_000200.png")
