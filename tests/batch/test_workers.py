"""Shards on a real local cluster of two processes."""

import ast
import os
import pickle
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import fake_scoring as fake
import numpy as np
import pytest
import torch

import genomekit as gk
from genomekit.batch import PerProcess, score_records
from genomekit.batch.isolate import NotReady

distributed = pytest.importorskip("distributed")
# Sockets of a process that was killed are closed when they are collected, not before.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def client(tmp_path):
    """Two worker processes, one thread each, which find the modules of the tests."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
    try:
        with (
            distributed.LocalCluster(**options, local_directory=str(tmp_path / "dask")) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)


def run(out, score, **options):
    given = {"identity": fake.IDENTITY, "shard_size": 8, "progress": False, **options}
    return score_records(fake.records(96, lost=[5]), score, out, **given)


def test_two_workers_and_the_death_of_one(client, tmp_path, capsys):
    first = set(client.nthreads())
    made = run(tmp_path / "many", fake.DiesOnce(tmp_path / "died"), client=client)
    assert (tmp_path / "died").exists()
    assert set(client.nthreads()) != first  # the nanny started another process in its place
    run(tmp_path / "one", fake.score)
    assert fake.contents(tmp_path / "many") == fake.contents(tmp_path / "one")
    assert made.records["record"].tolist() == list(range(96))
    assert made.records["status"].value_counts().to_dict() == {"ok": 95, "skipped": 1}

    # Each process cooks its recipe once, whatever the number of shards; the caller never does, nor for a preview.
    recipe = PerProcess(fake.make_scoring, str(tmp_path / "note"))
    run(tmp_path / "recipe", recipe, client=client, progress=True, preview=2)
    assert re.search(r"96 variants at .* per second \(2 timed\) on each of 2 workers: about", capsys.readouterr().err)
    processes = (tmp_path / "note").read_text().split()
    assert 1 <= len(processes) == len(set(processes)) <= 2
    assert str(os.getpid()) not in processes
    assert fake.contents(tmp_path / "recipe") == fake.contents(tmp_path / "one")

    # What no module has travels too, as the scorers of a notebook do.
    class Own:
        def __call__(self, group):
            return fake.score(group)

    run(tmp_path / "own", PerProcess(lambda own: own, Own()), client=client)
    assert fake.contents(tmp_path / "own") == fake.contents(tmp_path / "one")

    # What cannot be made is no fault of a record: no shard is written that says so.
    with pytest.raises(NotReady, match=r"cannot be made on .*: ValueError: no such device"):
        run(tmp_path / "broken", PerProcess(fake.without_device), client=client)
    assert not list((tmp_path / "broken" / "shards").iterdir())

    # An error of a worker comes back as it is, and what was done stays.
    with pytest.raises(ValueError, match=r"Record 7 \(v7\) cannot be scored: KeyError"):
        score_records(fake.records(16), fake.picky, tmp_path / "raise", identity={}, on_error="raise", client=client)


def test_a_model_on_workers_gives_the_files_of_one_process(client, tmp_path):
    letters = "".join(np.random.default_rng(4).choice(list("ACGT"), 20_000))
    (tmp_path / "genome.fa").write_text(f">chrA\n{letters}\n")
    names = 'gene_id "g1"; gene_name "one"; gene_biotype "protein_coding"; transcript_id "g1.1";'
    rows = [f"chrA\tmade\t{kind}\t9001\t11000\t.\t+\t.\t{names}\n" for kind in ("gene", "transcript", "exon")]
    (tmp_path / "genes.gtf").write_text("".join(rows))
    genome = gk.Genome(tmp_path / "genome.fa", tmp_path / "genes.gtf", organism="worm")
    model = gk.Model.from_pretrained(genome=genome, device="cpu")
    variants = [f"chrA:{position}:{letters[position - 1]}>N" for position in range(9_500, 10_500, 250)]
    options = {"scorers": "splice_sites", "shard_size": 2, "progress": False}
    made = model.score_variants(variants, out=tmp_path / "many", client=client, **options)
    assert made["splice_sites"].n_obs == 4
    model.score_variants(variants, out=tmp_path / "one", **options)
    assert fake.contents(tmp_path / "many") == fake.contents(tmp_path / "one")


def test_workers_choose_their_own_device(tiny_checkpoint, tmp_path):
    """The caller may be on a node without GPU; which of several GPUs it took says nothing about those of workers."""
    from genomekit.batch.identity import identity
    from genomekit.batch.recipe import recipe
    from genomekit.engine import Engine
    from genomekit.scoring.job import prepare

    (tmp_path / "genome.fa").write_text(">chrA\n" + "ACGT" * 1000)

    class Client:
        """Has workers with a GPU."""

        asked: tuple[str, ...] = ()

        def submit(self, function, *given, **options):
            self.asked = given
            return SimpleNamespace(result=lambda: ("cuda", "bfloat16"))

    client, engine = Client(), Engine(tiny_checkpoint)
    job = prepare(engine, gk.Genome(tmp_path / "genome.fa", organism="worm"), "atac", options={})
    made, known = recipe(job, client, options={})
    assert client.asked == ("auto", "auto")
    assert known == {"device": "cuda", "dtype": "bfloat16"}
    assert dict(pickle.loads(made.recipe)[2]).items() >= known.items()
    engine.device = torch.device("cuda:1")
    assert identity(job)["device"] == "cuda"


def test_a_cluster_without_workers(tmp_path):
    options = {"n_workers": 0, "dashboard_address": ":0", "processes": False}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        with pytest.raises(RuntimeError, match="wait_for_workers"):
            run(tmp_path / "a", fake.score, client=client)


def test_the_documented_slurm_cluster_asks_for_one_gpu_and_one_model_per_job():
    jobqueue = pytest.importorskip("dask_jobqueue")
    text = (Path(__file__).parents[2] / "docs" / "batch.md").read_text()
    snippet = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "SLURMCluster(" in block)
    made = next(node for node in ast.walk(ast.parse(snippet)) if isinstance(node, ast.Assign)).value
    options = {one.arg: ast.literal_eval(one.value) for one in made.keywords}
    with jobqueue.SLURMCluster(**options, scheduler_options={"dashboard_address": ":0"}) as cluster:
        script = cluster.job_script()
    for line in ("#SBATCH -n 1", "#SBATCH --cpus-per-task=4", "#SBATCH -t 08:00:00", "#SBATCH --gres=gpu:1"):
        assert line in script.splitlines()
    assert "--nthreads 1 " in script
    assert "--nworkers" not in script
    assert "--lifetime 7h50m --lifetime-stagger 5m" in script
