// Copies that run on while threads compute, and the tensor cores: bf16 [16,16] x [16,8] in fp32.
#pragma once
#include "port.cuh"

#ifdef __CUDACC__

DEV u32 shared_address(const void *p) { return (u32)__cvta_generic_to_shared(p); }

// copy_async brings 16 bytes to shared memory: the first `bytes` of them from memory, and zeros. Both addresses are
// multiples of 16.
DEV void copy_async(void *to, const void *from, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(bytes) : "memory");
}
DEV void copy_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// copy_wait waits for all of this thread's groups but the last N.
template <int N> DEV void copy_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"); }

// load_matrices loads four 8x8 matrices of bf16: lane 8i+j gives the address of row j of matrix i.
DEV void load_matrices(u32 *r, const void *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

// load_transposed is load_matrices with each matrix transposed.
DEV void load_transposed(u32 *r, const void *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

// multiply_add is d += a b; the fragments lie as PTX's mma.m16n8k16 has them.
DEV void multiply_add(float *d, const u32 *a, const u32 *b) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#else

DEV void copy_async(void *to, const void *from, int bytes) { emu_copy_async(to, from, (size_t)bytes); }
DEV void copy_commit() { emu_copy_commit(); }
template <int N> DEV void copy_wait() { emu_copy_wait(N); }

DEV void load_matrices(u32 *r, const void *row) {
  emu_meet(EMU_LOAD_MATRICES, (u64)row);
  int lane = threadIdx.x & 31;
  for (int i = 0; i < 4; i++) memcpy(&r[i], (const char *)emu_peer(8 * i + lane / 4) + 4 * (lane % 4), 4);
}

DEV void load_transposed(u32 *r, const void *row) {
  emu_meet(EMU_LOAD_MATRICES, (u64)row);
  int lane = threadIdx.x & 31;
  u16 two[2];
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 2; j++) two[j] = ((const u16 *)emu_peer(8 * i + lane % 4 * 2 + j))[lane / 4];
    memcpy(&r[i], two, 4);
  }
}

// Written from the fragment tables of the PTX manual: group = lane / 4, pair = lane % 4.
DEV void multiply_add(float *d, const u32 *a, const u32 *b) {
  struct Fragments {
    u32 a[4], b[2];
  } own = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  emu_meet(EMU_MULTIPLY_ADD, (u64)&own);
  int lane = threadIdx.x & 31;
  float sum[4];
  for (int e = 0; e < 4; e++) {
    int row = lane / 4 + 8 * (e / 2), col = 2 * (lane % 4) + e % 2;
    sum[e] = d[e];
    for (int k = 0; k < 16; k++) {
      u32 x = ((const Fragments *)emu_peer(4 * (row % 8) + k % 8 / 2))->a[row / 8 + 2 * (k / 8)];
      u32 y = ((const Fragments *)emu_peer(4 * col + k % 8 / 2))->b[k / 8];
      sum[e] += bits_float(k % 2 ? x & 0xffff0000u : x << 16) * bits_float(k % 2 ? y & 0xffff0000u : y << 16);
    }
  }
  emu_meet(EMU_MULTIPLY_ADD, 0); // until here others read this lane's fragments
  for (int e = 0; e < 4; e++) d[e] = sum[e];
}

#endif
