package eval

// Published is a series that somebody printed.
type Published struct {
	Name   string // model, and where the figures stand
	Random bool   // demonstrations at random; else RICES
	Values map[int]float64
}

func series(name string, random bool, values ...float64) Published {
	p := Published{Name: name, Random: random, Values: map[int]float64{}}
	for i, v := range values {
		p.Values[[]int{0, 4, 8, 16, 32}[i]] = v
	}
	return p
}

// PublishedSeries are what the OpenFlamingo paper (arXiv 2308.01390v2, tables 11 and 12), the models' pages and the Flamingo
// paper (arXiv 2204.14198) print for 0, 4, 8, 16 and 32 shots, by task. OpenFlamingo-9B has two series for VQAv2: the
// paper's, and the lower one of the model's first page (June 2023).
var PublishedSeries = map[string][]Published{
	"coco": {
		series("OpenFlamingo-9B v2 (paper)", true, 79.5, 89.0, 96.3, 98.8, 99.5),
		series("OpenFlamingo-3B (paper)", true, 74.9, 77.3, 85.9, 89.8, 93.0),
		series("OpenFlamingo-4B-I (paper)", true, 81.2, 85.8, 94.8, 98.0, 99.2),
		series("Flamingo-9B", true, 79.4, 93.1, 99.0, 102.2, 106.3),
		series("Flamingo-3B", true, 73.0, 85.0, 90.6, 95.4, 99.0),
		series("Flamingo-80B", true, 84.3, 103.2, 108.8, 110.5, 113.8),
		series("OpenFlamingo-9B v1 (page)", true, 65.52, 74.28, 79.26, 81.84, 84.52),
		series("OpenFlamingo-9B v2, RICES (paper)", false, 76.8, 93.1, 99.8, 105.6, 109.0),
	},
	"flickr30k": {
		series("OpenFlamingo-9B v2 (paper)", true, 59.5, 65.8, 62.9, 62.8, 61.3),
		series("OpenFlamingo-3B (paper)", true, 52.3, 57.2, 58.6, 59.2, 61.1),
		series("OpenFlamingo-4B-I (paper)", true, 55.6, 61.2, 59.0, 54.8, 53.0),
		series("Flamingo-9B", true, 61.5, 72.6, 73.4, 72.7, 72.8),
		series("Flamingo-3B", true, 60.6, 72.0, 71.7, 73.4, 71.2),
		series("OpenFlamingo-9B v2, RICES (paper)", false, 39.2, 52.2, 58.7, 60.6, 63.0),
	},
	"vqav2": {
		series("OpenFlamingo-9B v2 (paper)", true, 52.7, 54.8, 54.8, 54.3, 53.3),
		series("OpenFlamingo-9B v2 (first page)", true, 48.3, 49.4, 51.8, 51.3, 50.2),
		series("OpenFlamingo-3B (paper)", true, 44.6, 45.8, 46.2, 46.6, 47.0),
		series("OpenFlamingo-4B-I (paper)", true, 46.9, 49.0, 47.4, 45.1, 47.3),
		series("Flamingo-9B", true, 51.8, 56.3, 58.0, 59.4, 60.4),
		series("Flamingo-3B", true, 49.2, 53.2, 55.4, 56.7, 57.1),
		series("Flamingo-80B", true, 56.3, 63.1, 65.6, 66.8, 67.6),
		series("OpenFlamingo-9B v1 (page)", true, 43.55, 44.05, 47.5, 48.87, 50.34),
		series("OpenFlamingo-9B v2, RICES (paper)", false, 53.0, 55.1, 56.0, 56.6, 56.8),
	},
	"okvqa": {
		series("OpenFlamingo-9B v2 (paper)", true, 37.8, 40.1, 41.1, 42.7, 42.4),
		series("OpenFlamingo-3B (paper)", true, 28.2, 30.3, 31.1, 30.9, 31.0),
		series("OpenFlamingo-4B-I (paper)", true, 31.7, 34.6, 33.7, 31.3, 34.7),
		series("Flamingo-9B", true, 44.7, 49.3, 50.0, 50.8, 51.0),
		series("Flamingo-3B", true, 41.2, 43.3, 44.6, 45.6, 45.9),
		series("OpenFlamingo-9B v2, RICES (paper)", false, 38.3, 42.0, 44.1, 45.1, 46.3),
	},
	"textvqa": {
		series("OpenFlamingo-9B v2 (paper)", true, 24.2, 28.2, 29.1, 27.3, 23.8),
		series("OpenFlamingo-3B (paper)", true, 24.2, 27.0, 27.7, 28.0, 28.3),
		series("OpenFlamingo-4B-I (paper)", true, 21.1, 27.2, 25.1, 23.2, 23.2),
		series("Flamingo-9B", true, 31.8, 33.6, 33.6, 33.5, 32.6),
		series("Flamingo-3B", true, 30.1, 32.7, 32.4, 31.8, 30.6),
		series("OpenFlamingo-9B v2, RICES (paper)", false, 28.3, 34.2, 34.8, 33.4, 31.1),
	},
	"vizwiz": {
		series("OpenFlamingo-9B v2 (paper)", true, 27.5, 34.1, 38.5, 42.5, 44.0),
		series("OpenFlamingo-3B (paper)", true, 23.7, 27.0, 32.1, 36.1, 39.8),
		series("OpenFlamingo-4B-I (paper)", true, 21.5, 26.5, 29.1, 31.0, 31.3),
		series("Flamingo-9B", true, 28.8, 34.9, 39.4, 43.0, 44.0),
		series("Flamingo-3B", true, 28.9, 34.0, 38.4, 43.3, 45.5),
		series("OpenFlamingo-9B v2, RICES (paper)", false, 34.6, 41.0, 45.0, 46.2, 46.4),
	},
	"hatefulmemes": {
		series("OpenFlamingo-9B v2 (paper)", true, 51.6, 54.0, 54.7, 53.9, 53.8),
		series("OpenFlamingo-3B (paper)", true, 51.2, 50.6, 52.0, 48.5, 50.2),
		series("OpenFlamingo-4B-I (paper)", true, 53.1, 54.9, 58.5, 56.9, 54.9),
		series("Flamingo-9B", true, 57.0, 62.7, 63.9, 64.5, 63.5),
		series("Flamingo-3B", true, 53.7, 53.6, 54.7, 55.3, 56.3),
		series("OpenFlamingo-9B v2, RICES (paper)", false, 67.1, 70.1, 71.2, 73.2, 73.6),
	},
}
