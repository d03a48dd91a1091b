import shutil

import pytest
from hub import Hub, serving
from huggingface_hub.errors import LocalEntryNotFoundError
from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

from genomekit.errors import WeightsNotFound
from genomekit.weights import native
from genomekit.weights.download import locate
from genomekit.weights.load import load
from genomekit.weights.registry import REGISTRY, entry

FOLD = entry("alphagenome-fold-1")


@pytest.fixture
def files(tmp_path, network, tracks):
    folder = native.save(tmp_path / "made", network, tracks, name="tiny")
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of Hugging Face, and no waiting between its attempts."""
    folder = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    disable_progress_bars()
    yield folder
    enable_progress_bars()


@pytest.fixture
def hub(files, monkeypatch, cache):
    with serving(Hub(FOLD.repository, files)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def test_download_then_never_again(hub, cache):
    path = locate(FOLD)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == hub.files
    assert path.is_relative_to(cache)
    hub.requests.clear()
    assert locate(FOLD) == path
    assert hub.requests == []
    checkpoint = load(FOLD.name)
    assert (checkpoint.name, checkpoint.provenance) == (FOLD.name, {"repository": "google/alphagenome-fold-1"})
    assert hub.requests == []


def test_not_logged_in(hub):
    hub.mode = "401"
    with pytest.raises(WeightsNotFound, match=r"\(401\). Log in: run `hf auth login`") as caught:
        locate(FOLD)
    assert "403" not in str(caught.value)


def test_terms_not_accepted(hub):
    hub.mode = "403"
    with pytest.raises(
        WeightsNotFound, match=r"not accepted the terms of use \(403\). Open https://huggingface.co/google/"
    ) as caught:
        locate(FOLD)
    assert "Log in" not in str(caught.value)


@pytest.mark.parametrize(("mode", "text"), [("404", "does not exist"), ("500", r"server failed \(500\)")])
def test_other_refusals(hub, mode, text):
    hub.mode = mode
    with pytest.raises(WeightsNotFound, match=text):
        locate(FOLD)


def test_an_interrupted_file_is_resumed(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1024)
    hub.mode = "once"
    path = locate(FOLD)
    assert len(hub.ranges()) == len(hub.files)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == hub.files


def test_files_that_arrived_are_kept_and_half_a_download_is_no_checkpoint(hub, monkeypatch):
    hub.mode = "cut"
    with pytest.raises(WeightsNotFound, match=r"broke off again and again. Files that arrived whole are kept"):
        locate(FOLD)
    hub.mode = "ok"
    hub.requests.clear()
    path = locate(FOLD)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == hub.files
    fetched = {path.rsplit("/", 1)[1] for method, path, _ in hub.requests if method == "GET" and "/resolve/" in path}
    assert fetched == {"model.safetensors"}


def test_a_leftover_part_of_a_finished_file_does_no_harm(hub, cache):
    path = locate(FOLD)
    blobs = path.parents[1] / "blobs"
    whole = next(blobs.iterdir())
    (blobs / f"{whole.name}.0a1b.incomplete").write_bytes(b"part")
    hub.requests.clear()
    assert locate(FOLD) == path
    assert hub.requests == []
    (blobs / "other.incomplete").write_bytes(b"part")
    locate(FOLD)
    assert hub.requests


def test_offline(cache, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nothing listens on the discard port
    with pytest.raises(WeightsNotFound, match=r"cannot be reached; this machine seems to be offline"):
        locate(FOLD)


def test_offline_by_wish(cache, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsNotFound, match=r"HF_HUB_OFFLINE is set"):
        locate(FOLD)


@pytest.fixture
def no_network(monkeypatch):
    def refused(*arguments, **more):
        raise AssertionError("asked the hub although the checkpoint is here")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refused)


def test_folder_of_the_variable_comes_first(tmp_path, network, tracks, no_network, monkeypatch):
    shelf = tmp_path / "shelf"
    as_folder = native.save(shelf / FOLD.name, network, tracks)
    as_file = native.save(shelf / "alphagenome-fold-2.safetensors", network, tracks)
    monkeypatch.setenv("GENOMEKIT_WEIGHTS", str(shelf))
    assert locate(FOLD) == as_folder
    assert locate(entry("alphagenome-fold-2")) == as_file
    monkeypatch.setenv("GENOMEKIT_WEIGHTS", str(as_folder))
    assert locate(FOLD) == as_folder


def test_a_checkpoint_of_another_name_is_not_taken(tmp_path, network, tracks, cache, monkeypatch):
    other = native.save(tmp_path / "alphagenome-fold-0", network, tracks)
    monkeypatch.setenv("GENOMEKIT_WEIGHTS", str(other))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsNotFound, match=r"GENOMEKIT_WEIGHTS"):
        locate(FOLD)


def test_variable_that_is_no_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("GENOMEKIT_WEIGHTS", str(tmp_path / "nowhere"))
    with pytest.raises(WeightsNotFound, match=r"GENOMEKIT_WEIGHTS is .*nowhere.* no folder"):
        locate(FOLD)


def test_own_cache(tmp_path, network, tracks, no_network, monkeypatch):
    monkeypatch.setenv("GENOMEKIT_CACHE", str(tmp_path))
    path = native.save(tmp_path / "weights" / FOLD.name, network, tracks)
    assert locate(FOLD) == path


def test_full_disk(hub, monkeypatch):
    def full(*arguments, **more):
        if more.get("local_files_only"):
            raise LocalEntryNotFoundError("not here")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("huggingface_hub.snapshot_download", full)
    with pytest.raises(OSError, match=r"the disk is full"):
        locate(FOLD)


def test_the_registry():
    assert list(REGISTRY) == ["mini", "alphagenome-all-folds", *(f"alphagenome-fold-{k}" for k in range(4))]
    assert all("non-commercial" in one.terms for one in REGISTRY.values() if one.repository)
    assert entry("AlphaGenome_all_folds").repository == "google/alphagenome-all-folds"
    with pytest.raises(ValueError, match=r"Unknown checkpoint 'alphagenome'. Did you mean"):
        entry("alphagenome")


def test_copy_of_a_snapshot_loads_too(hub, tmp_path):
    shutil.copytree(locate(FOLD), tmp_path / "copy")
    assert load(tmp_path / "copy").name == "tiny"
