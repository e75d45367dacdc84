package weights

// The plain values that a PyTorch pickle is read into. Besides these: nil, bool, int64, *big.Int, float64, string, []byte.

// Dict is a Python dict (also an OrderedDict, or the attributes of a TorchScript module) in its own order.
type Dict struct {
	Keys   []any // string, int64, float64, bool, nil or Tuple
	Values []any

	index map[any]int
}

// List is a Python list or set.
type List struct{ Items []any }

// Tuple is a Python tuple.
type Tuple []any

// Get gives the value of a key of type string, int64, float64 or bool, or nil.
func (d *Dict) Get(key any) any {
	if !simpleKey(key) {
		return nil
	}
	if i, ok := d.index[key]; ok {
		return d.Values[i]
	}
	return nil
}

func (d *Dict) set(key, value any) {
	if simpleKey(key) {
		if i, ok := d.index[key]; ok {
			d.Values[i] = value
			return
		}
		if d.index == nil {
			d.index = map[any]int{}
		}
		d.index[key] = len(d.Keys)
	}
	d.Keys = append(d.Keys, key)
	d.Values = append(d.Values, value)
}

func simpleKey(key any) bool {
	switch key.(type) {
	case string, int64, float64, bool:
		return true
	}
	return false
}

// Ref is a tensor inside a PyTorch file: a view of one of its storages.
type Ref struct {
	DType DType
	Shape []int

	load func() ([]byte, error)
}

// Tensor reads it. The name is left empty.
func (r *Ref) Tensor() (Tensor, error) {
	data, err := r.load()
	return Tensor{DType: r.DType, Shape: r.Shape, Data: data}, err
}
