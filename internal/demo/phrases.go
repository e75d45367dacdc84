package demo

// What sentences call a drawing: noun phrases for every kind, and the sentences that show one.

import (
	"strconv"
	"strings"
)

var numberWords = []string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}

// spelled writes a small number out.
func spelled(n int) string {
	if n < len(numberWords) {
		return numberWords[n]
	}
	return strconv.Itoa(n)
}

// article puts "a" or "an" before a phrase.
func article(phrase string) string {
	if strings.ContainsRune("aeiou", rune(phrase[0])) {
		return "an " + phrase
	}
	return "a " + phrase
}

// counted is the ordinary phrase: "a red star", "three red stars"; before and after are put around the noun.
func counted(r random, d Drawing, before, after string) string {
	noun := kindNamed(d.Kind).nouns[0]
	if all := kindNamed(d.Kind).nouns; len(all) > 1 && r.chance(0.4) {
		noun = all[1]
	}
	words := []string{}
	if before != "" {
		words = append(words, before)
	}
	if d.Count == 1 {
		return strings.TrimSpace(article(strings.Join(append(words, noun[0]), " ")) + " " + after)
	}
	return strings.TrimSpace(spelled(d.Count) + " " + strings.Join(append(words, noun[1]), " ") + " " + after)
}

// wordings are the kinds that are not simply called by count, colour and noun.
var wordings = map[string]func(random, Drawing) string{
	"arrow": arrowPhrase, "fish": swimmingPhrase, "house": housePhrase, "tree": treePhrase, "mountain": mountainPhrase,
	"lighthouse": stripedTowerPhrase, "bridge": bridgePhrase, "sun": sunPhrase, "moon": moonPhrase, "cloud": cloudPhrase,
	"flag": flagPhrase, "clock": clockPhrase, "die": diePhrase, "bars": barsPhrase, "pie": piePhrase, "line": lineChartPhrase,
	"lamp": trafficLightPhrase, "chessboard": chessboardPhrase, "target": targetPhrase, "thermometer": thermometerPhrase,
}

// Phrase names what is drawn; several wordings, by lot.
func (d Drawing) Phrase(r random) string {
	if special := wordings[d.Kind]; special != nil {
		return special(r, d)
	}
	if d.Colour != "" && r.chance(0.15) {
		return counted(r, d, "", "in "+d.Colour)
	}
	return counted(r, d, d.Colour, "")
}

func arrowPhrase(r random, d Drawing) string {
	way := map[string][]string{"left": {"left", "to the left"}, "right": {"right", "to the right"}, "up": {"up", "upwards"}, "down": {"down", "downwards"}}[d.Facing]
	verb := "pointing"
	if r.chance(0.4) {
		verb = plural(d, "that points", "that point")
	}
	return counted(r, d, d.Colour, verb+" "+pick(r, way))
}

func swimmingPhrase(r random, d Drawing) string {
	verb := pick(r, []string{"swimming", "facing", "looking"})
	if verb == "facing" {
		return counted(r, d, d.Colour, "facing "+d.Facing)
	}
	return counted(r, d, d.Colour, verb+" to the "+d.Facing)
}

func plural(d Drawing, one, many string) string {
	if d.Count == 1 {
		return one
	}
	return many
}

func housePhrase(r random, d Drawing) string {
	return counted(r, d, "", plural(d, "with "+article(d.Colour+" roof"), "with "+d.Colour+" roofs"))
}

func treePhrase(r random, d Drawing) string {
	if r.chance(0.5) {
		return counted(r, d, d.Colour, "")
	}
	return counted(r, d, "", "with "+d.Colour+" leaves")
}

func mountainPhrase(r random, d Drawing) string {
	return counted(r, d, "", pick(r, []string{"with snow on top", plural(d, "with a white peak", "with white peaks"), "under the snow"}))
}

func stripedTowerPhrase(r random, d Drawing) string {
	if r.chance(0.5) {
		return "a lighthouse with " + d.Colour + " and white bands"
	}
	return article(d.Colour + " and white lighthouse")
}

func bridgePhrase(r random, _ Drawing) string {
	return pick(r, []string{"a stone bridge", "a bridge with three arches", "a bridge over the water"})
}

func sunPhrase(r random, _ Drawing) string {
	return pick(r, []string{"a yellow sun", "a bright sun", "the sun with all its rays", "a shining sun"})
}

func moonPhrase(r random, d Drawing) string {
	name := []string{"", "full moon", "half moon", "crescent moon"}[d.Value]
	return article(name) + pick(r, []string{"", " at night", " in the night sky"})
}

func cloudPhrase(r random, d Drawing) string {
	return pick(r, map[int][]string{
		rainCloud:  {"a grey cloud with rain", "a rain cloud", "a cloud that pours with rain"},
		snowCloud:  {"a grey cloud with snow", "a snow cloud", "a cloud full of snow"},
		stormCloud: {"a grey cloud with lightning", "a thunder cloud", "a storm cloud with a bolt of lightning"},
	}[d.Value])
}

func flagPhrase(r random, d Drawing) string {
	colours := d.Stripes[0] + ", " + d.Stripes[1] + " and " + d.Stripes[2]
	return pick(r, []string{"a flag with stripes of " + colours, "a striped flag in " + colours, "a flag of " + colours})
}

func clockPhrase(r random, d Drawing) string {
	hour := spelled(d.Value) + " o'clock"
	return pick(r, []string{"a clock that says " + hour, "a clock at " + hour, "a round clock showing " + hour})
}

func diePhrase(r random, d Drawing) string {
	dots := spelled(d.Value) + " " + map[bool]string{true: "dot", false: "dots"}[d.Value == 1]
	return pick(r, []string{"a die with " + dots, "a white die showing " + dots, "a die that landed on " + spelled(d.Value)})
}

func barsPhrase(r random, d Drawing) string {
	return pick(r, []string{"a bar chart with " + spelled(d.Value) + " " + d.Colour + " bars", article(d.Colour + " bar chart with " + spelled(d.Value) + " bars")})
}

func piePhrase(r random, d Drawing) string {
	return pick(r, []string{"a pie chart with " + spelled(d.Value) + " slices", "a pie chart cut into " + spelled(d.Value) + " parts"})
}

func lineChartPhrase(r random, d Drawing) string {
	if d.Facing == "up" {
		return pick(r, []string{"a line chart that climbs", "a line chart that goes up", "a rising line chart"})
	}
	return pick(r, []string{"a line chart that drops", "a line chart that goes down", "a falling line chart"})
}

func trafficLightPhrase(r random, d Drawing) string {
	return pick(r, []string{"a traffic light that shows " + d.Colour, "a traffic light on " + d.Colour, article(d.Colour + " traffic light")})
}

func chessboardPhrase(r random, _ Drawing) string {
	return pick(r, []string{"an empty chessboard", "a chessboard", "a brown chessboard"})
}

func targetPhrase(r random, d Drawing) string {
	return pick(r, []string{"a target with " + d.Colour + " rings round the middle", article(d.Colour + " and white target"), "a target in " + d.Colour + " and white"})
}

func thermometerPhrase(r random, d Drawing) string {
	if d.Value == hotReading {
		return pick(r, []string{"a thermometer on a hot day", "a thermometer that reads hot", "a red thermometer, very high"})
	}
	return pick(r, []string{"a thermometer on a cold day", "a thermometer that reads cold", "a blue thermometer, very low"})
}

// showing are sentences about a picture: {x} the phrase, {X} the same with a capital, {is} is or are, {has} has or have.
var showing = []string{
	"The picture shows {x}.",
	"Here you can see {x}.",
	"On this page we show {x}.",
	"The drawing beside this line is of {x}.",
	"{X} {is} painted on the wall behind the counter.",
	"{X} {is} all that hangs above the door.",
	"Above the entrance you will find {x}.",
	"The first thing visitors notice is {x}.",
	"Last year the children drew {x}.",
	"My favourite card has {x} on it.",
	"The poster for the day shows {x}.",
	"On the cover there {is} {x}.",
	"We printed {x} on every bag.",
	"Somebody has chalked {x} on the pavement.",
	"Below {is} {x}, as our neighbour drew it.",
	"Look for {x} when you come in.",
	"{X} {is} the sign of our group.",
	"For the next round, the card with {x} goes to the left player.",
	"The sticker on the lid has {x}.",
	"It took a whole afternoon to cut {x} out of paper.",
	"{X}: that is what the old sign shows.",
	"In the middle of the sheet you see {x}.",
	"The second stamp carries {x}.",
	"Anna gave me a print of {x}.",
	"Nobody remembers who painted {x} here.",
	"The best one in the show is a plain drawing of {x}.",
	"Our new badge has {x} on a plain ground.",
	"{X} {has} been on our banner since 1998.",
	"The scene is simple, just {x}.",
	"Then the page turns, and there {is} {x}.",
	"The lesson begins with {x} on the board.",
	"A small tile with {x} marks the spot.",
	"If you find {x}, you are in the right room.",
	"Under the window we put {x}.",
	"The winner was a picture of {x}.",
	"On the left side of the leaflet {is} {x}.",
}

// show writes a sentence that depicts the drawing.
func (d Drawing) show(r random) string {
	phrase := d.Phrase(r)
	is, has := "is", "has"
	if d.Count > 1 {
		is, has = "are", "have"
	}
	return strings.NewReplacer("{x}", phrase, "{X}", capital(phrase), "{is}", is, "{has}", has).Replace(pick(r, showing))
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
