"""open_flamingo's VQA accuracy from files, as its evaluation calls it. Its module is loaded alone: the package would bring
torch along, which has no part in it.

open: module (its vqa_metric.py), results, questions, annotations (files). Result: the accuracy of every question and "overall".
"""
import importlib.util
import warnings

from protocol import serve

warnings.simplefilter("ignore")


class Answers:
    version = "open_flamingo 2.0.1"

    def __init__(self, module, results, questions, annotations):
        spec = importlib.util.spec_from_file_location("vqa_metric", module)
        self.metric = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.metric)
        self.metric.sys.stdout = open("/dev/null", "w")
        self.files = results, questions, annotations

    def run(self):
        results, questions, annotations = self.files
        # compute_vqa_accuracy, which returns the overall figure only
        vqa = self.metric.VQA(annotations, questions)
        evaluation = self.metric.VQAEval(vqa, vqa.loadRes(results, questions), n=2)
        evaluation.evaluate()
        return {**{str(k): v for k, v in evaluation.evalQA.items()}, "overall": evaluation.accuracy["overall"]}


serve(Answers)
