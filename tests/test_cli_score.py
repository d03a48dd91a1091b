import os
import subprocess
import sys
import warnings

import fake_scoring as fake
import pytest

import genomekit as gk
from genomekit.batch import score_group
from genomekit.cli import main
from genomekit.cli_score import report
from genomekit.genome.fasta import Fasta
from genomekit.scores import Record
from genomekit.testing import toy_genome
from genomekit.weights.native import save


@pytest.fixture
def toy(tmp_path):
    return toy_genome(tmp_path / "toy")


@pytest.fixture
def vcf(toy, tmp_path):
    """Two substitutions, a symbolic allele and one whose REF is not the genome's."""
    letters = Fasta(toy.fasta)
    rows = []
    for position in (3000, 5000):
        ref = letters.fetch("chrI", position - 1, position)
        rows.append(f"chrI\t{position}\trs{position}\t{ref}\t{'A' if ref != 'A' else 'C'}\t.\t.\t.")
    ref = letters.fetch("chrI", 5999, 6000)
    rows.append(f"chrI\t6000\t.\t{ref}\t<INV>\t.\t.\t.")
    ref = letters.fetch("chrI", 6999, 7000)
    wrong = "A" if ref != "A" else "C"
    rows.append(f"chrI\t7000\t.\t{wrong}\t{ref}\t.\t.\t.")
    header = ["##fileformat=VCFv4.3", "##contig=<ID=chrI>", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    path = tmp_path / "in.vcf"
    path.write_text("\n".join([*header, *rows]) + "\n")
    return path


def test_a_vcf_in_and_scores_out(tiny_checkpoint, toy, vcf, tmp_path, capsys):
    folder = save(tmp_path / "tiny", tiny_checkpoint.network, tiny_checkpoint.tracks, name="tiny")
    out, annotated = tmp_path / "scores.zarr", tmp_path / "out.vcf"
    words = ["score", vcf, "--genome", toy.fasta, "--model", folder, "--out", out, "--vcf-out", annotated]
    words += ["--organism", "worm", "--scorers", "atac", "dnase", "--window", "2048", "--device", "cpu", "--quiet"]
    assert main([str(word) for word in words]) == 0
    printed = capsys.readouterr().out
    assert "4 records (2 ok" in printed
    assert f"genomekit.open('{out}')" in printed
    scores = gk.open(out)
    assert scores.records["status"].tolist()[:2] == ["ok", "ok"]
    assert set(scores.records["status"][2:]) <= {"skipped", "failed"}
    assert scores.records["id"].tolist()[:2] == ["rs3000", "rs5000"]
    assert len(scores) == 2
    assert annotated.read_text().count("GK_CenterMask_atac") >= 3  # its header line and two records
    first = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert main([str(word) for word in words if word != "--quiet"]) == 0  # done already: only read
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == first


def test_an_error_is_one_line(vcf, toy, tmp_path, capsys):
    words = ["score", str(vcf), "--genome", str(toy.fasta), "--out", str(tmp_path / "s"), "--model", "minni"]
    assert main(words) == 1
    assert capsys.readouterr().err.startswith("genomekit: Unknown checkpoint 'minni'")


def test_a_folder_must_be_named(capsys):
    with pytest.raises(SystemExit):
        main(["score", "in.vcf", "--genome", "g.fa"])
    assert "--out" in capsys.readouterr().err


def test_the_report_counts_reasons():
    text = report(score_group(fake.score, fake.records(20, lost=[4, 6])), "scores")
    assert "20 records (18 ok, 2 skipped)" in text
    assert "No scores for record 4 (v4) and 1 more: symbolic allele" in text.splitlines()
    assert text.count("symbolic allele") == 1
    own = [Record(n, "I", n + 1, "A", "C", reason=f"reason {n}") for n in range(8)]
    lines = report(score_group(fake.score, own), "scores").splitlines()
    assert lines[1:6] == [f"No scores for record {n} (I:{n + 1}:A>C): reason {n}" for n in range(5)]
    assert lines[6] == "No scores for 3 more; .records has the reason of each."


def test_the_help_needs_no_torch():
    code = "import sys\nfrom genomekit.cli import main\ntry: main(['score', '--help'])\n"
    code += "finally: assert not {'torch', 'anndata', 'pandas'} & set(sys.modules)"
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=path, check=False)
    assert done.returncode == 0, done.stderr
    assert "--vcf-out" in done.stdout


def test_a_warning_is_one_line_too(tiny_checkpoint, toy, vcf, tmp_path, capsys):
    folder = save(tmp_path / "tiny", tiny_checkpoint.network, tiny_checkpoint.tracks, name="tiny")
    words = ["score", str(vcf), "--genome", str(toy.fasta), "--out", str(tmp_path / "s"), "--model", str(folder)]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert (
            main([*words, "--organism", "worm", "--modalities", "atac", "rna_seq", "--device", "cpu", "--quiet"]) == 0
        )
    assert "genomekit: Genome(" in (told := capsys.readouterr().err)
    assert "left out: rna_seq" in told
    assert "model_scores.py" not in told


def test_options_reach_the_call(tiny_checkpoint, toy, vcf, tmp_path, monkeypatch):
    folder = save(tmp_path / "tiny", tiny_checkpoint.network, tiny_checkpoint.tracks, name="tiny")
    (tmp_path / "sites.bed").write_text("chrI\t500\t501\tg1\t1\t+\n")
    came = {}

    def spy(model, variants, **options):
        came.update(options, variants=variants, sites=model.genome.has_polya_sites)
        return score_group(fake.score, fake.records(2))

    monkeypatch.setattr(gk.Model, "score_variants", spy)
    words = ["score", vcf, "--genome", toy.fasta, "--model", folder, "--out", tmp_path / "s", "--device", "cpu"]
    assert main([str(word) for word in words]) == 0
    assert (came["parity"], came["ref_check"], came["sites"]) == (False, "error", False)
    words += ["--parity", "--ref-check", "warn", "--polya", tmp_path / "sites.bed"]
    assert main([str(word) for word in words]) == 0
    assert (came["parity"], came["ref_check"], came["sites"]) == (True, "warn", True)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"vcf": "none.vcf"}, "genomekit: No VCF file at none.vcf."),
        ({"--out": "s.parquet"}, "genomekit: --out 's.parquet' is named like a file"),
        ({"--vcf-out": "o.bcf"}, "genomekit: o.bcf was asked for; annotated records are written to .vcf or .vcf.gz."),
    ],
)
def test_names_are_checked_before_the_genome_is_opened(vcf, tmp_path, monkeypatch, capsys, changed, told):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "genomekit.genome.assembly.Genome.open", lambda *_, **__: pytest.fail("opened, maybe downloaded")
    )
    words = {"--genome": "hg38", "--out": "s", **changed}
    source = words.pop("vcf", str(vcf))
    assert main(["score", source, *(word for pair in words.items() for word in pair)]) == 1
    assert capsys.readouterr().err.startswith(told)


def test_errors_name_options_as_they_are_typed(tiny_checkpoint, toy, vcf, tmp_path, capsys):
    folder = save(tmp_path / "tiny", tiny_checkpoint.network, tiny_checkpoint.tracks, name="tiny")
    words = ["score", vcf, "--genome", toy.fasta, "--model", folder, "--out", tmp_path / "s", "--organism", "worm"]
    words = [str(word) for word in [*words, "--device", "cpu", "--quiet", "--scorers"]]
    assert main([*words, "atac"]) == 0
    for more, told in (
        (["dnase"], "Choose another folder, or pass --overwrite."),
        (["atac", "--shard-size", "0"], "--shard-size 0 came; give at least 1 record."),
    ):
        assert main([*words, *more]) == 1
        assert told in capsys.readouterr().err
    words = [word for word in words if word != "--scorers"]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main([*words, "--modalities", "rna_seq"]) == 1
    assert "Open the genome with --gtf, or name other modalities." in capsys.readouterr().err
