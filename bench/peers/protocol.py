"""The Python end of bench/peer.go: one JSON object a line on stdin, one answer a line on stdout.

A script gives serve() a function that takes the fields of "open" and returns an object with
  version        what computes, in words
  run()          does the work once and returns the result
  write(result, path)  writes it for comparing; default: as JSON
"""
import json
import os
import sys
import time
import traceback


def write_json(result, path):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(result, f)


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
                start = time.process_time()
                for _ in range(times):
                    run()
                answer = {"cpu_s": time.process_time() - start}
            else:
                answer = {"error": f"unknown request {do}"}
        except Exception as e:  # the driver decides what becomes of the row
            traceback.print_exc()
            answer = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), file=answers, flush=True)
