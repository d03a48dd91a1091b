"""Shards on a real local cluster of two processes."""

import ast
import os
import re
import sys
from pathlib import Path

import fake_scoring as fake
import pytest

from genomekit.batch import PerProcess, score_records

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


def test_two_workers_and_the_death_of_one(client, tmp_path):
    first = set(client.nthreads())
    made = run(tmp_path / "many", fake.DiesOnce(tmp_path / "died"), client=client)
    assert (tmp_path / "died").exists()
    assert set(client.nthreads()) != first  # the nanny started another process in its place
    run(tmp_path / "one", fake.score)
    assert fake.contents(tmp_path / "many") == fake.contents(tmp_path / "one")
    assert made.records["record"].tolist() == list(range(96))
    assert made.records["status"].value_counts().to_dict() == {"ok": 95, "skipped": 1}

    # Each process cooks its recipe once, whatever the number of shards.
    run(tmp_path / "recipe", PerProcess(fake.make_scoring, str(tmp_path / "note")), client=client)
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

    # An error of a worker comes back as it is, and what was done stays.
    with pytest.raises(ValueError, match=r"Record 7 \(v7\) cannot be scored: KeyError"):
        score_records(fake.records(16), fake.picky, tmp_path / "raise", identity={}, on_error="raise", client=client)


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
