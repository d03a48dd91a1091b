import argparse

import fake_scoring as fake
import pytest

import genomekit as gk
from genomekit.batch import score_records
from genomekit.cli_score import add_score


@pytest.fixture
def command(tmp_path):
    """The command with a scoring function that needs no model."""

    def score_file(arguments):
        options = {"identity": {"model": arguments.model}, "shard_size": arguments.shard_size, "progress": False}
        source = fake.records(20, lost=[4])
        return score_records(source, fake.score, arguments.out, on_error=arguments.on_error, **options)

    parser = argparse.ArgumentParser()
    add_score(parser.add_subparsers(required=True), score_file)

    def run(*words):
        arguments = parser.parse_args(["score", "in.vcf", "--genome", "g.fa", *words])
        return arguments.run(arguments)

    return run


def test_what_the_command_prints(command, tmp_path, capsys):
    out = str(tmp_path / "scores")
    assert command("--model", "mini", "--out", out) == 0
    printed = capsys.readouterr().out
    assert "20 records (19 ok, 1 skipped)" in printed
    assert "1 without scores: symbolic allele" in printed
    assert len(gk.open(out).records) == 20


def test_a_record_may_stop_the_command(command, tmp_path):
    with pytest.raises(ValueError, match="symbolic allele"):
        command("--out", str(tmp_path / "scores"), "--on-error", "raise")


def test_the_command_needs_a_folder(command, capsys):
    with pytest.raises(SystemExit):
        command()
    assert "--out" in capsys.readouterr().err
