// Captured work. While a stream is captured its work goes to a graph and nothing runs; a graph that is launched puts a copy
// of its work into a stream. What the driver refuses while work is captured is refused here: synchronising, allocating,
// waiting for work outside. One stream is captured on its own: others cannot join.
#include "driver.h"

void queue_work(CUstream s, Work work) {
  if (s->capture) s->capture->nodes.push_back(std::move(work));
  else s->work.push_back(std::move(work));
}

CUresult spoil_captures() {
  CUresult r = CUDA_SUCCESS;
  for (CUstream s : streams)
    if (s->capture && s->mode != CU_STREAM_CAPTURE_MODE_RELAXED) s->spoiled = true, r = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  return r;
}

extern "C" {

CUresult cuStreamBeginCapture(CUstream s, CUstreamCaptureMode mode) {
  IN_CONTEXT;
  if (!s || s->capture) return CUDA_ERROR_ILLEGAL_STATE;
  s->capture = new CUgraph_st{};
  s->mode = mode;
  s->spoiled = false;
  return CUDA_SUCCESS;
}
CUresult cuStreamEndCapture(CUstream s, CUgraph *g) {
  IN_CONTEXT;
  if (!s || !s->capture) return CUDA_ERROR_ILLEGAL_STATE;
  *g = s->capture;
  s->capture = nullptr;
  if (!s->spoiled) return CUDA_SUCCESS;
  delete *g;
  *g = nullptr;
  return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
}
CUresult cuStreamIsCapturing(CUstream s, CUstreamCaptureStatus *status) {
  IN_CONTEXT;
  *status = !s->capture ? CU_STREAM_CAPTURE_STATUS_NONE : s->spoiled ? CU_STREAM_CAPTURE_STATUS_INVALIDATED : CU_STREAM_CAPTURE_STATUS_ACTIVE;
  return CUDA_SUCCESS;
}
CUresult cuGraphDestroy(CUgraph g) { return delete g, CUDA_SUCCESS; }
CUresult cuGraphInstantiateWithFlags(CUgraphExec *e, CUgraph g, unsigned long long) {
  IN_CONTEXT;
  NOT_CAPTURED;
  *e = new CUgraphExec_st{g->nodes};
  note("instantiate graph " + std::to_string(g->nodes.size()));
  return CUDA_SUCCESS;
}
// A graph of as many nodes replaces what was there; the driver compares more.
CUresult cuGraphExecUpdate(CUgraphExec e, CUgraph g, CUgraphExecUpdateResultInfo *info) {
  IN_CONTEXT;
  *info = {};
  if (e->nodes.size() != g->nodes.size()) {
    info->result = CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED;
    return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
  }
  e->nodes = g->nodes;
  note("update graph");
  return CUDA_SUCCESS;
}
CUresult cuGraphLaunch(CUgraphExec e, CUstream s) {
  IN_CONTEXT;
  if (!e || !s || s->capture) return CUDA_ERROR_INVALID_VALUE;
  for (const Work &w : e->nodes) s->work.push_back(w);
  note("launch graph " + std::to_string(e->nodes.size()));
  return CUDA_SUCCESS;
}
CUresult cuGraphExecDestroy(CUgraphExec e) { return delete e, CUDA_SUCCESS; }

// For the stub of cuBLASLt (lt.cpp): work that it queues, and whether memory is an allocation's.
int stub_queue(CUstream s, void (*run)(void *), void (*release)(void *), void *data) {
  LOCKED;
  if (!current || !s) return 0;
  std::shared_ptr<void> owned(data, release);
  queue_work(s, [=] { run(owned.get()); });
  note("launch cublasLt");
  return 1;
}
int stub_within(const void *p, size_t n) {
  LOCKED;
  return within((CUdeviceptr)p, n);
}
}
