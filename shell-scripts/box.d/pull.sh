# pull: take an image from a registry, by skopeo

synopsis='[OPTION ...] REFERENCE [NAME]'
options='
 --platform =OS/ARCH for which machine; otherwise for this one
 --insecure allow a registry without TLS, or with a certificate of its own; loopback may always
 --limit =SIZE refuse a layer that unpacks to more: bytes, or with k, m, g
'

option() {
  case $1 in
    --platform) platform=$2 ;;
    --insecure) verify='--src-tls-verify=false' ;;
    --limit) to_bytes "$2" && limit=$bytes ;;
  esac
}

verb_pull() {
  load images
  load sources
  limit='' ref='' platform='' verify=''
  parse_options "$@"
  shift "$taken"
  case $# in 1 | 2) ;; *) misuse 'REFERENCE and at most one NAME are needed' ;; esac
  open_images
  find_reference "$1"
  name_of_ref "$reference"
  target=${2:-$name}
  check_name 'an image' "$target"
  find_program skopeo || die "cannot pull $reference: there is no skopeo" 'apt-get install skopeo'
  open_workshop
  fetch
  import_layout "$work/fetched"
  write_image "$target"
  printf '%s\n' "$target"
}

# Sets $reference to $1 without docker://. As for docker, what listens on this host needs no TLS.
find_reference() {
  reference=${1#docker://}
  case $reference in
    '' | [!A-Za-z0-9[]* | *[!]A-Za-z0-9.:/_@[-]*)
      die "cannot pull $1: that is no reference" 'box pull REGISTRY/PATH:TAG' ;;
    localhost/* | localhost:* | 127.*.*.*/* | '[::1]'*) verify='--src-tls-verify=false' ;;
  esac
}

fetch() {
  label=$reference
  set -- skopeo
  [ -e /etc/containers/policy.json ] || [ -e "${HOME-}/.config/containers/policy.json" ] ||
    set -- "$@" --insecure-policy
  [ -z "$platform" ] || set -- "$@" --override-os "${platform%%/*}" --override-arch "${platform#*/}"
  if [ -t 2 ]; then set -- "$@" copy; else set -- "$@" copy --quiet; fi
  "$@" ${verify:+"$verify"} "docker://$reference" oci:fetched:image <&- >&2 2>&4 &
  jobs=$!
  wait "$jobs" || blame_skopeo
  jobs=''
}

# One line for people, in a format for programs.
blame_skopeo() {
  reason=$(log | sed -n -e 's/\\"/"/g' -e 's/.* level=fatal msg="\(.*\)"$/\1/p' | tail -n 1)
  die "cannot pull $label: ${reason:-skopeo failed}"
}
