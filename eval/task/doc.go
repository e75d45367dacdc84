// Package task is what a model is measured on: where examples are, how they are put to it, what becomes of its answers, and
// by which metric it is scored. A task is a YAML file (configs/tasks has the eight of the benchmark); this package reads it,
// reads the data set it names, and writes prompts.
package task
