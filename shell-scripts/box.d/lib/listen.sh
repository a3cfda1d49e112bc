# Where `box serve` listens, and who may call. Nothing is made here.

# Sets $bind and $port for lighttpd, $origin, and $hosts: what a Host field may say, if only some are right.
plan_address() {
  if [ -z "$listen" ]; then
    socket=${socket:-$runs/api.sock} scheme=unix hosts=''
    case $socket in /*) ;; *) socket=$PWD/$socket ;; esac
    # sun_path of unix(7), with its last byte
    [ ${#socket} -lt 108 ] || die "cannot listen on $socket: the path is longer than 107 bytes" \
      'choose a shorter one with --socket'
    # lighttpd would replace whatever is there.
    if [ -L "$socket" ] || { [ -e "$socket" ] && [ ! -S "$socket" ]; }; then
      die "cannot listen on $socket: there is something of that name that is no socket"
    fi
    bind=$socket port=0
    return
  fi
  [ -z "$socket" ] || misuse '--socket and --listen exclude each other'
  scheme=http
  address=${listen%:*} port=${listen##*:}
  case $listen in *:*) ;; *) misuse "--listen is ADDRESS:PORT, not $listen" ;; esac
  case $port in '' | 0* | *[!0-9]* | ??????*) misuse "--listen needs a port from 1 to 65535, not ${port:-nothing}" ;; esac
  [ "$port" -le 65535 ] || misuse "--listen needs a port from 1 to 65535, not $port"
  plan_host
  bind=$address
}

# A page of another site can lead a name of its own to this address, but not change the Host field that then comes.
plan_host() {
  case $address in
    '[::1]' | 127.*)
      hosts=" $address:$port localhost:$port "
      case $port in 80 | 443) hosts="$hosts$address localhost " ;; esac ;;
    '' | *[!0-9.]*)
      case $address in
        '['*[0-9a-fA-F:.]']') case ${address#'['} in *[!]0-9a-fA-F:.]*) refuse_address ;; esac ;;
        *) refuse_address ;;
      esac
      hosts='' ;;
    *) hosts='' ;;
  esac
  [ -n "$hosts$tls_cert$insecure" ] || die "cannot listen on $listen: others could read what is said, and the token" \
    '--tls-cert FILE, or --insecure-anywhere where the network is trusted'
}

refuse_address() {
  misuse "--listen needs a numeric address, 127.0.0.1 or [::1], not ${address:-nothing}"
}

plan_tls() {
  tls=''
  [ -n "$tls_cert" ] || {
    [ -z "$tls_key" ] || misuse '--tls-key needs --tls-cert'
    return 0
  }
  [ -n "$listen" ] || misuse '--tls-cert needs --listen'
  tls=yes scheme=https tls_key=${tls_key:-$tls_cert}
  for file in "$tls_cert" "$tls_key"; do
    [ -f "$file" ] && [ -r "$file" ] || die "cannot read $file: $(why_unreadable "$file")"
  done
  case $tls_cert in /*) ;; *) tls_cert=$PWD/$tls_cert ;; esac
  case $tls_key in /*) ;; *) tls_key=$PWD/$tls_key ;; esac
}

why_unreadable() {
  if [ ! -e "$1" ]; then echo 'No such file or directory'
  elif [ -f "$1" ]; then echo 'Permission denied'
  else echo 'it is no file'; fi
}

# A token of the caller: what is short can be guessed, and what has blanks is no token of RFC 6750.
read_token() {
  token=''
  [ -n "$token_file" ] || return 0
  [ -f "$token_file" ] && [ -r "$token_file" ] ||
    die "cannot read the token in $token_file: $(why_unreadable "$token_file")"
  read_value "$token_file"
  token=$value
  case $token in *[!A-Za-z0-9._~+/=-]*)
    die "cannot use the token in $token_file: it has other characters than letters, digits and . _ ~ + / = -" ;;
  esac
  [ ${#token} -ge 32 ] || die "cannot use the token in $token_file: it has fewer than 32 characters" \
    'openssl rand -hex 32 makes one'
}
