//go:build cuda && cgo

package driver

/*
#include <cuda.h>

static CUresult launch_graph(CUcontext ctx, CUgraphExec graph, CUstream stream) {
  CUresult r = cuCtxSetCurrent(ctx);
  return r == CUDA_SUCCESS ? cuGraphLaunch(graph, stream) : r;
}
*/
import "C"

import "gorgonia.org/cu"

// Graph is work that is launched as a whole.
type Graph struct{ exec C.CUgraphExec }

// Capture makes a graph of what f queues on a stream, instead of doing it. The stream's context is current, and stays so on
// this thread; f must queue on no other stream and wait for nothing.
func Capture(s cu.Stream, f func() error) (*Graph, error) {
	if err := check("cuStreamBeginCapture", C.cuStreamBeginCapture(streamOf(s), C.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)); err != nil {
		return nil, err
	}
	failure := f()
	var graph C.CUgraph
	err := check("cuStreamEndCapture", C.cuStreamEndCapture(streamOf(s), &graph))
	if err == nil {
		defer C.cuGraphDestroy(graph)
	}
	if failure != nil {
		err = failure
	}
	if err != nil {
		return nil, err
	}
	g := &Graph{}
	if err := check("cuGraphInstantiate", C.cuGraphInstantiateWithFlags(&g.exec, graph, 0)); err != nil {
		return nil, err
	}
	return g, nil
}

// Launch queues the graph, from any thread.
func (g *Graph) Launch(ctx cu.CUContext, s cu.Stream) error {
	return check("cuGraphLaunch", C.launch_graph(contextOf(ctx), g.exec, streamOf(s)))
}

// Free gives a graph back; a launch of it that still runs ends first.
func (g *Graph) Free() { C.cuGraphExecDestroy(g.exec) }
