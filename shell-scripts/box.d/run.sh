# run: make a box from an image and run a command in it

synopsis='[OPTION ...] IMAGE [COMMAND [ARG ...]]'
options='
 -d --detach run in the background and print the ID
 -i --interactive leave standard input open
 -t --tty give the command a terminal of its own
 --rm remove the box when it has ended
 --name =NAME call it that; otherwise the first part of its ID
 -m --memory =SIZE limit memory, as in 64M
 -c --cpus =CORES limit processor time, as in 0.5
 --pids =NUMBER limit processes and threads; 2048 otherwise, max for none
 -p --publish =PORT lead [ADDRESS:]PORT of the host to a PORT of the box, as in 8080:80
 -v --volume =SRC:DST show a file or directory of the host; :ro behind it makes it read-only
 --tmpfs =DST show an empty directory in memory
 -e --env =NAME=VALUE set a variable; the one of the caller without =VALUE
 --env-file =FILE set a variable for each line of FILE
 -w --workdir =DIR start in this directory of the box
 -u --user =USER run as this user of the box, USER[:GROUP]
 --hostname =NAME set the host name; otherwise the first part of the ID
 --read-only let the root not be changed
 --net =NET join this network: box, one of netns, none or host
 --layer-on =DIR lay this directory over the image; may be repeated
 --privileged confine nothing
 --cap-add =CAP leave a capability that is taken away otherwise
 --cap-drop =CAP take a capability away
 --init put an init that reaps before the command
 --entrypoint =COMMAND run this in place of the entrypoint of the image
'

verb_run() {
  plan_nothing
  parse_options "$@"
  shift "$taken"
  [ $# -gt 0 ] || misuse 'IMAGE is missing'
  image=$1
  shift
  find_places
  load plan
  load launch
  read_image "$image"
  plan_command "$@"
  plan_box
  make_box
  launch
}

plan_nothing() {
  detach='' interactive='' tty='' remove='' name='' memory='' cpus='' pids=2048 pids_asked='' ports='' mounts='' variables=''
  workdir='' user='' hostname='' read_only='' net='' over='' privileged='' capabilities='' init='' entrypoint=''
  has_entrypoint=''
}

option() {
  quote_word "$2"
  case $1 in
    --detach) detach=yes ;;
    --interactive) interactive=yes ;;
    --tty) tty=yes ;;
    --rm) remove=yes ;;
    --name) check_name 'a box' "$2" && name=$2 ;;
    --memory) memory=$2 ;;
    --cpus) cpus=$2 ;;
    --pids) pids=$2 pids_asked=yes ;;
    --publish) ports="$ports -p $quoted_word" ;;
    --volume) plan_volume "$2" ;;
    --tmpfs)
      check_mount_options "$2"
      mounts="$mounts --tmpfs $quoted_word" ;;
    --env)
      find_variable "$2"
      [ -z "$assignment" ] || add_words variables --env "$assignment" ;;
    --env-file) absolute "$2" && add_words variables --env-file "$found" ;;
    --workdir) workdir=$2 ;;
    --user) user=$2 ;;
    --hostname) hostname=$2 ;;
    --read-only) read_only=yes ;;
    --net) check_name 'a network' "$2" && net=$2 ;;
    --layer-on) absolute "$2" && add_words over --layer "$found" ;;
    --privileged) privileged=yes ;;
    --cap-add | --cap-drop) capabilities="$capabilities $1 $quoted_word" ;;
    --init) init=yes ;;
    --entrypoint) entrypoint=${2:+$quoted_word} has_entrypoint=yes ;;
  esac
}

mount_options='ro rw suid nosuid dev nodev exec noexec nosymfollow noatime nodiratime relatime strictatime'
mount_options="$mount_options norec private slave shared unbindable idmap"

plan_volume() {
  source=${1%%:*}
  case $1 in
    /*:/* | ./*:/* | ../*:/* | .:/* | ..:/*) ;;
    :*) misuse "a volume is SRC:DST or SRC:DST:ro, not $1" ;;
    *:/*) die "cannot show $source as a volume: it is no path" "volumes are files and directories: ./$1" ;;
    *) misuse "a volume is SRC:DST or SRC:DST:ro, not $1" ;;
  esac
  [ -e "$source" ] || die "cannot show $source as a volume: No such file or directory"
  check_mount_options "$1"
  absolute "$1" && add_words mounts --bind "$found"
}

# To pivot a tail without any word that it knows is a part of DST, where :z more likely asks for something.
check_mount_options() {
  tail=${1##*:}
  case $tail in */* | *=* | "$1") return ;; esac
  case " $mount_options " in
    *" ${tail%%,*} "*) ;;
    *) misuse "there is no option '$tail' as in $1; a name that ends so takes :rw behind it" ;;
  esac
}

# Sets $found to a path that means the same wherever the box is started again.
absolute() {
  case $1 in /*) found=$1 ;; *) found=$PWD/$1 ;; esac
}
