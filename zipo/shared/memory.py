"""Peak memory of a process. Imports nothing of ZiPo, which the environments of methods lack."""

import resource
import sys
from pathlib import Path


def peak_mb(who: int = resource.RUSAGE_SELF) -> float:
    """The most memory that this process or one of its children has held, in MB."""
    status = Path("/proc/self/status")
    if who == resource.RUSAGE_SELF and status.exists():
        # getrusage would count what the process that started this one held
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    return resource.getrusage(who).ru_maxrss * unit / 1e6
