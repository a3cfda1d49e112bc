# POST /containers/ID/exec

exec_in_box() {
  [ "${CONTENT_LENGTH:-0}" != 0 ] || fail 400 'there is no body' 'send as JSON: {"command": "ls"}'
  find_box
  take_body ExecRequest exec
  case $record in *'"state": "running"'*) ;; *) fail 409 'only in a box that runs' 'POST to its start or unpause first' ;; esac
  with_words ask 500 leash "$BOX_API/capture" "$BOX_API/box" exec
  begin 200
  printf '%s\n' "$out"
}
