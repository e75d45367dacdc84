package demo

// The prose of the drawn web: topics, each with its own words, and sentences that show nothing.

import "strings"

// topic is what a page is about.
type topic struct {
	name   string // for paths
	title  []string
	nouns  []string // {n}: what the topic deals with, plural
	people []string // {who}
	places []string // {where}
	says   []string // sentences of its own
}

var topics = []topic{
	{"garden", []string{"Notes from the allotment", "The garden club diary", "What we grew this year"},
		[]string{"beans", "onions", "seedlings", "herbs", "carrots", "pumpkins", "cuttings"}, []string{"the gardeners", "our members", "the growers"}, []string{"the greenhouse", "the allotment", "the potting shed"},
		[]string{"The {n} came up two weeks late.", "Water the {n} early, before the heat of the day.", "Slugs ate half of the {n} in {month}.", "We turned the compost in {month} and found it warm.", "{Who} swap {n} on the first Sunday of the month.", "A handful of ash keeps the {n} healthy.", "Nothing did better this year than the {n} behind {where}.", "The soil near {where} is heavy and wet."}},
	{"school", []string{"News from the drawing class", "A week in class four", "The school fair"},
		[]string{"exercises", "drawings", "projects", "lessons", "pencils"}, []string{"the pupils", "two teachers", "the younger ones"}, []string{"the hall", "the art room", "the corridor"},
		[]string{"The {n} are due on {day}.", "{Who} stayed after the bell to finish their {n}.", "There was no room left in {where} for the {n}.", "Parents may visit {where} until half past four.", "We counted the {n} twice and still lost {number}.", "Ms. Albrecht taught here for {number} years.", "Everyone chose one of the {n} to take home."}},
	{"harbour", []string{"Harbour notes", "A day at the quay", "The ferry office"},
		[]string{"ropes", "nets", "tides", "crates", "timetables"}, []string{"the crew", "the harbour master", "the fishermen"}, []string{"the quay", "the pier", "the ferry office"},
		[]string{"The tide turned at {number} minutes past six.", "{Who} mended the {n} all morning.", "The wind dropped before we reached {where}.", "Tickets are sold at {where} from {month} on.", "Salt gets into the {n} and into everything else.", "Mr. Moore has kept a log since {year}.", "On {day} the last crossing leaves early."}},
	{"weather", []string{"The weather diary", "Notes from the hill station", "What the sky did"},
		[]string{"readings", "forecasts", "records", "gusts", "showers"}, []string{"the observers", "our volunteers", "the station keepers"}, []string{"the hill station", "the valley", "the roof"},
		[]string{"The {n} for {month} were lower than usual.", "{Who} write the {n} down at seven every morning.", "A dry spell of {number} days ended on {day}.", "The gauge on {where} froze again.", "We have kept {n} at {where} since {year}.", "It was mild, about {number} degrees at noon.", "Nobody trusted the {n} after that."}},
	{"games", []string{"The games evening", "Rules we play by", "Thursday at the games table"},
		[]string{"rules", "turns", "cards", "points", "counters"}, []string{"the players", "the youngest player", "the winners"}, []string{"the long table", "the club room", "the back room"},
		[]string{"The {n} are simple, and nobody follows them.", "{Who} may pass once in every round.", "Lay the {n} face down before you start.", "We play in {where} until eleven p.m. and not longer.", "Whoever has the fewest {n} begins.", "Ties are rare; {number} in one evening is our record.", "A full round takes about {number} minutes."}},
	{"bakery", []string{"From the bakery", "Bread and other things", "The oven book"},
		[]string{"loaves", "rolls", "recipes", "pastries", "tins"}, []string{"the bakers", "the early shift", "our apprentices"}, []string{"the bakery", "the shop", "the oven room"},
		[]string{"The {n} rest for {number} hours in a cool room.", "{Who} start work at three a.m. every day.", "On {day} we sold all the {n} before ten.", "Rye needs more water, about a third more than wheat.", "The smell in {where} is hard to describe.", "Mr. Lindqvist wrote down the {n} in {year}.", "A slow dough forgives many mistakes."}},
	{"walks", []string{"Walks near the village", "The walking club", "Paths we like"},
		[]string{"paths", "maps", "boots", "signposts", "views"}, []string{"the walkers", "our guide", "the slow group"}, []string{"the ridge", "the forest", "the old mill"},
		[]string{"The {n} are muddy until {month}.", "{Who} meet at {where} at nine.", "It is {number} kilometres to {where} and back.", "Take the second turning after {where}.", "We lost the {n} near {where} and asked a farmer.", "The slow group needs {number} minutes more.", "St. Martin's lane is closed on {day}."}},
	{"museum", []string{"The museum of signs", "A collection of small things", "New on our shelves"},
		[]string{"labels", "prints", "cases", "tiles", "posters"}, []string{"the curators", "our visitors", "the founders"}, []string{"the main room", "the cellar", "the reading room"},
		[]string{"The {n} were catalogued in {year}.", "{Who} asked for longer opening hours.", "Dr. Okafor gave {number} of the {n} to us.", "Most of the {n} come from a printer's estate.", "Please do not touch the {n} in {where}.", "The light in {where} is kept low.", "A new case arrived on {day}, and it is empty still."}},
	{"trains", []string{"The model railway", "Signals and sidings", "From the track room"},
		[]string{"signals", "rails", "wagons", "switches", "sleepers"}, []string{"the builders", "the members", "two retired drivers"}, []string{"the track room", "the loft", "the workshop"},
		[]string{"The {n} are glued, not nailed.", "{Who} spent {number} evenings on the {n}.", "In {where} the dust gets everywhere.", "The oldest of the {n} date from {year}.", "We run to a timetable on {day} and to nothing at all on other days.", "Each of the {n} has a number on its underside.", "The scale is 1 to 87, which is that of our neighbours."}},
	{"library", []string{"The village library", "Reading room news", "New arrivals"},
		[]string{"shelves", "novels", "atlases", "catalogues", "magazines"}, []string{"the readers", "the librarians", "our volunteers"}, []string{"the reading room", "the attic", "the front desk"},
		[]string{"The {n} are sorted by hand.", "{Who} borrowed {number} {n} in {month}.", "Mrs. Hadley calls it “the quiet hour”.", "The heating in {where} failed on {day}.", "We keep the {n} for {number} weeks.", "Returned {n} go to {where} first.", "A stamp from {year} is on the first page."}},
	{"market", []string{"Market day", "Stalls and prices", "The Saturday market"},
		[]string{"stalls", "baskets", "prices", "jars", "cheeses"}, []string{"the sellers", "the regulars", "the farmers"}, []string{"the market square", "the fountain", "the town hall"},
		[]string{"The {n} were gone by noon.", "{Who} come from villages {number} kilometres away.", "Prices rose a little in {month}.", "The stand near {where} has the best {n}.", "In {year} the market moved to {where}.", "Bring your own bags on {day}.", "It rained, and the {n} sold anyway."}},
	{"workshop", []string{"From the toy workshop", "Wood, glue and patience", "Things we made"},
		[]string{"blocks", "puzzles", "brushes", "patterns", "stencils"}, []string{"the carpenters", "our customers", "the trainees"}, []string{"the workshop", "the paint room", "the drying rack"},
		[]string{"The {n} need {number} coats of varnish.", "{Who} prefer the {n} without paint.", "We cut the {n} on {day} and sand them a day later.", "The glue in {where} sets in {number} minutes.", "All {n} are tested by our own children.", "The patterns go back to {year}.", "A dull blade spoils more {n} than a bad plan."}},
}

// plain are sentences that fit any topic and show nothing.
var plain = []string{
	"It has been a busy {month} for everyone.", "We were {number} people in the end, which is more than we hoped for.",
	"Thank you to all who helped.", "This text was first written in {year} and has been changed since.",
	"More about that next time.", "Nobody had expected it to take so long.", "The costs were lower than in the year before.",
	"If you have questions, write to us or call on {day}.", "There is still much to do before {month}.",
	"I had not thought about it for years.", "We agreed to meet again in {month}.", "Some of us disagree, and that is fine.",
	"The work began in {year} with almost no money.", "It was colder than it looked.", "After lunch we started again from the beginning.",
	"You can read the rest in our yearly report.", "The old rules no longer apply.", "That is how the story is told, at least.",
	"On {day} we are closed.", "Coffee and cake were free.", "Most of what follows was told to me by my aunt.",
	"Did it help?", "What a day that was!", "I doubt it.", "So we tried the other way round.", "Please be on time.",
	"The reasons are easy to guess.", "About {number} copies were made, and {number} are left.",
	"We heard “never again” more than once.", "It’s not as hard as people say.", "The next date isn’t fixed yet.",
	"In short, it worked.", "A friend of ours, Mrs. Quist, took notes and wrote down every word.", "Until then, everything stays as it is.",
	"You need no experience, only time.", "There were long talks about money, time and patience.", "Prof. Tanaka answered the letter within a week.",
	"The list is kept in a drawer and nobody may change it.", "Half of it was true.", "This year we shall do it differently.",
	"Several people asked why we do this at all.", "The answer is that we enjoy it.", "Everything else can wait.",
	"For a small fee you may join us at {where}.", "{Who} were pleased with the result.", "{Who} have asked for more {n}.",
	"At {where} there is always somebody who knows.", "The {n} are a different matter.", "Without the {n} it would have been dull.",
	"We talked about {n} for an hour.", "In {month} the {n} will be ready.", "Good {n} are hard to find these days.",
	"Every {day}, {who} gather at {where}.", "We owe the {n} to a gift made in {year}.", "It was {who} who had the idea.",
}

var (
	months = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	days   = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
)

// tell writes a sentence of the topic that shows nothing.
func (t *topic) tell(r random) string {
	from := plain
	if r.chance(0.6) {
		from = t.says
	}
	return t.fillIn(r, pick(r, from))
}

func (t *topic) fillIn(r random, s string) string {
	who := pick(r, t.people)
	// {number} may stand twice in a sentence, with two values.
	for strings.Contains(s, "{number}") {
		s = strings.Replace(s, "{number}", pick(r, []string{"two", "three", "four", "five", "six", "twelve", "20", "25", "30", "40", "45", "60", "90"}), 1)
	}
	return strings.NewReplacer("{n}", pick(r, t.nouns), "{who}", who, "{Who}", capital(who), "{where}", pick(r, t.places),
		"{month}", pick(r, months), "{day}", pick(r, days), "{year}", pick(r, []string{"1912", "1938", "1956", "1967", "1974", "1989", "1995", "2003", "2011"})).Replace(s)
}
