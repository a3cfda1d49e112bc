# serve: answer HTTP requests, and show a page to watch the boxes

synopsis='[OPTION ...]'
options='
 --socket =PATH listen on this UNIX socket; otherwise api.sock in BOX_RUN
 --listen =ADDRESS:PORT listen on TCP instead, and ask for a token
 --token-file =FILE ask for the token in FILE; otherwise one is made for TCP
 --tls-cert =FILE speak TLS with this certificate (PEM)
 --tls-key =FILE its key, if that is in another file
 --insecure-anywhere listen beyond this machine without TLS
'

option() {
  case $1 in
    --socket) socket=$2 ;;
    --listen) listen=$2 ;;
    --token-file) token_file=$2 ;;
    --tls-cert) tls_cert=$2 ;;
    --tls-key) tls_key=$2 ;;
    --insecure-anywhere) insecure=yes ;;
  esac
}

verb_serve() {
  socket='' listen='' token_file='' tls_cert='' tls_key='' insecure=''
  parse_options "$@"
  [ "$taken" -eq $# ] || misuse 'serve takes no operand'
  find_places
  load listen
  load server
  plan_address
  plan_tls
  find_server
  read_token
  [ -z "$explain" ] || {
    explain_server
    return
  }
  make_places
  make_desk
  serve
}
