"""Becomes another program that must not outlive its parent; run as a script, never imported.

    python -I -S tether.py PARENT_PID SIGNAL USER_ID GROUP_ID PROGRAM ARGUMENT...

A console killed without warning cannot stop what it started, so the kernel does: it sends SIGNAL to the
program when the thread that started it is gone. Doing this in a fresh process, which then becomes the
program, needs no code between fork and exec in a parent that may have threads. USER_ID 0 keeps the user.
"""

import ctypes
import os
import sys

# Source: linux/prctl.h.
PR_SET_PDEATHSIG = 1


def _change_user(user_id: int, group_id: int) -> None:
    if user_id:
        os.setgroups([])
        os.setgid(group_id)
        os.setuid(user_id)


def _tie(parent_pid: int, death_signal: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    # The parent may have died before the kernel knew what to do about it.
    if os.getppid() != parent_pid:
        sys.exit("the parent is gone")


def _main() -> None:
    parent_pid, death_signal, user_id, group_id = (int(argument) for argument in sys.argv[1:5])
    # In this order: the kernel forgets the death signal when the user changes.
    _change_user(user_id, group_id)
    _tie(parent_pid, death_signal)
    try:
        os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606 - becoming the program is the purpose; no shell is near
    except OSError as error:
        sys.exit(f"{sys.argv[5]}: {error.strerror}")


if __name__ == "__main__":
    _main()
