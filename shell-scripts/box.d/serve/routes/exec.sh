# POST /containers/ID/exec: what runs it takes the place of this shell. The head of the answer goes ahead, since lighttpd
# looks after the caller only from then on.

exec_in_box() {
  [ "${CONTENT_LENGTH:-0}" != 0 ] || fail 400 'there is no body' 'send as JSON: {"command": "ls"}'
  find_box
  take_body ExecRequest exec
  case $record in *'"state": "running"'*) ;; *) fail 409 'only in a box that runs' 'POST to its start or unpause first' ;; esac
  need_caller
  begin 200
  with_words leash "$BOX_API/capture" "$BOX_API/box" exec
}
