// Package match pairs the images of a document with its sentences.
//
//	Sentences    text -> sentences, as NLTK 3.8.1's Punkt tokenizer gives them with the English parameters
//	Similarity   image features, sentence features -> matrix of cosines, images x sentences
//	Best         a row of that matrix -> the sentence it is nearest to; the similarity rule asks for its value
//	Assign       matrix -> one sentence for every image: the best one-to-one assignment, leftovers to their arg-max
//	Solver       the exact rectangular assignment solver behind Assign, reusable and free of allocations
//
// The procedure is MMC4's (arXiv 2304.06939, section 3; allenai/mmc4 scripts/compute_assignments.py) with one
// deliberate difference: the assignment is solved in float64, where MMC4's lapjv call silently solves in float32
// and misses the optimum by up to 1e-4.
package match
