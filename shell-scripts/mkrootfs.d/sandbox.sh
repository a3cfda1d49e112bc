# The sandbox: a container for programs that read what nobody vouches for.

# The two links of the sandbox: installed, or built in the checkout that this script is part of.
find_link() {
  find_program "$1" && return
  for found in "$here/$1" "$here"/../target/*/release/"$1" "$here/../target/release/$1"; do
    if executable "$found"; then absolute "$found" && return; fi
  done
  die "cannot find $1: not in PATH and not beside mkrootfs" 'build it with cargo build --release, or make install'
}

# Copies, not binds: what runs in there must never hold a file of this host. Names in it are as on this host.
make_sandbox() {
  into=sandbox
  attempt create "$dir" mkdir -p "$into/out" "$into/etc"
  for tool; do
    if ! find_program "$tool"; then
      find_busybox || die "cannot unpack $label: there is no $tool" "apt-get install $(package "$tool")"
      attempt copy "$busybox" mkdir -p "$into/bin"
      attempt copy "$busybox" cp -L "$busybox" "$into/bin/$tool"
    else
      copy_programs "$found"
    fi
  done
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
  privileged || user=-Ur
  for top in sandbox/*; do
    [ "$top" = sandbox/out ] || binds="$binds --bind $top:${top#sandbox}:ro"
  done
  # shellcheck disable=SC2086 # options, made above, without blanks
  exec env -i LC_ALL=C "$unshare" $user -m -u -i -n -p \
    "$pivot" --bare --bind root:/out $binds --chdir /out sandbox "$found" "$@"
}

# Root of a user namespace with one id is not root enough.
privileged() {
  [ "$(id -u)" -eq 0 ] || return 1
  [ ! -r /proc/self/uid_map ] || { read -r _ _ ids </proc/self/uid_map && [ "$ids" -gt 1 ]; }
}
