// Package ref is the reference device: plain Go, float64 inside, no threads to think about. It is the oracle that
// other devices are tested against, so every op is written the way its comment in package kernels defines it and no
// faster than that allows: load inputs as float64, compute, store with one rounding.
//
// Independent rows are spread over the processors; what is computed for a row does not depend on it.
package ref
