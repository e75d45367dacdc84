package weights

// The names that a pickle may use, and what each builds. Everything else is refused by name: nothing is imported or run.

import (
	"errors"
	"fmt"
	"strings"
)

// global is a name that a pickle pushed, "module name".
type global string

// storageTypes are torch's typed storages.
var storageTypes = map[global]DType{
	"torch DoubleStorage": F64, "torch FloatStorage": F32, "torch HalfStorage": F16, "torch BFloat16Storage": BF16,
	"torch LongStorage": I64, "torch IntStorage": I32, "torch ShortStorage": I16, "torch CharStorage": I8,
	"torch ByteStorage": U8, "torch BoolStorage": Boolean, "torch UntypedStorage": U8, "torch.storage UntypedStorage": U8,
}

// dtypes are torch's element types as values.
var dtypes = map[global]DType{}

func init() {
	for _, d := range []DType{F64, F32, F16, BF16, F8E4M3, F8E5M2, I64, I32, I16, I8, U64, U32, U16, U8, Boolean} {
		dtypes[global(strings.Replace(d.Torch(), ".", " ", 1))] = d
	}
}

// builders make a value of the arguments.
var builders map[global]func(args Tuple) (any, error)

func init() {
	builders = map[global]func(Tuple) (any, error){
		"collections OrderedDict":                    buildDict,
		"torch._utils _rebuild_tensor":               buildTensor,
		"torch._utils _rebuild_tensor_v2":            buildTensor,
		"torch._utils _rebuild_tensor_v3":            buildTensor,
		"torch._utils _rebuild_parameter":            buildParameter,
		"torch._utils _rebuild_parameter_with_state": buildParameter,
		"torch Size":                         buildSequence,
		"builtins set":                       buildSequence,
		"__builtin__ set":                    buildSequence,
		"builtins frozenset":                 buildSequence,
		"__builtin__ frozenset":              buildSequence,
		"torch.jit._pickle build_intlist":    buildSequence,
		"torch.jit._pickle build_doublelist": buildSequence,
		"torch.jit._pickle build_boollist":   buildSequence,
		"torch.jit._pickle build_tensorlist": buildSequence,
		"torch device":                       buildDevice,
		"_codecs encode":                     buildBytes,
	}
}

// scriptClass says whether the name is a module class of a TorchScript archive: a bag of attributes.
func scriptClass(g global) bool {
	return strings.HasPrefix(string(g), "__torch__.") || strings.HasPrefix(string(g), "__torch__ ")
}

func (u *unpickler) object(op byte) error {
	switch op {
	case 'c': // GLOBAL
		module, err := u.line()
		if err != nil {
			return err
		}
		name, err := u.line()
		if err != nil {
			return err
		}
		return u.name(module, name)
	case 0x93: // STACK_GLOBAL
		name, err := u.pop()
		if err != nil {
			return err
		}
		module, err := u.pop()
		if err != nil {
			return err
		}
		m, ok1 := module.(string)
		n, ok2 := name.(string)
		if !ok1 || !ok2 {
			return errors.New("the pickle names a class by something that is not text")
		}
		return u.name(m, n)
	case 'Q': // BINPERSID
		id, err := u.pop()
		if err != nil {
			return err
		}
		return u.persistent(id)
	}
	args, err := u.pop()
	if err != nil {
		return err
	}
	target, err := u.top()
	if err != nil {
		return err
	}
	if op == 'b' { // BUILD
		return u.setState(target, args)
	}
	made, err := u.construct(target, args) // REDUCE, NEWOBJ
	if err == nil {
		u.stack[len(u.stack)-1] = made
	}
	return err
}

// persistent pushes what lies outside the pickle: a storage.
func (u *unpickler) persistent(id any) error {
	tuple, ok := id.(Tuple)
	if !ok || u.storage == nil {
		return errors.New("the pickle refers to something outside it that is no tensor storage")
	}
	s, err := u.storage(tuple)
	if err == nil {
		u.push(s)
	}
	return err
}

// construct builds an object of a class.
func (u *unpickler) construct(target, args any) (any, error) {
	tuple, ok := args.(Tuple)
	if !ok {
		return nil, errors.New("the pickle builds an object from something that is no tuple")
	}
	class, ok := target.(global)
	if !ok {
		return nil, errors.New("the pickle builds an object from something that is no class")
	}
	if len(tuple) > 0 {
		if list, ok := tuple[0].(*List); ok {
			if err := u.copies(len(list.Items)); err != nil {
				return nil, err
			}
		}
	}
	if scriptClass(class) {
		return &Dict{}, nil
	}
	if build := builders[class]; build != nil {
		return build(tuple)
	}
	return nil, fmt.Errorf("%q cannot be built", string(class))
}

// name pushes a class or function if it is on the list.
func (u *unpickler) name(module, name string) error {
	g := global(module + " " + name)
	if d, ok := dtypes[g]; ok {
		u.push(d)
		return nil
	}
	if _, ok := storageTypes[g]; ok || builders[g] != nil || scriptClass(g) {
		u.push(g)
		return nil
	}
	return fmt.Errorf("the file asks for %q, which is not on the list of harmless names, so it is refused; "+
		"save the model's state_dict alone, or convert the file to safetensors where you trust it", module+"."+name)
}

// setState handles BUILD: a module's attributes, or what torch hangs on an OrderedDict (_metadata), which is not needed.
func (u *unpickler) setState(target, state any) error {
	dict, ok := target.(*Dict)
	attributes, isDict := state.(*Dict)
	if !ok || !isDict {
		return fmt.Errorf("the pickle sets the state of %T", target)
	}
	if attributes.Get("_metadata") != nil {
		return nil
	}
	if dict == attributes {
		return errors.New("the pickle makes an object its own state")
	}
	if err := u.copies(len(attributes.Keys)); err != nil {
		return err
	}
	for i, key := range attributes.Keys {
		dict.set(key, attributes.Values[i])
	}
	return nil
}

func buildDict(args Tuple) (any, error) {
	d := &Dict{}
	if len(args) == 0 {
		return d, nil
	}
	list, ok := args[0].(*List)
	if !ok || len(args) != 1 {
		return nil, errors.New("an OrderedDict is built in an unknown way")
	}
	for _, item := range list.Items {
		var pair []any
		switch p := item.(type) {
		case Tuple:
			pair = p
		case *List:
			pair = p.Items
		}
		if len(pair) != 2 {
			return nil, errors.New("an OrderedDict is built of something else than pairs")
		}
		d.set(pair[0], pair[1])
	}
	return d, nil
}

func buildSequence(args Tuple) (any, error) {
	if len(args) == 0 {
		return &List{}, nil
	}
	switch items := args[0].(type) {
	case Tuple:
		return items, nil
	case *List:
		return items, nil
	}
	return nil, errors.New("a sequence is built of something else")
}

func buildDevice(args Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a device without a name")
	}
	name, ok := args[0].(string)
	if !ok {
		return nil, errors.New("a device's name is no text")
	}
	return name, nil
}

// buildBytes undoes how protocol 2 writes bytes: text in Latin-1.
func buildBytes(args Tuple) (any, error) {
	if len(args) == 2 {
		text, ok1 := args[0].(string)
		codec, ok2 := args[1].(string)
		if ok1 && ok2 && codec == "latin1" {
			out := make([]byte, 0, len(text))
			for _, r := range text {
				if r > 0xff {
					return nil, errors.New("bytes in Latin-1 hold a larger character")
				}
				out = append(out, byte(r))
			}
			return out, nil
		}
	}
	return nil, errors.New("_codecs.encode is used in an unknown way")
}

func buildParameter(args Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a parameter without a tensor")
	}
	ref, ok := args[0].(*Ref)
	if !ok {
		return nil, errors.New("a parameter of something that is no tensor")
	}
	return ref, nil
}
