# What was, and what there is besides boxes.

# A record for each run and each end, the oldest first.
show_history() {
  begin 200
  { [ ! -f "$BOX_STORE/history" ] || tail -n "${tail:-+1}" "$BOX_STORE/history"; } |
    jq -n -R -c '[inputs | fromjson? | {id, state, image, command, name, time, event, code}]'
}

list_images() {
  ask 500 "$BOX_API/box" images --json
  begin 200
  printf '%s\n' "$out" | jq -n -c '[inputs]'
}

show_map() {
  ask 500 "$BOX_NETNS" map --json
  begin 200
  printf '%s\n' "$out" | jq -n -c '[inputs]'
}
