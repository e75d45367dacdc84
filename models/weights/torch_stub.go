package weights

import "errors"

func openTorchZip(*source) (*File, error) { return nil, errors.New("PyTorch files cannot be read yet") }
func openTorchLegacy(*source) (*File, error) {
	return nil, errors.New("PyTorch files cannot be read yet")
}
