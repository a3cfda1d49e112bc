# Who may call.

# A site of somebody else's can point its own name at 127.0.0.1 and have a browser ask there; but the Host field then
# tells that name.
check_host() {
  [ -n "$BOX_HOSTS" ] || return 0
  case $BOX_HOSTS in
    *" ${HTTP_HOST:-none} "*) ;;
    *) fail 403 "this server is not called ${HTTP_HOST:-that}" "use the address that box serve listens on:${BOX_HOSTS% }" ;;
  esac
}

# Browsers tell which page asks. Only our own may.
check_origin() {
  case ${HTTP_ORIGIN-} in
    '' | "$BOX_SCHEME://${HTTP_HOST-}") ;;
    *) fail 403 'a page of another origin may not call' 'call without Origin, or from the page that this server shows' ;;
  esac
}

# Digests are compared: how long that takes tells nothing of the token. No child ever sees it.
check_token() {
  given=${HTTP_AUTHORIZATION-}
  unset HTTP_AUTHORIZATION
  [ -n "$BOX_TOKEN_SHA256" ] || return 0
  case $given in
    [Bb][Ee][Aa][Rr][Ee][Rr]\ *) digest=$(printf %s "${given#* }" | sha256sum) ;;
    *) digest='' ;;
  esac
  given=''
  [ "${digest%% *}" = "$BOX_TOKEN_SHA256" ] || fail 401 'the token is missing or wrong' \
    'send Authorization: Bearer TOKEN; box serve has told where the token is' 'WWW-Authenticate: Bearer realm="box"'
}
