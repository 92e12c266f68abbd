"""`python leash.py PARENT PROGRAM ARG…`: become PROGRAM, to be killed by the kernel when PARENT's thread ends.

An interpreter of its own that execs, because `preexec_fn` is unsafe in a process with threads.
Where the kernel offers no such thing (macOS), the caller's own cleanup is all there is.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(parent: int, program: str, arguments: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the leash was on
            return
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
