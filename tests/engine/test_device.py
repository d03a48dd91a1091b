import pytest
import torch

from genomekit.engine import choose_device, choose_precision, devices
from genomekit.engine.device import free_memory


def test_auto_takes_the_first_device_listed():
    assert str(choose_device("auto")) == devices()[0]
    assert devices()[-1] == "cpu"


def test_an_absent_device_is_named_with_those_there_are():
    with pytest.raises(ValueError, match=r"Device 'cuda:77' is not available here.*auto.*cpu"):
        choose_device("cuda:77")


def test_precision_on_the_cpu_is_float32_unless_asked():
    assert choose_precision("auto", torch.device("cpu")) == torch.float32
    assert choose_precision("bfloat16") == torch.bfloat16
    assert choose_precision(torch.float64) == torch.float64


@pytest.mark.parametrize(
    ("capability", "dtype"), [((7, 5), torch.float32), ((8, 0), torch.bfloat16), ((9, 0), torch.bfloat16)]
)
def test_precision_follows_the_compute_capability(monkeypatch, capability, dtype):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert choose_precision("auto", torch.device("cuda:0")) == dtype


def test_an_unknown_precision_is_refused_with_near_matches():
    with pytest.raises(ValueError, match="Did you mean 'float32'"):
        choose_precision("float3")


def test_mps_has_no_float64():
    with pytest.raises(ValueError, match="does not exist on device 'mps'"):
        choose_precision("float64", torch.device("mps"))


def test_free_memory_is_a_number_of_bytes_or_not_known():
    free = free_memory(torch.device("cpu"))
    assert free is None or free > 2**20


def test_what_pytorch_holds_unused_is_free(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 700)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 200)
    assert free_memory(torch.device("cuda")) == 100 + 700 - 200
