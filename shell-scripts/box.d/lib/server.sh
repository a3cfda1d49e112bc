# lighttpd for `box serve`: its desk (a directory for what it needs while it runs), its start and its end.

find_server() {
  find_tools netns
  PATH=$PATH:/usr/sbin:/sbin
  for program in lighttpd jq setsid setpriv; do
    find_program "$program" || die "cannot serve: $program is not installed" 'apt-get install lighttpd jq util-linux'
  done
  setpriv=$found
  configuration=$parts/serve/lighttpd.conf
  [ -z "$tls" ] || configuration=$parts/serve/tls.conf
}

# Sets $found. A shell may have a program of its own for a name: that of busybox has another setpriv.
find_program() {
  old_ifs=$IFS IFS=:
  set -f
  for dir in $PATH; do
    found=$dir/$1
    [ ! -f "$found" ] || [ ! -x "$found" ] || break
    found=''
  done
  set +f
  IFS=$old_ifs
  [ -n "$found" ]
}

explain_server() {
  desk=$runs/.serve digest=''
  [ -z "$listen$token_file" ] || digest=SHA256-OF-THE-TOKEN
  settings quote_setting
  quote lighttpd -D -f "$configuration"
  printf 'env -i %s%s\n' "$told" "$quoted"
}

# settings DO: DO NAME VALUE for all that differs from one server to the next; lighttpd.conf and the program behind it
# take them from the environment.
settings() {
  told=''
  "$1" PATH "$PATH"
  "$1" HOME "${HOME:-/}"
  "$1" XDG_RUNTIME_DIR "${XDG_RUNTIME_DIR-}"
  "$1" BOX_PROGRAM "$here/box"
  "$1" BOX_NETNS "$netns"
  "$1" BOX_SETPRIV "$setpriv"
  "$1" BOX_API "$parts/serve"
  "$1" BOX_STORE "$store"
  "$1" BOX_RUN "$runs"
  "$1" BOX_DESK "$desk"
  "$1" BOX_SCHEME "$scheme"
  "$1" BOX_BIND "$bind"
  "$1" BOX_PORT "$port"
  "$1" BOX_HOSTS "$hosts"
  "$1" BOX_TOKEN_SHA256 "$digest"
  "$1" BOX_TLS_CERT "$tls_cert"
  "$1" BOX_TLS_KEY "$tls_key"
}

quote_setting() {
  quote_word "$2"
  told="$told$1=$quoted_word "
}

export_setting() {
  export "$1=$2"
}

# Makes $desk. A name with a dot in front is none that a box can have.
make_desk() {
  umask 077
  sweep_desks
  desk=$(mktemp -d "$runs/.serve.XXXXXX" 2>&1) || die "cannot create $runs/.serve: ${desk##*: }"
  trap 'rm -rf "$desk"' EXIT
  describe_process $$
  write_value "$desk/owner" "$owner_line"
  attempt create "$desk/life" mkfifo "$desk/life" "$desk/log"
  attempt create "$desk/errors" mkdir "$desk/errors"
  write_errors
  digest=''
  [ -z "$listen$token_file" ] || plan_token
}

# Those of servers that were killed together with their keepers.
sweep_desks() {
  for old in "$runs"/.serve.*; do
    [ -d "$old" ] && ! is_alive "$old/owner" || continue
    [ ! -f "$old/token" ] || rm -f "$runs/api.token"
    rm -rf "$old"
  done
}

# What lighttpd says by itself, without asking the program behind it.
write_errors() {
  while IFS='|' read -r status error hint; do
    write_value "$desk/errors/$status.html" "{\"error\":\"$error\",\"hint\":\"$hint\"}"
  done <<'ERRORS'
400|bad request: this is no request of HTTP/1.1, or its path has .., %2F or odd characters|
403|forbidden|
404|there is no such file|GET / lists what there is
405|that method does nothing here|GET / lists what there is
411|how long is the body?|send a Content-Length: curl --json '{}' does
413|the body is longer than 1 MiB|
414|the path is too long|
416|there is no such part of the file|
417|that expectation cannot be met|
431|the fields of the request are longer than 8 KiB|
500|the program behind this server has failed|its words are where box serve was started
501|that method does nothing here|GET / lists what there is
503|too much is going on|try again
505|this server speaks HTTP/1.0 and HTTP/1.1|
ERRORS
}

# A token that nobody can guess, made anew for each server that is given none. Only its digest goes further.
plan_token() {
  [ -n "$token" ] || {
    token=$(od -An -v -N 32 -t x1 /dev/urandom | tr -d ' \n')
    token_file=$runs/api.token
    (set -C && printf '%s\n' "$token" >"$token_file") 2>/dev/null ||
      die "cannot write the token to $token_file: there is one, of another box serve" 'give this one its own: --token-file'
    : >"$desk/token"
  }
  digest=$(printf %s "$token" | sha256sum)
  digest=${digest%% *}
}

# The keeper ends lighttpd, and removes what there is of it, as soon as nobody writes to `life` any more: whichever way
# this shell ends, and by kill -9 too. It has a session of its own, so that ^C reaches this shell only.
serve() {
  settings export_setting
  ended='' started=''
  exec 9<>"$desk/life" 8<"$desk/life"
  trap 'stop_server 129' HUP
  trap 'stop_server 130' INT
  trap 'stop_server 143' TERM
  trap - EXIT
  setsid "$parts/serve/keeper" "$configuration" "${socket:-}" </dev/null >/dev/null 2>"$desk/log" 9>&- &
  keeper=$!
  exec 8<&-
  listen_to_server <"$desk/log"
  exec 9>&-
  wait "$keeper" 2>/dev/null || :
  [ ! -d "$desk" ] || clear_away
  [ -n "$ended" ] || report_end
  exit "$ended"
}

stop_server() {
  ended=$1
  exec 9>&-
}

# Only where the keeper was killed.
clear_away() {
  kill -KILL -- "-$keeper" 2>/dev/null || :
  [ ! -f "$desk/token" ] || rm -f "$runs/api.token"
  [ -z "$socket" ] || [ -z "$started" ] || rm -f "$socket"
  rm -rf "$desk"
}

# Until a signal comes, or until lighttpd and all that it runs have closed their standard error.
listen_to_server() {
  last=''
  while [ -z "$ended" ] && IFS= read -r line; do
    case $line in
      *': ('*.c.*') server started '*) announce ;;
      *': ('*.c.*') server stopped '* | *': ('*.c.*') server shutdown '*) ;;
      ????-??-??\ ??:??:??:\ *) hear "${line#*) }" ;;
      *) hear "$line" ;;
    esac
  done
}

hear() {
  last=$1
  [ -z "$started" ] || say "$1"
}

report_end() {
  [ -z "$started" ] || die 'cannot go on: lighttpd has ended'
  case $last in *'already in use'* | *' is in use'* | *'still in use'*) last='it is in use already' ;; esac
  die "cannot listen on ${listen:-$socket}: ${last##*: }"
}

announce() {
  started=yes
  : >"$desk/started"
  if [ -n "$listen" ]; then
    say "listening on $scheme://$listen, with the token in $token_file"
    quote "$token_file"
    say "try curl -H \"Authorization: Bearer \$(cat $quoted)\" $scheme://$listen/containers"
    say "or open $scheme://$listen/#token=$token"
  else
    say "listening on $socket"
    quote "$socket"
    say "try curl --unix-socket $quoted http://box/containers"
  fi
}
