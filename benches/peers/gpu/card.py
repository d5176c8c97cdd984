"""What a device is, and the rates that it reaches at what it does best."""

import platform
import subprocess

import torch

from ours import timed

GIB = 1 << 30


def wait(device):
    """Until a card has computed all it was asked; a processor has already."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def describe(device, precision, threads):
    """Name, driver, versions and precision, for the head of a table."""
    told = {"device": platform.processor() or platform.machine(), "threads": threads,
            "torch": torch.__version__, "precision": precision}
    if device.type == "cuda":
        told |= {"device": torch.cuda.get_device_name(device), "driver": driver(), "cuda": torch.version.cuda}
    return told


def driver():
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def best(work, device, passes):
    """The shortest of some passes in seconds, after as many that are not timed."""
    def whole():
        work()
        wait(device)

    times = [timed(whole) for _ in range(2 * passes)]
    return min(times[passes:])


def matrix_rate(device, dtype):
    """Operations a second of a product of two square matrices."""
    side, passes = (8192, 30) if device.type == "cuda" else (1536, 4)
    with torch.inference_mode():
        left, right = torch.randn(2, side, side, device=device).to(dtype).unbind()
        result = torch.empty_like(left)
        return 2 * side**3 / best(lambda: torch.mm(left, right, out=result), device, passes)


def copy_rate(device):
    """Bytes a second of a copy within the device's memory, those read and those written."""
    size, passes = (2 * GIB, 20) if device.type == "cuda" else (GIB // 8, 5)
    with torch.inference_mode():
        source = torch.ones(size, dtype=torch.uint8, device=device)
        target = torch.zeros_like(source)
        return 2 * size / best(lambda: target.copy_(source), device, passes)
