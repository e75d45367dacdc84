// Package optest is the table of all ops, and what is done with it. One Row an op (with its backward op) makes random
// instances: odd sizes, tails, strides, odd offsets, all types, NaN and extremes. Three uses, for every device alike:
//
//   - Compare runs each instance on a device and on ref; outputs must agree, nothing else may be written, and running
//     twice must give the same bits.
//   - FiniteDifferences compares a device's backward ops with differences of ref's forward ops.
//   - Speed times the instances that models are made of.
//
// # Adding an op
//
// Its struct and Check go into a kernels/ops_ file, its function and a line into kernels/ref, a Row into a rows_ file
// here. Then every device's test asks for it. TestTableIsComplete finds what was forgotten.
//
// # Types, and what may be skipped
//
// An instance is made in one of three modes. FP32: every floating tensor is fp32. BF16: activations and their gradients are
// bf16 (logits may be fp32), weights fp32, bf16 or int8, statistics and gradients of weights fp32; MatMul, Copy and SumRows
// meet any mix. Mixed: anything the op's Check lets through. A device must support the first two in full (the rule is Op's);
// only in Mixed may Supports say no, which is counted. So a device that skips everything fails.
package optest
