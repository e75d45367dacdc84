//go:build cuda && cgo

package driver

import (
	"errors"
	"os"
	"testing"
)

// TestLibraryKnowsAttributes asks the library that MMC4_CUBLASLT names for algorithms, without a context: NVIDIA's own loads on
// any machine, takes what a product is described by, and then says that it is not initialised. A wrong number or size of
// an attribute would show as another status.
func TestLibraryKnowsAttributes(t *testing.T) {
	if os.Getenv(LtVariable) == "" || os.Getenv(LtVariable) == LtNone {
		t.Skip(LtVariable + " names no library")
	}
	if found, err := loadLt(); !found {
		t.Fatal(err)
	}
	const notInitialised = 1
	for _, epilogue := range []int32{LtPlain, LtBias, LtGELU, LtGELU | LtBias, LtGELUKeep, LtGELUKeep | LtBias} {
		s := LtShape{M: 64, N: 32, K: 128, LdA: 128, LdB: 128, LdC: 64, LdD: 64, LdAux: 64, TypeAB: LtBFloat16, TypeD: LtBFloat16, TransA: 1, Epilogue: epilogue,
			AlignA: 256, AlignB: 16, AlignC: 2, AlignD: 256}
		o := LtOperands{WorkspaceBytes: 32 << 20}
		if epilogue&LtBias != 0 {
			o.Bias = 1 << 12
		}
		if epilogue&LtKeep != 0 {
			o.Aux = 1 << 13
		}
		p, err := (&Lt{}).Plan(s, o)
		var status *LtError
		switch {
		case p != nil:
			p.Free()
		case !errors.As(err, &status) || status.Status != notInitialised:
			t.Errorf("epilogue %d: %v", epilogue, err)
		}
	}
	t.Logf("cuBLASLt %d", (&Lt{}).Version())
}
