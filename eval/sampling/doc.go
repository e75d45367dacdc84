// Package sampling chooses test examples and demonstrations. It holds the random numbers of the programs whose choices
// must be repeatable here (numpy, Python, PyTorch: all three the Mersenne Twister MT19937, each with its own way to
// draw), and ours, which depend on nothing but the seed and the example.
package sampling
