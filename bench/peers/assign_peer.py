"""Linear assignment by scipy or lapjv. open: solver, matrices (a file: a JSON matrix of similarities [image][sentence] a line).

Result: the sentence of every image of every matrix. lapjv is called as MMC4 calls it: padded to a square with 1000, which
it solves in float32. The costs are made beforehand: only the solver is measured.
"""
import json
from importlib.metadata import version

import numpy as np
from protocol import serve


class Assign:
    def __init__(self, solver, matrices):
        with open(matrices, encoding="utf-8") as f:
            similarities = [np.array(json.loads(line), dtype=np.float32) for line in f]
        self.version = f"{solver} {version(solver)}"
        if solver == "scipy":
            from scipy.optimize import linear_sum_assignment

            self.costs = [-s.astype(np.float64) for s in similarities]
            self.solve = lambda cost: linear_sum_assignment(cost)[1]
        else:
            import lapjv

            self.costs = []
            for s in similarities:
                padded = np.full((max(s.shape),) * 2, 1000, dtype=np.float32)
                padded[: s.shape[0], : s.shape[1]] = -s
                self.costs.append(padded)
            self.solve = lambda cost: lapjv.lapjv(cost)[0]

    def run(self):
        return [self.solve(cost) for cost in self.costs]

    def write(self, result, path):
        with open(path, "w", encoding="utf-8") as f:
            json.dump([row.tolist() for row in result], f)


serve(Assign)
