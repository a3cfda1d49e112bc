# What the kernel takes as an initramfs: cpio archives one after another, with zeros between them, and from one of them on
# packed, as all of the rest is then.
# https://docs.kernel.org/driver-api/early-userspace/buffer-format.html

unpack_cpio() {
  new_root
  choose_cpio
  archive=$1 at=0 unpacked_bytes=0
  while find_next_archive; do
    if [ -z "$packer" ]; then
      find_length
      unpack_part
    elif [ "$archive" = "$1" ]; then
      unpack_rest
    else
      die "cannot unpack $label: it is packed twice"
    fi
  done
  exec 3<&-
}

# Sets $cpio to the words that unpack one archive.
choose_cpio() {
  fill_sandbox cpio
  cpio='-i -d -u -m'
  has_ids || cpio="$cpio -R 0:0"
  if find_program cpio && "$found" --help 2>&1 | grep -q no-absolute-filenames; then
    cpio="$cpio --no-absolute-filenames --quiet"
  fi
}

# Moves $at to the next byte of $archive that is no zero, if there is one; sets $packer.
find_next_archive() {
  open_at
  next=$(cmp -l - /dev/zero <&3 2>/dev/null | head -n 1)
  # shellcheck disable=SC2086 # a number, counted from 1, and two bytes
  set -- $next
  [ $# -gt 0 ] || return 1
  at=$((at + $1 - 1))
  open_at
  head -c 6 <&3 | save head
  detect_packer
}

# Opens the archive as descriptor 3, $at bytes behind its beginning.
open_at() {
  exec 3<"$archive"
  dd bs=1 skip="$at" count=0 <&3 2>/dev/null
}

# Sets $length of the archive at $at. GNU cpio reads past the end of an archive; that of busybox stops there.
find_length() {
  case $(od -An -c head | tr -d ' \n') in
    07070[12]) ;;
    07070* | '307q'* | 'q307'*) return 0 ;;
    *) die "cannot unpack $label: what follows its first archive is none" ;;
  esac
  find_program busybox || return 0
  fill_sandbox busybox
  open_at
  ! (sandboxed busybox cpio -t) <&3 >/dev/null 2>&1 || length=$(($(position) - at))
}

# That of descriptor 3.
position() {
  while read -r key value; do
    [ "$key" != pos: ] || echo "$value"
  done </proc/self/fdinfo/3
}

# Where no length is known, all that is left: what is wrong with it is told by cpio.
unpack_part() {
  open_at
  start_progress "$label" "$archive"
  # shellcheck disable=SC2086 # words without blanks
  unpack_stream sh /box/unpack-cpio $cpio
  end_progress
  length='' at=$((at + bytes)) unpacked_bytes=$((unpacked_bytes + bytes))
  check_limit "$unpacked_bytes"
}

unpack_rest() {
  fill_sandbox "$packer"
  rm -f broken
  open_at
  start_progress "$label" "$archive"
  { feed <&3 | within_limit; } >plain 2>&4 &
  jobs=$!
  wait "$jobs" || give_up unpack
  jobs=''
  end_progress
  bytes=$(wc -c <plain)
  check_limit "$((unpacked_bytes + bytes))"
  [ ! -e broken ] || give_up unpack
  archive=$work/plain at=0
}
