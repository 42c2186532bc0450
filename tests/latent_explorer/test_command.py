"""The command: what it writes, and what it refuses in one sentence."""

import shutil

import pytest

from latent_explorer.command import main


def refused(arguments, capsys):
    assert main([str(argument) for argument in arguments]) == 2
    message = capsys.readouterr().err.strip()
    assert "\n" not in message
    return message


def test_the_same_runs_give_the_same_page(page, runs, tmp_path, capsys):
    out = tmp_path / "again.html"
    assert main(["1", "2", "--outputs", str(runs), "--out", str(out)]) == 0
    assert out.read_bytes() == page.read_bytes()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0].split()[-1] for line in lines[:-1]] == [
        "generator", "kept/step_000000", "kept/step_000010", "kept/step_000020", "discriminator",
        "decoder", "encoder",
    ]  # fmt: skip
    assert lines[-1].startswith(f"{out}  ")


def test_float16_is_larger(page, runs, tmp_path):
    out = tmp_path / "large.html"
    arguments = ["1", "2", "--outputs", str(runs), "--out", str(out), "--weights", "float16"]
    assert main(arguments) == 0
    assert out.stat().st_size > page.stat().st_size


def test_the_page_names_no_address(page):
    text = page.read_text()
    assert "http:" not in text and "https:" not in text
    assert text.count("<script>") == 0  # all scripts are data, or covered by a hash


def test_a_run_twice_is_refused(runs, tmp_path, capsys):
    out = tmp_path / "x.html"
    message = refused(["1", "1", "--outputs", runs, "--out", out], capsys)
    assert message.endswith("expected each run once, received it 2 times")
    assert not out.exists()


def test_another_ending_is_refused(runs, tmp_path, capsys):
    message = refused(["1", "--outputs", runs, "--out", tmp_path / "x.png"], capsys)
    assert message.startswith("--out: expected a file ending in .html, received")


def test_another_family_is_refused(capsys, tmp_path):
    message = refused(["bundled:denoiser", "--out", tmp_path / "x.html"], capsys)
    assert message.endswith("expected a run of a GAN or a VAE, received one of family 'denoiser'")


def test_a_vae_without_its_encoder_is_refused(runs, capsys, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(runs / "00002-vae_mlp_smoke", copy)
    (copy / "encoder.keras").unlink()
    message = refused([copy, "--out", tmp_path / "x.html"], capsys)
    assert message.startswith(f"{copy / 'encoder.keras'}: expected a saved network")
    assert not (tmp_path / "x.html").exists()


def test_an_unknown_form_of_weights_is_refused(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["1", "--weights", "float15"])
    assert exit_.value.code == 2
    assert "expected auto or float16, received 'float15'; did you mean" in capsys.readouterr().err
