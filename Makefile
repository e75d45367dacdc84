# mmc4. `make` prints the targets. Nothing here needs more than Go and gcc, but for what a target says.

GO          ?= go
CACHE       := $(abspath .cache)
# A tree of goldens and a generator of a small Common Crawl, beside the checkout. Tests that need it skip with a line.
MMC4_SHARED ?= $(abspath ../shared)
MINICRAWL   := $(CACHE)/minicrawl
PEERS       := $(CACHE)/peers
# Headers, compiler and assembler of CUDA, from hash-pinned packages; no toolkit and no driver is needed.
CUDA        := $(CACHE)/cuda
CUDA_CFLAGS := -O2 -I$(CUDA)/include -Wno-deprecated-declarations
ifneq ($(wildcard $(MMC4_SHARED)/golden),)
export MMC4_SHARED
else
unexport MMC4_SHARED
endif

.PHONY: usage
usage:
	@echo "make demo        build, draw a little web, run 'mmc4 build' on it, print how well pictures found their sentences"
	@echo "make demo-eval   teach a tiny Flamingo on drawings (once, minutes) and evaluate it after 0, 2 and 4 examples"
	@echo "make demo-clip   the CLIP inside the program anew, from drawings, with 'mmc4 train' (a quarter of an hour of one core)"
	@echo "make test        vet and test everything that needs Go and gcc"
	@echo "make test-crawl  test on a small real Common Crawl (needs ../shared, Python 3.11, Java 17, Maven; 300 MB of packages)"
	@echo "make build       bin/mmc4"
	@echo "make build-cuda  bin/mmc4-cuda, which also uses NVIDIA GPUs (needs Python 3; 130 MB of packages)"
	@echo "make kernels     the CUDA kernels' machine code, PTX and budget anew (needs the same)"
	@echo "make cuda-check  check the CUDA device without a GPU (needs the same, and g++)"
	@echo "make gpu-kit     .cache/gpu-kit/gpu-kit.tar.gz: what a machine with a GPU needs to check and measure (needs the same)"
	@echo "make gpu-results bench/gpu/RESULTS.md from the records beside it"
	@echo "make bench       measure against the peers (make peers first)"
	@echo "make peers       install the peers' pinned versions under .cache/peers"
	@echo "make lint        gofmt, vet, staticcheck"

.PHONY: build
build:
	$(GO) build -o bin/mmc4 ./cmd/mmc4

.PHONY: build-cuda
build-cuda:
	tools/cuda/wheels.sh $(CUDA)
	CGO_CFLAGS="$(CUDA_CFLAGS)" $(GO) build -tags cuda -o bin/mmc4-cuda ./cmd/mmc4

.PHONY: kernels
kernels:
	tools/cuda/wheels.sh $(CUDA)
	CGO_CFLAGS="$(CUDA_CFLAGS)" tools/cuda/symbols.sh >$(CUDA)/symbols.h
	cp $(CUDA)/symbols.h kernels/cuda/driver/symbols.h
	python3 tools/cuda/nvrtc.py $(CUDA) kernels/cuda/image
	tools/cuda/budget.sh $(CUDA) >$(CUDA)/budget.txt
	cp $(CUDA)/budget.txt tools/cuda/budget.txt
	tools/cuda/planted.sh docs/cuda.md >$(CUDA)/cuda.md
	cp $(CUDA)/cuda.md docs/cuda.md

.PHONY: cuda-check
cuda-check:
	tools/cuda/wheels.sh $(CUDA)
	CGO_CFLAGS="$(CUDA_CFLAGS)" tools/cuda/check.sh $(CUDA) $(CACHE)/cuda-stub

.PHONY: gpu-kit
gpu-kit:
	tools/cuda/wheels.sh $(CUDA)
	CGO_CFLAGS="$(CUDA_CFLAGS)" tools/gpukit/kit.sh $(CACHE)/gpu-kit testdata/golden $(MMC4_SHARED)/golden/models

.PHONY: gpu-results
gpu-results:
	$(GO) run ./tools/gpukit/render bench/gpu

.PHONY: demo
demo: build
	bin/mmc4 demo

.PHONY: demo-eval
demo-eval: build
	bin/mmc4 demo eval

.PHONY: demo-clip
demo-clip:
	$(GO) run ./tools/democlip make $(CACHE)/demo-clip internal/demo/clip

.PHONY: test
test:
	@[ -n "$$MMC4_SHARED" ] || echo "no shared tree at $(MMC4_SHARED): tests that need it will skip"
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }
	$(GO) vet ./...
	CGO_ENABLED=0 $(GO) build ./...
	$(GO) test ./...

.PHONY: test-crawl
test-crawl:
	@if [ ! -x $(MMC4_SHARED)/minicrawl/make.sh ] && [ ! -f $(MMC4_SHARED)/minicrawl/make.sh ]; then \
	  echo "skip: no $(MMC4_SHARED)/minicrawl, the mini crawl cannot be made"; \
	else \
	  MINICRAWL_CACHE=$(CACHE)/minicrawl-packages sh $(MMC4_SHARED)/minicrawl/make.sh $(MINICRAWL) && \
	  MMC4_MINICRAWL=$(MINICRAWL) $(GO) test -count=1 -timeout 40m -run 'MiniCrawl' ./crawl/... ./dedup/... ./pipeline/... ; \
	fi

.PHONY: peers
peers:
	bench/peers/install.sh $(PEERS)

.PHONY: bench
bench: build
	bin/mmc4 bench --peers $(PEERS)

.PHONY: lint
lint:
	gofmt -l $$(git ls-files '*.go')
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
