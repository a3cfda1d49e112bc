# The sandbox: a container for programs that read what nobody vouches for.

# How unshare-rs makes an ordinary user root.
maps=-Ur

privilege=''

# Copies, not binds: what runs in there must never hold a file of this host. Names in it are as on this host.
make_sandbox() {
  into=sandbox
  attempt create "$dir" mkdir -p "$into/out" "$into/etc"
  for tool; do
    shift
    if ! find_program "$tool"; then
      if ! find_busybox || ! "$busybox" --list | grep -qx "$tool"; then
        die "cannot unpack $label: there is no $tool" "apt-get install $(package "$tool")"
      fi
      attempt copy "$busybox" mkdir -p "$into/bin"
      attempt copy "$busybox" cp -L "$busybox" "$into/bin/$tool"
    else
      set -- "$@" "$found"
    fi
  done
  [ $# -eq 0 ] || copy_programs "$@"
}

package() {
  case $1 in xz | lzma) echo xz-utils ;; *) echo "$1" ;; esac
}

# Becomes tool $1 in the sandbox, in the new root. All of it but the new root is read-only, so that no member
# can put a library where the tool would load it. Relative sources, because a colon in DIR would end one.
sandboxed() {
  find_program "$1" || found=/bin/$1
  shift
  user='' binds=''
  privileged || user=$maps
  for top in sandbox/*; do
    [ "$top" = sandbox/out ] || binds="$binds --bind $top:${top#sandbox}:ro"
  done
  # shellcheck disable=SC2086,SC2248 # options, made above: each word is one
  exec env -i LC_ALL=C PATH="$PATH:/bin" "$unshare" $user -m -u -i -n -p \
    "$pivot" --bare --ro --bind root:/out $binds --chdir /out sandbox "$found" "$@"
}

# Root of a user namespace with one id is not root enough.
privileged() {
  [ -n "$privilege" ] || if [ "$(id -u)" -ne 0 ]; then
    privilege=none
  elif [ -r /proc/self/uid_map ] && read -r _ _ ids </proc/self/uid_map && [ "$ids" -le 1 ]; then
    privilege=none
  else
    privilege=root
  fi
  [ "$privilege" = root ]
}

# By content, for names lie.
detect_packer() {
  case $(od -An -tx1 head | tr -d ' \n') in
    1f8b* | 1f9d*) packer=gzip ;;
    425a683[1-9]3141 | 425a683[1-9]1772) packer=bzip2 ;;
    fd377a585a00) packer=xz ;;
    28b52ffd*) packer=zstd ;;
    04224d18*) packer=lz4 ;;
    5d0000*) packer=lzma ;;
    *) packer='' ;;
  esac
}
