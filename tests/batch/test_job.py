import json
import os
import signal
import subprocess
import sys
import threading
import time
import types
import warnings

import fake_scoring as fake
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import genomekit as gk
from genomekit.batch import PerProcess, Preview, preview, score_group, score_records
from genomekit.batch.folder import Folder
from genomekit.errors import GenomekitWarning
from genomekit.scores import Record, iter_shards

ENDINGS = ("", ".zarr")


def run(out, count=100, score=fake.score, **options):
    given = {"identity": fake.IDENTITY, "shard_size": 16, "progress": False, **options}
    return score_records(fake.records(count), score, out, **given)


def assert_same(a, b):
    assert_frame_equal(a.records, b.records)
    assert list(a) == list(b)
    for name in a:
        assert_frame_equal(a[name].obs, b[name].obs)
        np.testing.assert_array_equal(a[name].X, b[name].X)


@pytest.mark.parametrize("ending", ENDINGS)
def test_sharded_is_the_same_as_at_once(tmp_path, ending):
    out = tmp_path / f"scores{ending}"
    made = run(out, 50)
    assert_same(made, fake.score(fake.records(50)))
    assert_same(gk.open(out), made)
    assert len(list((out / "shards").glob("0*"))) == 4  # 16 + 16 + 16 + 2
    assert [len(shard.records) for shard in iter_shards(out)] == [16, 16, 16, 2]
    assert made.attrs["model"] == "fake"
    assert list(made["Mask(dnase)"].layers) == ["ref", "alt"]
    assert "ScoreSet: 50 records (50 ok), 2 scorers" in repr(made)
    assert made.scorers["rows"].tolist() == [50, 34]  # 17 of 0..49 divide by 3, two genes each
    assert not (out / ".partial").exists()


def test_a_zarr_job_is_one_zarr_store(tmp_path):
    zarr = pytest.importorskip("zarr")
    run(tmp_path / "scores.zarr", 20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Zarr wonders about job.json
        group = zarr.open_group(tmp_path / "scores.zarr", mode="r")
    shards = group["shards"]
    assert len(list(shards.group_keys())) == 2


@pytest.mark.parametrize(("ending", "shards"), [("", 20), (".zarr", 8)])
def test_killed_for_good_and_resumed_to_the_same_bytes(tmp_path, ending, shards):
    """SIGKILL cannot be caught: nothing is tidied up, as in a power cut or an out-of-memory kill."""
    out = tmp_path / f"killed{ending}"
    code = f"""
import fake_scoring as fake
from genomekit.batch import score_records
score_records(fake.records({4 * shards}), fake.slow, {str(out)!r}, identity=fake.IDENTITY, shard_size=4, progress=False)
"""
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], env=path)
    deadline = time.monotonic() + 60
    while len(list(out.glob("shards/0*"))) < 3:
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    kept = {shard.name: shard.stat().st_mtime_ns for shard in (out / "shards").glob("0*")}
    assert 3 <= len(kept) < shards
    with pytest.warns(GenomekitWarning, match="is not complete"):
        half = gk.open(out)
    assert_same(half, fake.score(fake.records(4 * len(kept))))

    calls = []

    def counted(group):
        calls.append(len(group))
        return fake.score(group)

    resumed = run(out, 4 * shards, counted, shard_size=4)
    assert sum(calls) == 4 * shards - 4 * len(kept)  # what was done is not done again
    run(tmp_path / f"whole{ending}", 4 * shards, shard_size=4)
    assert fake.contents(out) == fake.contents(tmp_path / f"whole{ending}")
    assert {name: (out / "shards" / name).stat().st_mtime_ns for name in kept} == kept
    assert len(resumed.records) == 4 * shards


def test_interrupted_by_the_keyboard(tmp_path):
    def interrupted(group):
        if group[0].number >= 48:
            raise KeyboardInterrupt
        return fake.score(group)

    with pytest.raises(KeyboardInterrupt) as caught:
        run(tmp_path / "a", 100, interrupted)
    assert "48 records are done and kept in" in caught.value.__notes__[0]
    assert json.loads((tmp_path / "a" / "job.json").read_text())["complete"] is False
    assert not (tmp_path / "a" / ".partial").exists()
    assert len(run(tmp_path / "a", 100).records) == 100
    assert fake.contents(tmp_path / "a") == contents_of_new(tmp_path / "b", 100)


def contents_of_new(out, count):
    run(out, count)
    return fake.contents(out)


def test_a_finished_job_is_only_read(tmp_path):
    run(tmp_path / "a")
    before = fake.contents(tmp_path / "a")

    def never(group):
        raise AssertionError("scored again")

    run(tmp_path / "a", score=never)
    assert fake.contents(tmp_path / "a") == before


def test_one_bad_record_never_stops_the_rest(tmp_path):
    source = fake.records(40, lost=(3, 39))
    made = score_records(source, fake.picky, tmp_path / "a", identity={}, shard_size=16, progress=False)
    assert made.records["record"].tolist() == list(range(40))
    fates = made.records.set_index("record")["status"]
    assert fates[[3, 39]].tolist() == ["skipped"] * 2
    assert fates[[7, 17, 27, 37]].tolist() == ["failed"] * 4
    assert (fates == "ok").sum() == 34
    assert made.records["reason"][17] == "KeyError: 'gene of record 17'"
    # The neighbours of a bad record have the scores they would have without it.
    whole, kept = fake.score(fake.records(40))["Mask(dnase)"], made["Mask(dnase)"]
    np.testing.assert_array_equal(kept.X, whole[kept.obs_names].X)
    assert kept.n_obs == 34


def test_stopping_at_a_bad_record_names_it(tmp_path):
    with pytest.raises(ValueError, match=r"Record 7 \(v7\) cannot be scored: KeyError: 'gene of record 7'"):
        run(tmp_path / "a", score=fake.picky, on_error="raise")
    with pytest.raises(ValueError, match=r"Record 3 \(v3\) cannot be scored: symbolic allele"):
        score_group(fake.score, fake.records(5, lost=[3]), "raise")
    with pytest.raises(ValueError, match="Unknown on_error 'rows'"):
        run(tmp_path / "b", on_error="rows")


def test_a_fault_of_the_machine_stops_the_job(tmp_path):
    def full(group):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        run(tmp_path / "a", score=full)

    def broken(group):
        raise RuntimeError("CUDA error: device-side assert triggered")

    with pytest.raises(RuntimeError, match="None of 16 records can be scored: RuntimeError: CUDA error"):
        run(tmp_path / "b", score=broken)
    assert not list((tmp_path / "b" / "shards").iterdir())

    def refuses(group):
        raise ValueError("REF differs from the genome")

    # Where the records themselves are at fault each is told so, even if that is all of them.
    assert set(run(tmp_path / "c", score=refuses).records["reason"]) == {"REF differs from the genome"}


def test_a_scoring_function_that_loses_records_is_found_out():
    with pytest.raises(RuntimeError, match="3 records went to the scoring function and 2 came back"):
        score_group(lambda group: fake.score(group[:2] if len(group) > 1 else []), fake.records(3))


def test_rows_do_not_depend_on_the_order_in_a_group():
    source = fake.records(20)
    shuffled = [Record(n, r.chrom, r.position, r.ref, r.alt, r.id) for n, r in enumerate(reversed(source))]
    seen = []

    def spy(group):
        seen.extend(record.position for record in group)
        return fake.score(group)

    made = score_group(spy, shuffled)
    assert seen == sorted(seen)  # neighbours together, whatever the order that came
    assert made.records["record"].tolist() == list(range(20))
    assert made["Mask(dnase)"].obs["record"].tolist() == list(range(20))


def test_killed_while_the_job_is_noted(tmp_path, monkeypatch):
    """What is half written leaves nothing that a later call takes for the files of somebody else."""

    def killed(*_):
        raise SystemExit  # and nothing is tidied up

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", killed)
        patched.setattr("shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(SystemExit):
            run(tmp_path / "a")
    run(tmp_path / "a")
    assert fake.contents(tmp_path / "a") == contents_of_new(tmp_path / "b", 100)


def test_two_writers_are_kept_apart(tmp_path):
    folder = Folder(tmp_path / "a", fake.IDENTITY, 16, False)
    with folder.opened(), pytest.raises(RuntimeError, match="Another process is writing into"):
        run(tmp_path / "a")
    assert len(run(tmp_path / "a").records) == 100


def test_another_job_is_not_mixed_in(tmp_path):
    run(tmp_path / "a")
    before = fake.contents(tmp_path / "a")
    with pytest.raises(ValueError, match=r"another genome \(genome was 'toy', is 'other'\)"):
        run(tmp_path / "a", identity={**fake.IDENTITY, "genome": "other"})
    with pytest.raises(ValueError, match=r"another shard_size \(shard_size was 16, is 8\)"):
        run(tmp_path / "a", shard_size=8)
    with pytest.raises(ValueError, match="holds scores of other records or options"):
        run(tmp_path / "a", 90)  # the last shard is another one
    with pytest.raises(ValueError, match="holds scores of other records or options"):
        run(tmp_path / "a", 80)  # whole shards are left over
    assert {n: b for n, b in fake.contents(tmp_path / "a").items() if n != "job.json"} == {
        n: b for n, b in before.items() if n != "job.json"
    }


def test_overwrite_keeps_what_fits(tmp_path):
    run(tmp_path / "a", 100)
    first = next(iter(sorted((tmp_path / "a" / "shards").iterdir())))
    time_of_first = first.stat().st_mtime_ns
    assert len(run(tmp_path / "a", 90, overwrite=True).records) == 90
    assert first.stat().st_mtime_ns == time_of_first
    assert fake.contents(tmp_path / "a") == contents_of_new(tmp_path / "b", 90)
    assert len(run(tmp_path / "a", 20, overwrite=True, identity={"x": 1}).records) == 20


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="holds something else"):
        run(tmp_path / "a", overwrite=True)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["thesis.tex"]


def test_a_damaged_shard_is_told(tmp_path):
    run(tmp_path / "a")
    shard = sorted((tmp_path / "a" / "shards").iterdir())[2]
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(ValueError, match=f"{shard.name} cannot be read as scores .* remove it, and .* compute"):
        gk.open(tmp_path / "a")
    shard.unlink()
    run(tmp_path / "a")
    assert fake.contents(tmp_path / "a") == contents_of_new(tmp_path / "b", 100)
    (tmp_path / "a" / "job.json").write_text("{}")
    with pytest.raises(ValueError, match=r"job\.json cannot be read"):
        gk.open(tmp_path / "a")


def test_nothing_to_score(tmp_path):
    made = run(tmp_path / "a", 0)
    assert len(made.records) == 0
    assert list(made) == []
    assert len(gk.open(tmp_path / "a").to_frame()) == 0


def test_only_records_that_cannot_be_scored(tmp_path):
    made = score_records(fake.records(3, lost=(0, 1, 2)), fake.score, tmp_path / "a", identity={}, progress=False)
    assert made.records["status"].tolist() == ["skipped"] * 3
    assert list(made) == []


def test_numbers_must_rise(tmp_path):
    with pytest.raises(ValueError, match="Record 0 came after 2"):
        score_records([*fake.records(3), *fake.records(1)], fake.score, tmp_path / "a", identity={}, progress=False)
    with pytest.raises(ValueError, match="shard_size=0"):
        run(tmp_path / "b", shard_size=0)


def test_a_stream_stays_a_stream(tmp_path):
    """No more records are read than the next shard needs."""
    read = scored = ahead = 0

    def stream():
        nonlocal read, ahead
        for record in fake.records(100):
            read += 1
            ahead = max(ahead, read - scored)
            yield record

    def counting(group):
        nonlocal scored
        scored += len(group)
        return fake.score(group)

    score_records(stream(), counting, tmp_path / "a", identity={}, shard_size=10, progress=False)
    assert (read, ahead) == (100, 10)


def test_preview(tmp_path, capsys):
    told = preview(fake.slow, fake.records(6), total=1000)
    assert told.timed == 5
    assert 5 < told.per_second < 100.0 * 1.01  # one group of 5 takes 0.05 s, and the machine's own time
    assert told.bytes == pytest.approx(1000 * told.bytes_each)
    assert "1,000 variants at" in str(told)
    assert preview(fake.score, fake.records(1)) is None
    assert str(Preview(3, 1.0, 2000.0)) == "Variants: 1 per second (3 timed), 2.0 kB on disk each"
    assert "about 2 h 46 min" in str(Preview(3, 1.0, 2000.0, 10_000))
    run(tmp_path / "a", 120, progress=True)
    assert "120 variants at" in capsys.readouterr().err
    run(tmp_path / "b", 90, progress=True)  # under twenty times five
    assert "variants at" not in capsys.readouterr().err
    # Of a stream the length is known only where it ends within the first shard.
    for name, size, expected in (("c", 64, "Variants: "), ("d", 256, "120 variants at")):
        given = {"identity": fake.IDENTITY, "shard_size": size}
        score_records(iter(fake.records(120)), fake.score, tmp_path / name, **given)
        assert expected in capsys.readouterr().err
    score_records(iter(fake.records(90)), fake.score, tmp_path / "e", identity=fake.IDENTITY)
    assert "ariants" not in capsys.readouterr().err


def test_a_preview_counts_what_is_left(tmp_path, capsys):
    def interrupted(group):
        if group[0].number >= 160:
            raise KeyboardInterrupt
        return fake.score(group)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", 300, interrupted)
    run(tmp_path / "a", 300, progress=True)
    assert "140 variants at" in capsys.readouterr().err


def test_the_recipe_is_cooked_once_in_a_process(tmp_path):
    recipe = PerProcess(fake.make_scoring, str(tmp_path / "note"))
    for _ in range(3):
        recipe(fake.records(2))
    assert (tmp_path / "note").read_text().split() == [str(os.getpid())]


def test_what_a_table_gives(tmp_path):
    table = pd.DataFrame({"CHROM": ["I", "I", "I"], "POS": [5, 0, 7], "REF": ["A", "C", "G"], "ALT": ["C", "T", "!"]})
    made = score_records(table, fake.score, tmp_path / "a", identity={}, progress=False)
    assert made.records["status"].tolist() == ["ok", "skipped", "skipped"]
    assert "positions are 1-based" in made.records["reason"][1]
    with pytest.raises(ValueError, match="has no alt"):
        score_records(table.drop(columns="ALT"), fake.score, tmp_path / "b", identity={}, progress=False)
    made = score_records(
        ["I:5:A>C", gk.Variant("I", 9, "G", "T", "rs9"), "what"], fake.score, tmp_path / "c", identity={}
    )
    assert made.records[["variant", "id", "status"]].values.tolist()[:2] == [
        ["I:5:A>C", "", "ok"],
        ["I:9:G>T", "rs9", "ok"],
    ]
    assert made.records["id"][2] == "what"
    made = score_records([5, None, "I:5:A>C"], fake.score, tmp_path / "d", identity={}, progress=False)
    assert made.records["status"].tolist() == ["skipped", "skipped", "ok"]
    assert made.records["reason"][0] == "5 came; give variants, their texts or records"
    texts = pd.DataFrame({"variant": ["I:5:A>C", "what"]})
    made = score_records(texts, fake.score, tmp_path / "f", identity={}, progress=False)
    assert made.records["status"].tolist() == ["ok", "skipped"]
    with pytest.raises(ValueError, match="give a list of variants"):
        score_records("I:5:A>C", fake.score, tmp_path / "e", identity={})


def test_any_record_will_do(tmp_path):
    record = types.SimpleNamespace(number=4, id="", chrom="I", position=5, ref="A", alt="C", reason="", line=17)
    assert score_records([record], fake.score, tmp_path / "a", identity={}).records["record"].tolist() == [4]


def test_a_recipe_may_hold_what_no_module_has():
    """Classes and functions of a notebook, which another process cannot import."""
    pytest.importorskip("cloudpickle")

    class Sine:
        def __call__(self, group):
            return fake.score(group)

    def make(own):
        return own

    assert_same(PerProcess(make, Sine())(fake.records(4)), fake.score(fake.records(4)))
    with pytest.raises(ValueError, match="cannot be sent to other processes"):
        PerProcess(make, threading.Lock())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "s.parquet",
            r"Give a folder, such as out=.*s', and make the file .*to_frame\(\)\.to_parquet\('.*s\.parquet'\)",
        ),
        ("s.h5", r"named like a file.*scores\.save"),
        ("s.h5ad", r"named like a file.*write_h5ad"),
        ("s.vcf.gz", "vcf_out= names|named by vcf_out="),
        ("notes", "is a file, and scores go into a folder"),
    ],
)
def test_the_name_of_a_file_is_no_folder(tmp_path, name, told):
    (tmp_path / "notes").write_text("of years")
    with pytest.raises(ValueError, match=told):
        run(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


@pytest.mark.parametrize("client", ["x", 5, "tcp://10.0.0.1:8786"])
def test_what_is_no_client_is_told(tmp_path, client):
    with pytest.raises(TypeError, match=r"give a dask\.distributed\.Client, such as"):
        run(tmp_path / "a", client=client)
    assert not (tmp_path / "a").exists()
