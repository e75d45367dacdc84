// Package lesson teaches a tiny Flamingo to say what a drawing shows, from nothing but drawings with sentences, and examines
// it: the whole way of training in minutes on two cores, and the proof that the model looks.
//
// Run learns a vocabulary and a small language model from the sentences (kind lm), freezes it and a given CLIP, and teaches a
// Flamingo on drawings and on documents (kind flamingo). Then it lets the model caption drawings that it never saw, with
// examples in the prompt, against their own pictures and against exchanged ones.
package lesson
