#!/bin/sh
# planted.sh PAGE: PAGE with its table of planted errors made anew from mutants.txt, to stdout. The table stands between the
# lines "<!-- planted errors -->" and "<!-- end -->".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
awk -F '\t' -v list="$here/mutants.txt" '
  /^<!-- planted errors -->$/ {
    print
    print "| planted error | in | op | found by |\n|---|---|---|---|"
    while ((getline line <list) > 0) {
      if (line ~ /^#/ || line == "") continue
      split(line, field, "\t")
      print "| " field[1] " | " field[2] ".cu | " field[4] " | " field[3] " |"
      n++
    }
    print "\n" n " in all."
    inside = 1
  }
  /^<!-- end -->$/ {inside = 0}
  !inside || /^<!-- end -->$/ {if (!/^<!-- planted errors -->$/) print}' "$1"
