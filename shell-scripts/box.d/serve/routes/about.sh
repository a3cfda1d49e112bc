# What this is.

banner() {
  begin 200 'text/plain; charset=utf-8'
  if [ "$BOX_SCHEME" = unix ]; then
    call="curl --unix-socket SOCKET" base=http://box
  else
    call='curl -H "Authorization: Bearer TOKEN"' base=$BOX_SCHEME://${HTTP_HOST-}
  fi
  cat <<BANNER
Welcome to box: containers from cgctl, netns, unshare-rs and pivot

METHODS
$(list_routes)

EXAMPLES
  $call $base/containers
  $call $base/history
  $call --json '{"state":"run", "image":"TinyCore", "command":"ls"}' $base/run
  $call --json '{"state":"run", "image":"TinyCore", "command":"ls -l /", "wait":true}' $base/run
  $call --json '{"id":"ID", "state":"stop"}' $base/run

GET /openapi.json describes all of it.
BANNER
}

list_routes() {
  while read -r method path _ _ query; do
    case $method in '') continue ;; esac
    case $path in */BOX*) path=${path%%BOX*}ID${path#*BOX} ;; esac
    printf '  %-6s %s%s\n' "$method" "$path" "${query:+?$query}"
  done <<ROUTES
$routes
ROUTES
}

description() {
  begin 200
  cat "$BOX_API/openapi.json"
}
