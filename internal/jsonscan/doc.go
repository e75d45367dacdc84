// Package jsonscan walks through one JSON text without building it: the caller asks for the members that it wants and passes
// over the others. WAT records, C4, CDXJ and MMC4 lines, lists of pairs, text to train on and the files of evaluation are read
// with it.
//
//	s := jsonscan.New(data)
//	for s.Enter('{'); s.More('}'); {
//		switch string(s.Key()) {
//		case "url":
//			url, _ = s.String()
//		default:
//			s.Skip()
//		}
//	}
//	err := s.End()
//
// It takes what encoding/json takes, nothing else, and strings and numbers have the values that they have there; what is passed
// over is looked at as closely. Unlike there, names of members match as they are written, letter by letter, and of a
// name that comes twice the last value is to count. Errors are sticky: after one, More is false and values are empty.
package jsonscan
