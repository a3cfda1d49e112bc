# What boxes there are, and what they do.

list_boxes() {
  ask 500 "$BOX_API/box" ps -a --json
  begin 200
  printf '%s\n' "$out" | jq -n -c -L "$BOX_API/jq" 'include "record"; reduce inputs as $box ({}; .[$box.id] = ($box | record))'
}

show_box() {
  find_box
  begin 200
  printf '%s\n' "$record" | jq -c -L "$BOX_API/jq" 'include "record"; record + {error, workdir, layers, group, pipeline}'
}

# The command lines that it was made by, which can be pasted.
explain_box() {
  find_box
  begin 200
  printf '%s\n' "$record" | jq -c '{id, pipeline}'
}

show_stats() {
  find_box
  ask 409 "$BOX_API/box" stats --no-stream --json -- "$id"
  [ -n "$out" ] || fail 409 'it has ended' 'start it first'
  begin 200
  printf '%s\n' "$out"
}
