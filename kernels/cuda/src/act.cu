// Act, ActBackward, GatedAct and GatedActBackward: kernels/ops_elementwise.go.
#include "include/activation.cuh"
#include "include/tensor.cuh"

KERNEL(256) act(int kind, Vec x, Vec out, i64 n) {
  EACH(i, n) store(out, i, activate(kind, load(x, i)));
}
EXPORT_KERNEL(act)

KERNEL(256) act_backward(int kind, Vec x, Vec dout, Vec dx, int add, i64 n) {
  EACH(i, n) store_add(dx, i, slope(kind, load(x, i)) * load(dout, i), add);
}
EXPORT_KERNEL(act_backward)

// Rows of `width` elements: gate and up at their own distances, out without gaps.
KERNEL(256) gated_act(int kind, Vec gate, Vec up, Vec out, i64 width, i64 n) {
  EACH(i, n) {
    i64 r = i / width, c = i % width;
    store(out, i, activate(kind, load(gate, r * gate.row + c)) * load(up, r * up.row + c));
  }
}
EXPORT_KERNEL(gated_act)

KERNEL(256) gated_act_backward(int kind, Vec gate, Vec up, Vec dout, Vec dgate, int add_gate, Vec dup, int add_up, i64 width, i64 n) {
  EACH(i, n) {
    i64 r = i / width, c = i % width;
    float g = load(gate, r * gate.row + c), u = load(up, r * up.row + c), d = load(dout, i);
    if (dgate.at) store_add(dgate, r * dgate.row + c, slope(kind, g) * u * d, add_gate);
    if (dup.at) store_add(dup, r * dup.row + c, activate(kind, g) * d, add_up);
  }
}
EXPORT_KERNEL(gated_act_backward)
