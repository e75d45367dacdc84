// Act, ActBackward, GatedAct and GatedActBackward: kernels/ops_elementwise.go.
#include "include/activation.cuh"

KERNEL(256) act(int kind, Vec x, Vec out, i64 n) {
  EACH8(i, n) store8(out, i, n, activate8(kind, load8(x, i, n)));
}
EXPORT_KERNEL(act)

KERNEL(256) act_backward(int kind, Vec x, Vec dout, Vec dx, int add, i64 n) {
  EACH8(i, n) {
    Eight d = slope8(kind, load8(x, i, n)), o = load8(dout, i, n);
    EIGHT(j) d.v[j] *= o.v[j];
    store_add8(dx, i, n, d, add);
  }
}
EXPORT_KERNEL(act_backward)

// Rows of `width` elements: gate and up at their own distances, out without gaps. `eights` are enough for a row.
KERNEL(256) gated_act(int kind, Vec gate, Vec up, Vec out, i64 width, i64 eights, i64 rows) {
  EACH(i, rows * eights) {
    i64 r = i / eights, c = i % eights * 8, end = r * width + width;
    Eight v = activate8(kind, load8(gate, r * gate.row + c, r * gate.row + width)), u = load8(up, r * up.row + c, r * up.row + width);
    EIGHT(j) v.v[j] *= u.v[j];
    store8(out, r * width + c, end, v);
  }
}
EXPORT_KERNEL(gated_act)

KERNEL(256) gated_act_backward(int kind, Vec gate, Vec up, Vec dout, Vec dgate, int add_gate, Vec dup, int add_up, i64 width, i64 eights, i64 rows) {
  EACH(i, rows * eights) {
    i64 r = i / eights, c = i % eights * 8;
    Eight g = load8(gate, r * gate.row + c, r * gate.row + width), u = load8(up, r * up.row + c, r * up.row + width);
    Eight d = load8(dout, r * width + c, r * width + width);
    if (dgate.at) {
      Eight v = slope8(kind, g);
      EIGHT(j) v.v[j] *= u.v[j] * d.v[j];
      store_add8(dgate, r * dgate.row + c, r * dgate.row + width, v, add_gate);
    }
    if (dup.at) {
      Eight v = activate8(kind, g);
      EIGHT(j) v.v[j] *= d.v[j];
      store_add8(dup, r * dup.row + c, r * dup.row + width, v, add_up);
    }
  }
}
EXPORT_KERNEL(gated_act_backward)
