# What is done to a box. An answer of 409 tells that its state does not allow it.

# to_box SCHEMA VERB [OPTION...]: reads the body, and has box do it with the options that the body asks for.
to_box() {
  take_body "$1" options
  shift
  find_box
  plan="$plan${plan:+$newline}=--$newline=$id"
  with_words change 409 "$@"
}

start_box() {
  to_box Nothing start
  reply_with_box
}

stop_box() {
  to_box Stop stop
  reply_with_box
}

kill_box() {
  to_box Kill kill
  reply_with_box
}

pause_box() {
  to_box Nothing pause
  reply_with_box
}

unpause_box() {
  to_box Nothing unpause
  reply_with_box
}

remove_box() {
  to_box Nothing rm ${force:+--force}
  begin 200
  printf '{"id":"%s"}\n' "$id"
}
