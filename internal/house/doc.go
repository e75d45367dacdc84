// Package house holds no code: its tests keep the rules that ARCHITECTURE.md states about the tree itself. Which
// layer may import which, how long a file may be, and that every package says what it is.
package house
