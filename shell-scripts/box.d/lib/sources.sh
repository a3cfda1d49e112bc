# What an image is made from. Each function leaves config.json in the workshop, and its layers in the store.

load workshop
load unpack
load cpio
load layers
load layout
load disc
load host

# import_source SRC: a directory, a file, or with - standard input.
import_source() {
  find_source "$1"
  if [ -d "$source" ]; then
    import_directory
  elif [ -f "$source" ]; then
    import_file
  else
    die "cannot $verb $label: it is neither a file nor a directory"
  fi
}

# Sets $source to a path, and $label to what it is called in messages.
find_source() {
  label=$1
  if [ "$1" = - ]; then
    label='standard input'
    spool
  else
    [ -n "$1" ] || misuse 'SRC is empty'
    locate source "$1"
    [ -e "$source" ] || die "cannot $verb $label: No such file or directory"
    [ -r "$source" ] || die "cannot $verb $label: Permission denied"
  fi
}

# Most kinds are read more than once.
spool() {
  source=$work/input
  { command exec 3>"$source"; } 2>/dev/null || cannot_write "$source"
  { command exec 5<&0; } 2>/dev/null || die 'cannot read standard input: it is closed'
  start_progress 'standard input'
  cat <&5 >&3 2>&4 &
  jobs=$!
  wait "$jobs" || give_up read
  jobs=''
  exec 3>&- 5<&-
  end_progress
  [ -s "$source" ] || die "cannot $verb standard input: it is empty"
}

import_directory() {
  if is_layout "$source"; then
    import_layout "$source"
  else
    copy_directory
    image_of_root "box import $label"
  fi
}

# Within its file system.
copy_directory() {
  case $store/ in
    "${source%/}"/*) die "cannot $verb $label: the store $store is in it" ;;
  esac
  become cp -a -x -- "$source/." root/ >/dev/null 2>&4 &
  jobs=$!
  wait "$jobs" || accept_losses copy
  jobs=''
}

import_file() {
  find_kind "$source"
  case $kind in
    tar) import_tar ;;
    cpio)
      unpack_cpio "$source"
      image_of_root "box import $label" ;;
    iso) import_disc ;;
    *) die "cannot $verb $label: it is no archive that box knows" 'box help import' ;;
  esac
}

# An archive may hold an image instead of being one.
import_tar() {
  unpack_layer "$source"
  check_end "$source"
  if is_layout root; then
    set_layout_aside
    import_layout "$layout"
  else
    image_of_root "box import $label"
  fi
}

# What was unpacked as the root of an image turns out to hold images.
set_layout_aside() {
  attempt create "$work/images" mv new images
  new_root
  privileged || attempt create "$work/images" as_root chown -R -h 0:0 images
  layout=$work/images/root
}

# image_of_root MADE_BY: an image of one layer, the tree `root`.
image_of_root() {
  [ -n "$(as_root ls -A root/)" ] || die "cannot $verb $label: nothing is in it"
  layer_from_root
  describe_image "$1" "sha256:$digest"
}

# describe_image MADE_BY LAYER...
describe_image() {
  made_by=$1
  shift
  fill_sandbox jq
  (sandboxed jq -n -f /box/config.jq --arg created "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --arg by "$made_by" \
    --arg arch "$(machine)" --args "$@") >config.json 2>&4 || bad_json config.json
}

# As Go names it.
machine() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    i?86) echo 386 ;;
    aarch64) echo arm64 ;;
    armv*) echo arm ;;
    *) uname -m ;;
  esac
}

import_busybox() {
  label=BusyBox
  find_tools mkrootfs
  reason=$("$found" new/root --busybox 2>&1) || {
    reason=${reason#*: }
    hint=${reason#*"$newline"*hint: }
    [ "$hint" != "$reason" ] || hint=''
    die "cannot make BusyBox: ${reason%%"$newline"*}" "$hint"
  }
  image_of_root 'box import BusyBox'
}

# to_bytes SIZE: sets $bytes.
to_bytes() {
  number=${1%[kKmMgG]}
  case $number in '' | *[!0-9]* | ????????????????*) misuse "$1 is no size" ;; esac
  case $1 in
    *[kK]) bytes=$((number * 1024)) ;;
    *[mM]) bytes=$((number * 1048576)) ;;
    *[gG]) bytes=$((number * 1073741824)) ;;
    *) bytes=$number ;;
  esac
}
