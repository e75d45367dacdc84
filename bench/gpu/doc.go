// Package gpu measures and checks this program on a machine with an NVIDIA GPU that has nothing else: no Go, no network, no
// toolkit. `make gpu-kit` packs the program with goldens and scripts; gpu-check.sh in it runs the phases here, which append
// one JSON line a check to a record as they go, so that a machine that is taken away leaves what was known by then.
//
//	ops        every op against ref
//	sanitizer  the same under compute-sanitizer, where it is present
//	models     mmc4 golden on the device, fp32 and bf16
//	speed      ops beside the copy bandwidth and the product rate of this machine; models beside torch
//	build      the demo's web with CLIP on the device: the same matches as on cpu
//	train      a Flamingo from the build's shards over S3 in this process, the curve beside cpu's; captions
//
// Records are kept here as gpu-NAME-DATE.json; Render makes RESULTS.md of them.
package gpu
