# What goes on until nobody reads it any more.

show_logs() {
  find_box
  need_caller
  begin 200 'text/plain; charset=utf-8'
  [ -z "$head_only" ] || return 0
  leash "$BOX_API/box" logs ${follow:+--follow} ${tail:+"--tail=$tail"} -- "$id"
}

# Server-sent events: one for each line. https://html.spec.whatwg.org/multipage/server-sent-events.html
show_events() {
  need_caller
  begin 200 text/event-stream
  [ -z "$head_only" ] || return 0
  echo ': listening'
  leash "$BOX_API/box" events --json | while IFS= read -r line; do printf 'data: %s\n\n' "$line"; done
}
