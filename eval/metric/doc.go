// Package metric holds the measures that need no files of their own kind: ROC-AUC, top-1, CLIPScore, and intervals by
// bootstrap for any of them. Captions and answers have packages below this one.
package metric
