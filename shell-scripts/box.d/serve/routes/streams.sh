# What goes on until nobody reads it any more.

show_logs() {
  find_box
  need_caller
  begin 200 'text/plain; charset=utf-8'
  [ -z "$head_only" ] || return 0
  leash "$BOX_API/box" logs ${follow:+--follow} ${tail:+"--tail=$tail"} -- "$id"
}

show_events() {
  stream_lines events --json
}

# Of all boxes that run, a look each second: one program for all of them.
show_all_stats() {
  stream_lines stats --json
}

# stream_lines VERB OPTION: server-sent events, one for each line.
# https://html.spec.whatwg.org/multipage/server-sent-events.html
stream_lines() {
  need_caller
  begin 200 text/event-stream
  [ -z "$head_only" ] || return 0
  echo ': listening'
  leash "$BOX_API/box" "$@" | while IFS= read -r line; do printf 'data: %s\n\n' "$line"; done
}
