#!/bin/sh
# sass.sh CUDA [IMAGES]: the machine code has the instructions that it is meant to have (sass.txt), and none that reads or writes
# local memory, where spilled registers and arrays that are indexed at run time go. IMAGES is the folder of the cubins.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
images=${2:-$here/../../kernels/cuda/image}
bad=0
for cubin in "$images"/*.cubin; do
  "$1/bin/nvdisasm" -ndf -c "$cubin" 2>/dev/null | awk -v cubin="$(basename "$cubin")" -v intents="$here/sass.txt" '
    /\.section\t\.text\./ {split($2, part, /[.,]/); kernel = part[3]; kernels[kernel]}
    {
      for (i = 1; i <= NF; i++) if ($i ~ /^[A-Z][A-Z0-9]+[.A-Z0-9]*;?$/) {sub(/;$/, "", $i); has[kernel, $i]}
      if ($0 ~ /[ \t](LDL|STL)[. ]/) {print cubin ": " kernel " uses local memory: " $0; bad = 1}
    }
    END {
      while ((getline line <intents) > 0) {
        if (line ~ /^#/ || split(line, want, " ") != 2) continue
        any = 0
        for (k in kernels) {
          if (k !~ want[1]) continue
          any = 1
          found = 0
          for (pair in has) {
            split(pair, of, SUBSEP)
            if (of[1] == k && index(of[2], want[2]) == 1) found = 1
          }
          if (!found) {print cubin ": " k " has no " want[2]; bad = 1}
        }
        if (!any) {print cubin ": no kernel is called " want[1]; bad = 1}
        n++
      }
      print cubin ": " length(kernels) " kernels, " n " intents"
      exit bad
    }' || bad=1
done
exit $bad
