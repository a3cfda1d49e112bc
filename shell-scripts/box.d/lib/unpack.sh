# Archives: what they are, told by content, and how they are unpacked. Nothing but a program in the sandbox reads one.

# What a layer may need besides tar. Without setfattr there is none to mark a directory with.
layer_tools='sh cat tar find rm mknod touch stat'
! find_program setfattr || layer_tools="$layer_tools setfattr"

length=''

# Sets $packer to the program that unpacks file $1, if it is packed.
find_packer() {
  head -c 6 -- "$1" | save head
  detect_packer
}

# unpack FILE WORD...: gives what FILE holds to the command in the sandbox, which works in the directory `root`.
unpack() {
  file=$1
  shift
  find_packer "$file"
  exec 3<"$file"
  start_progress "$label" "$file"
  unpack_stream "$@"
  end_progress
}

# The same for what descriptor 3 gives, packed by $packer or not at all. Sets $digest and $bytes, those of what the
# command was given.
unpack_stream() {
  # shellcheck disable=SC2086 # names of programs
  fill_sandbox $layer_tools ${packer:+"$packer"}
  rm -f copy counted broken
  open_log
  attempt create "$work" mkfifo copy counted
  sha256sum <copy >counted.sum 2>&4 &
  jobs="$jobs $!" summing=$!
  wc -c <counted >counted.bytes 2>&4 &
  jobs="$jobs $!" counting=$!
  feed <&3 2>&4 | within_limit | tee copy counted 2>&4 | sandboxed "$@" >/dev/null 2>&4 &
  jobs="$jobs $!" unpacked=0
  wait "$!" || unpacked=$?
  { wait "$summing" && wait "$counting"; } || give_up unpack
  jobs=''
  exec 3<&-
  judge_unpacking
}

# Of what is not packed no more than $length, if that is set.
feed() {
  if [ -z "$packer" ]; then
    at_most "$length" 2>&4 || : >broken
  else
    (sandboxed "$packer" -dc) || : >broken
  fi
}

# One byte more than allowed shows that there was more.
within_limit() {
  at_most "${limit:+$((limit + 1))}"
}

at_most() {
  if [ -n "$1" ]; then head -c "$1"; else cat; fi
}

judge_unpacking() {
  if ! read -r bytes _ <counted.bytes || ! read -r digest _ <counted.sum; then give_up unpack; fi
  check_limit "$bytes"
  [ ! -e broken ] || give_up unpack
  if [ "$unpacked" -ne 0 ] || log | grep -q "can't create"; then accept_losses unpack; fi
}

check_limit() {
  [ -z "$limit" ] || [ "$1" -le "$limit" ] ||
    die "cannot unpack $label: it holds more than $limit bytes" '--limit sets how much it may be'
}

# unpack_layer FILE, or without it what descriptor 3 gives. As root owners are kept by number: the sandbox has no
# users. With one id everything becomes the caller's.
unpack_layer() {
  owners=--numeric-owner
  has_ids || owners=--no-same-owner
  new_root
  if [ $# -gt 0 ]; then
    unpack "$1" sh /box/unpack-layer "$owners"
  else
    unpack_stream sh /box/unpack-layer "$owners"
  fi
}

# An empty tree. It is made where a layer has it, so that it need not be moved: it may be made another user's.
new_root() {
  attempt remove "$work/new" as_root rm -rf --one-file-system new
  attempt create "$work/new" mkdir -p new/root
  chmod 755 new/root
}

# Sets $kind to tar, cpio or iso, by what file $1 holds when it is unpacked.
find_kind() {
  find_packer "$1"
  # shellcheck disable=SC2086 # names of programs
  fill_sandbox sh $layer_tools ${packer:+"$packer"}
  { feed <"$1" 2>/dev/null | head -c 32774 >start; } || :
  rm -f broken
  case $(head -c 6 start | od -An -c | tr -d ' \n') in
    07070[127]* | '307q'* | 'q307'*) kind=cpio ;;
    hsqs*) die "cannot import $label: it is a squashfs image" "unsquashfs it, and import the directory" ;;
    *)
      if [ "$(tail -c +32770 start)" = CD001 ]; then
        kind=iso
      elif is_tar start; then
        kind=tar
      else
        kind=unknown
      fi ;;
  esac
}

# tar itself knows best.
is_tar() {
  [ "$(tail -c +258 "$1" | head -c 5)" != ustar ] || return 0
  [ -s "$1" ] && head -c 512 "$1" | (sandboxed tar -t -f -) >/dev/null 2>&1
}

# In a plain archive that is cut off between two members all looks well: the end mark of zeros is missing.
check_end() {
  [ -z "$packer" ] || return 0
  [ "$(tail -c 1024 -- "$1" | tr -d '\0' | wc -c)" -eq 0 ] ||
    die "cannot unpack $label: it is cut short or damaged"
}
