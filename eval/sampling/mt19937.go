package sampling

// MT19937 is the Mersenne Twister (Matsumoto and Nishimura 1998), 32-bit outputs.
type MT19937 struct {
	state [624]uint32
	at    int
}

// NewMT19937 seeds with one number, as numpy.random.seed and torch's CPU generator do.
func NewMT19937(seed uint32) *MT19937 {
	m := &MT19937{at: 624}
	m.state[0] = seed
	for i := 1; i < 624; i++ {
		m.state[i] = 1812433253*(m.state[i-1]^m.state[i-1]>>30) + uint32(i)
	}
	return m
}

// NewMT19937Array seeds with several numbers, as Python's random.seed does with the 32-bit digits of an integer.
func NewMT19937Array(key []uint32) *MT19937 {
	m := NewMT19937(19650218)
	i, j := 1, 0
	for range max(624, len(key)) {
		m.state[i] = (m.state[i] ^ (m.state[i-1]^m.state[i-1]>>30)*1664525) + key[j] + uint32(j)
		if i++; i == 624 {
			m.state[0], i = m.state[623], 1
		}
		if j++; j == len(key) {
			j = 0
		}
	}
	for range 623 {
		m.state[i] = (m.state[i] ^ (m.state[i-1]^m.state[i-1]>>30)*1566083941) - uint32(i)
		if i++; i == 624 {
			m.state[0], i = m.state[623], 1
		}
	}
	m.state[0] = 1 << 31
	return m
}

// Uint32 is the next output.
func (m *MT19937) Uint32() uint32 {
	if m.at == 624 {
		for i := range 624 {
			y := m.state[i]&(1<<31) | m.state[(i+1)%624]&(1<<31-1)
			m.state[i] = m.state[(i+397)%624] ^ y>>1 ^ (y&1)*0x9908b0df
		}
		m.at = 0
	}
	y := m.state[m.at]
	m.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}
