"""Linear assignment solvers of Python on one thread, for `mmc4 bench assign`.

usage: lap_peer.py scipy|lapjv MATRICES ROUNDS [REPEAT]
MATRICES holds one JSON matrix of similarities a line, [image][sentence]. Every round solves all of them REPEAT times.
Prints one JSON object: version, matrices, seconds per pass over the matrices and round, and the total similarity of each
assignment, so that the caller can see that the outputs agree. lapjv is called as MMC4 calls it: padded to a square with
1000, in float32.
"""
import json
import sys
import time

import numpy as np

solver, path, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
repeat = int(sys.argv[4]) if len(sys.argv) > 4 else 1
with open(path, encoding="utf-8") as f:
    similarities = [np.array(json.loads(line), dtype=np.float32) for line in f if line.strip()]

if solver == "scipy":
    import scipy
    from scipy.optimize import linear_sum_assignment

    version = scipy.__version__
    costs = [-s.astype(np.float64) for s in similarities]
    solve = linear_sum_assignment

    def total(similarity, answer):
        return float(similarity.astype(np.float64)[answer].sum())
else:
    from importlib.metadata import version as version_of

    import lapjv

    version = version_of("lapjv")
    costs = []
    for s in similarities:
        padded = np.full((max(s.shape),) * 2, 1000, dtype=np.float32)
        padded[: s.shape[0], : s.shape[1]] = -s
        costs.append(padded)
    solve = lapjv.lapjv

    def total(similarity, answer):
        n, m = similarity.shape
        return float(sum(float(similarity[i, j]) for i, j in enumerate(answer[0][:n]) if j < m))


totals = [total(s, solve(c)) for s, c in zip(similarities, costs)]
seconds = []
for _ in range(rounds):
    start = time.perf_counter()
    for _ in range(repeat):
        for c in costs:
            solve(c)
    seconds.append((time.perf_counter() - start) / repeat)
print(json.dumps({"peer": solver, "version": version, "matrices": len(costs), "seconds": seconds, "totals": totals}))
