"""low_priority.py COMMAND…: becomes COMMAND in a process group of its own, at the lowest priority, and dies with its parent."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
NICE = 19

os.setsid()
os.nice(NICE)
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
os.execvp(sys.argv[1], sys.argv[1:])
