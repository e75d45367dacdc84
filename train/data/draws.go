package data

// The chances of a sample: functions of the seed and the sample's place, so that no generator is shared between goroutines
// and none has to be saved in a checkpoint.

// Draws are the random numbers that one sample may need, each uniform in [0,1).
type Draws struct {
	Keep float64 // <= 0.5 drops a document with one picture
	Flip float64 // < 0.5 mirrors the pictures
	Pick float64 // chooses among captions
}

// drawsOf gives the draws of record index of a source in an epoch.
func drawsOf(seed uint64, epoch int, index int64) Draws {
	h := mix(mix(seed^0x9e3779b97f4a7c15, uint64(epoch)), uint64(index))
	return Draws{Keep: unit(mix(h, 1)), Flip: unit(mix(h, 2)), Pick: unit(mix(h, 3))}
}

func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// mix is a step of splitmix64 over a and b.
func mix(a, b uint64) uint64 {
	z := a + 0x9e3779b97f4a7c15*(b+1)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
