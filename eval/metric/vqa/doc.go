// Package vqa scores short answers as the VQA evaluation does: an answer is right by as many thirds as people of the
// other nine gave it, averaged over the ten ways to leave one person out. Reads answers, writes numbers.
//
// Normalisation, accuracy and post-processing are those of open_flamingo 2.0.1 (open_flamingo/eval/vqa_metric.py), mistakes
// included, since published numbers have them: see Punctuation. One of them is kept apart: see CompatAccuracy.
package vqa
