"""The Python end of bench/peer.go: one JSON object a line on stdin, one answer a line on stdout.

A script gives serve() a function that takes the fields of "open" and returns an object with
  version        what computes, in words
  run()          does the work once and returns the result
  write(result, path)  writes it for comparing; default: as JSON
  clock()        what time is measured by; default: this process's CPU time
  finish()       waits for what runs still does elsewhere; default: nothing
and methods for requests of its own, which take the request's fields and return the answer's
"""
import gc
import json
import os
import sys
import time
import traceback


def write_json(result, path):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(result, f)


def reset_peak():
    """Begins to measure the largest memory of this process anew (Linux)."""
    gc.collect()
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")


def peak_bytes():
    """The largest resident memory of this process since reset_peak."""
    with open("/proc/self/status", encoding="utf-8") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    raise OSError("the system does not say how much memory was used")


def serve(open_peer):
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    peer = None
    for line in sys.stdin:
        request = json.loads(line)
        do = request.pop("do")
        try:
            if do == "open":
                peer = open_peer(**request)
                answer = {"version": peer.version}
            elif do == "output":
                getattr(peer, "write", write_json)(peer.run(), request["path"])
                answer = {}
            elif do == "run":
                times, run = request["times"], peer.run
                clock, finish = getattr(peer, "clock", time.process_time), getattr(peer, "finish", lambda: None)
                start = clock()
                for _ in range(times):
                    run()
                finish()
                answer = {"cpu_s": clock() - start}
            elif hasattr(peer, do):
                answer = getattr(peer, do)(**request)
            else:
                answer = {"error": f"unknown request {do}"}
        except Exception as e:  # the driver decides what becomes of the row
            traceback.print_exc()
            answer = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), file=answers, flush=True)
