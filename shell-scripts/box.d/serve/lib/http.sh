# What is answered.

# begin STATUS [TYPE [FIELD...]]: the head of an answer; the body is what is printed after it.
begin() {
  status=$1 type=${2:-application/json}
  [ $# -lt 2 ] && shift || shift 2
  printf 'Status: %s\r\nContent-Type: %s\r\n' "$status" "$type"
  for field; do printf '%s\r\n' "$field"; done
  printf '\r\n'
}

# fail STATUS ERROR [HINT [FIELD]]: answers that it was not done, and why.
fail() {
  begin "$1" application/json ${4:+"$4"}
  json_string "$2" && error=$json
  json_string "${3-}"
  printf '{"error":%s,"hint":%s}\n' "$error" "$json"
  exit 0
}
