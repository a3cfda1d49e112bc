# Splits a page into files NUMBER-LINE.KIND of `dir`:
#   say   text, to be shown as it is
#   do    a block to run
#   see   what the block of the same name prints
#   skip  why a block is not run here
# A block begins with ```sh and words for what it needs; one of them missing in `have`, it is shown only.
# A block ```text behind it has its output.

BEGIN { open("say", 1) }

/^```/ && inside {
  inside = 0
  after = kind == "do" ? name : ""
  open("say", NR + 1)
  next
}

/^```/ {
  inside = 1
  if ($1 == "```sh" && !(lacks = missing())) open("do", NR)
  else if ($1 == "```sh") leave_out()
  else if ($1 == "```text" && after) { kind = "see"; file = after ".see" }
  next
}

# Blank lines between a block and its output belong to neither.
after && !inside && /^$/ { held = held "\n"; next }

{
  if (!inside) after = ""
  printf "%s%s\n", inside ? "" : held, (inside && kind == "say" ? "    " : "") $0 >file
  held = ""
}

function open(new, line) {
  if (file) close(file)
  kind = new
  name = sprintf("%s/%03d-%d", dir, ++count, line)
  file = name "." kind
}

function missing(  i) {
  for (i = 2; i <= NF; i++) if (!index(have, " " $i " ")) return $i
  return ""
}

function leave_out() {
  open("skip", NR)
  print "not run here: it needs " lacks >file
  open("say", NR)
  print "(Not run here: it needs " lacks ".)\n" >file
}
