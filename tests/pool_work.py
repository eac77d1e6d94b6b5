"""What children of a pool do in its tests; a module of its own, so that a spawned process finds it."""

import os
import signal
import time


def double(task, report):
    report(f"doubling {task}")
    return 2 * task


def misbehave(task, report):
    """Do what the task says."""
    if task == "memory":
        return len(bytearray(2**31))
    if task == "library":
        raise ImportError("libjxl.so.0: failed to map segment from shared object")
    if task == "time":
        time.sleep(60)
    if task == "processor":
        while True:
            pass
    if task == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if task == "exit":
        os._exit(3)
    if task == "fault":
        raise ValueError("a bug")
    if task == "no message":
        return lambda: task
    return task


def tell(task, report):
    report(os.getpid())
    time.sleep(task)


def crash(task, report):
    os.kill(os.getpid(), signal.SIGKILL)
