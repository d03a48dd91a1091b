import hashlib
import http.server
import io
import tarfile
import threading
from dataclasses import replace
from functools import partial

import pytest

from genomekit.errors import GenomekitWarning
from genomekit.genome import cache, download, presets
from genomekit.genome.assembly import Genome
from genomekit.genome.download import Source

DATA = bytes(range(256)) * 400


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves a dict of files, with byte ranges; `break_after` bytes it drops the connection, once."""

    def __init__(self, site, *args):
        self.site = site
        super().__init__(*args)

    def do_GET(self):
        self.site.requests.append((self.path, self.headers.get("Range")))
        body = self.site.files.get(self.path)
        if body is None:
            return self.send_error(self.site.missing_code)
        first = 0
        if self.headers.get("Range") and self.site.ranges:
            first = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            if first >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(body) - first))
        self.end_headers()
        stop = len(body)
        if self.site.break_after and not self.path.endswith("txt"):
            stop, self.site.break_after = first + self.site.break_after.pop(0), self.site.break_after
        self.wfile.write(body[first:stop])
        return None

    def log_message(self, *_):
        pass


class Site:
    def __init__(self):
        self.files, self.requests, self.break_after, self.ranges, self.missing_code = {}, [], [], True, 404

    def serve(self, name, data, digest=None):
        self.files[f"/{name}"] = data
        self.files["/md5sum.txt"] = (
            f"{'0' * 32}  other.gz\n{digest or hashlib.md5(data).hexdigest()}  {name}\n".encode()
        )


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    site = Site()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, site))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(site, folder, name="data.gz", checksums="md5sum.txt"):
    return download.fetch(Source(f"{site.url}/{name}", checksums), folder, advice="set GENOMEKIT_X_FASTA to its path")


def test_success_and_no_network_call_afterwards(site, tmp_path, capsys):
    site.serve("data.gz", DATA)
    assert fetch(site, tmp_path).read_bytes() == DATA
    assert [path for path, _ in site.requests] == ["/md5sum.txt", "/data.gz"]
    assert "Downloading data.gz" in capsys.readouterr().err
    fetch(site, tmp_path)
    assert len(site.requests) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["data.gz"]


def test_a_partial_file_is_continued(site, tmp_path):
    site.serve("data.gz", DATA)
    (tmp_path / "data.gz.part").write_bytes(DATA[:1000])
    assert fetch(site, tmp_path).read_bytes() == DATA
    assert site.requests[-1] == ("/data.gz", "bytes=1000-")
    assert not (tmp_path / "data.gz.part").exists()


def test_a_partial_file_that_is_whole(site, tmp_path):
    site.serve("data.gz", DATA)
    (tmp_path / "data.gz.part").write_bytes(DATA)
    assert fetch(site, tmp_path).read_bytes() == DATA


def test_a_server_without_ranges_starts_again(site, tmp_path):
    site.serve("data.gz", DATA)
    site.ranges = False
    (tmp_path / "data.gz.part").write_bytes(b"x" * 1000)
    assert fetch(site, tmp_path).read_bytes() == DATA


def test_a_partial_file_of_another_version_is_dropped(site, tmp_path):
    site.serve("data.gz", DATA)
    for old in (b"x" * 1000, b"x" * 2 * len(DATA)):
        (tmp_path / "data.gz.part").write_bytes(old)
        assert fetch(site, tmp_path).read_bytes() == DATA
        (tmp_path / "data.gz").unlink()


def test_a_broken_connection_is_continued_at_once(site, tmp_path):
    site.serve("data.gz", DATA)
    site.break_after = [3000, 3000]
    assert fetch(site, tmp_path).read_bytes() == DATA
    assert [part for path, part in site.requests if path == "/data.gz"] == [None, "bytes=3000-", "bytes=6000-"]


def test_what_came_is_kept_when_it_keeps_breaking(site, tmp_path):
    site.serve("data.gz", DATA)
    site.break_after = [100, 100, 100]
    with pytest.raises(ConnectionError, match="what has been downloaded so far is kept"):
        fetch(site, tmp_path)
    assert (tmp_path / "data.gz.part").read_bytes() == DATA[:300]
    assert fetch(site, tmp_path).read_bytes() == DATA


def test_a_wrong_checksum_is_refused_and_nothing_kept(site, tmp_path):
    site.serve("data.gz", DATA, digest="f" * 32)
    with pytest.raises(ValueError, match=r"data\.gz does not have the checksum that md5sum\.txt"):
        fetch(site, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_not_found_says_what_to_do(site, tmp_path):
    site.files["/md5sum.txt"] = b"0" * 32 + b"  data.gz\n"
    with pytest.raises(FileNotFoundError, match=r"404.*set GENOMEKIT_X_FASTA to its path"):
        fetch(site, tmp_path)


def test_a_server_error_is_named(site, tmp_path):
    site.missing_code = 503
    with pytest.raises(ConnectionError, match="answered 503"):
        fetch(site, tmp_path)


def test_offline_says_what_to_do(site, tmp_path, monkeypatch):
    # A port that nobody listens on.
    site.url = "http://127.0.0.1:9"
    for checksums in ("md5sum.txt", None):
        monkeypatch.setattr(download, "_unverified", lambda *_: None)
        with pytest.raises(ConnectionError, match=r"no network.*Or fetch http.*set GENOMEKIT_X_FASTA to its path"):
            fetch(site, tmp_path, checksums=checksums)


@pytest.mark.parametrize(
    ("checksums", "listing", "words"),
    [
        (None, None, "the provider serves no MD5 sums"),
        ("md5sum.txt", None, "md5sum.txt does not exist"),
        ("md5sum.txt", b"0123  other.gz\n", "does not list it"),
    ],
)
def test_a_provider_without_checksum_is_said(site, tmp_path, checksums, listing, words):
    site.files["/data.gz"] = DATA
    if listing:
        site.files["/md5sum.txt"] = listing
    with pytest.warns(GenomekitWarning, match=f"without verification.*{words}"):
        assert fetch(site, tmp_path, checksums=checksums).read_bytes() == DATA


def test_a_full_disk_is_explained(site, tmp_path, monkeypatch):
    site.serve("data.gz", DATA)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download, "_transfer", full)
    with pytest.raises(OSError, match=r"disk is full.*GENOMEKIT_CACHE"):
        fetch(site, tmp_path)


def local(site, name, fasta="toy.fa.gz"):
    return presets.Preset(
        name, "worm", Source(f"{site.url}/{fasta}", "md5sum.txt"), Source(f"{site.url}/toy.gtf.gz", "md5sum.txt")
    )


def test_a_preset_is_downloaded_once_and_its_annotation_when_asked(site, toy_fasta, toy_gtf, helpers, monkeypatch):
    monkeypatch.setitem(presets.PRESETS, "ce10", local(site, "ce10"))
    # The toy has not the lengths of ce10.
    monkeypatch.setattr("genomekit.genome.builds.check", lambda *_: None)
    site.serve("toy.fa.gz", helpers.gzip(toy_fasta.read_bytes()))
    genome = Genome.open("WS220")
    assert (genome.assembly, genome.organism, genome.chroms["chrI"]) == ("ce10", "worm", 60)
    assert "annotation of the preset" in repr(genome)
    assert not any("gtf" in path for path, _ in site.requests)
    site.serve("toy.gtf.gz", helpers.gzip(toy_gtf.read_bytes()))
    assert len(genome.genes()) == 2
    asked = len(site.requests)
    assert len(Genome.open("ce10").genes()) == 2
    assert len(site.requests) == asked


def test_an_archive_of_chromosomes_becomes_one_fasta(site, monkeypatch, cache_folder):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as output:
        for name, text in (("./chrI.fa", b">chrI\nACGT\n"), ("./chrII.fa", b">chrII\nGG"), ("./README", b"no")):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            output.addfile(entry, io.BytesIO(text))
    site.serve("chromFa.tar.gz", archive.getvalue())
    monkeypatch.setitem(presets.PRESETS, "ce10", local(site, "ce10", "chromFa.tar.gz"))
    path = presets.obtain("ce10", "fasta")
    assert path.read_bytes() == b">chrI\nACGT\n>chrII\nGG\n"
    assert [file.name for file in (cache_folder / "presets" / "ce10").iterdir()] == ["ce10.fa"]


def test_environment_variables_come_first(toy_fasta, toy_gtf, monkeypatch, tmp_path):
    monkeypatch.setenv("GENOMEKIT_SACCER3_FASTA", str(toy_fasta))
    monkeypatch.setenv("GENOMEKIT_SACCER3_GTF", str(toy_gtf))
    monkeypatch.setattr("genomekit.genome.builds.check", lambda *_: None)
    assert len(Genome.open("sacCer3").genes()) == 2
    monkeypatch.setenv("GENOMEKIT_SACCER3_FASTA", str(tmp_path / "gone.fa"))
    with pytest.raises(FileNotFoundError, match=r"GENOMEKIT_SACCER3_FASTA=.*is no file"):
        Genome.open("sacCer3")


def test_polya_sites_come_with_the_preset_or_its_variable(site, toy_fasta, monkeypatch, tmp_path):
    monkeypatch.setattr("genomekit.genome.builds.check", lambda *_: None)
    monkeypatch.setenv("GENOMEKIT_SACCER3_FASTA", str(toy_fasta))
    assert not Genome.open("sacCer3").has_polya_sites
    with pytest.raises(ValueError, match=r"no polya\. Set the environment variable GENOMEKIT_SACCER3_POLYA"):
        presets.obtain("sacCer3", "polya")
    (tmp_path / "sites.bed").write_text("chrI\t33\t34\tone\t0\t+\n")
    monkeypatch.setenv("GENOMEKIT_SACCER3_POLYA", str(tmp_path / "sites.bed"))
    assert Genome.open("sacCer3").polya_sites()["position"].tolist() == [33]
    # hg38 has a table of its own, downloaded when it is asked for.
    hg38 = replace(presets.PRESETS["hg38"], polya=Source(f"{site.url}/sites.bed", "md5sum.txt"))
    monkeypatch.setitem(presets.PRESETS, "hg38", hg38)
    monkeypatch.setenv("GENOMEKIT_HG38_FASTA", str(toy_fasta))
    genome = Genome.open("hg38")
    assert genome.has_polya_sites
    assert not site.requests
    site.serve("sites.bed", b"chrI\t43\t44\ttwo\t0\t+\n")
    assert genome.polya_sites()["position"].tolist() == [43]


def test_unknown_names():
    with pytest.raises(ValueError, match=r"Unknown genome 'hg83'\. Did you mean 'hg38'"):
        presets.obtain("hg83", "fasta")
    with pytest.raises(ValueError, match="Unknown file of a preset"):
        presets.obtain("hg38", "vcf")


def test_every_preset_names_a_known_build_and_https():
    assert set(presets.PRESETS) == {"hg38", "mm10", "ce10", "sacCer3"}
    for preset in presets.PRESETS.values():
        assert presets.find(preset.name) is preset
        for source in filter(None, (preset.fasta, preset.gtf, preset.polya)):
            assert source.url.startswith("https://")


def test_an_unwritable_cache_is_explained(site, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "below"))
    with pytest.raises(OSError, match="GENOMEKIT_CACHE"):
        presets.obtain("hg38", "fasta")
