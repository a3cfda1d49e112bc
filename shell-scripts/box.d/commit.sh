# commit: make an image of a box, of its changes as one more layer

synopsis='[OPTION ...] BOX IMAGE'
options='
 -f --force replace an image of that name
 -c --change =INSTRUCTION change a setting, as in CMD ["sh"] or ENV A=b; may be repeated
 -m --message =TEXT say what it is
 -a --author =NAME say who made it
 --no-pause let the box run on meanwhile
'

force='' instructions='' message='' author='' pause=yes

option() {
  case $1 in
    --force) force=yes ;;
    --change) add_change "$2" ;;
    --message) message=$2 ;;
    --author) author=$2 ;;
    --no-pause) pause='' ;;
  esac
}

add_change() {
  case $1 in
    CMD[\ =]* | ENTRYPOINT[\ =]* | ENV[\ =]* | EXPOSE[\ =]* | LABEL[\ =]* | USER[\ =]* | VOLUME[\ =]* | WORKDIR[\ =]* | STOPSIGNAL[\ =]*) ;;
    *) misuse "a change is CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR or STOPSIGNAL with its value, not $1" ;;
  esac
  quote_word "$1"
  instructions="$instructions $quoted_word"
}

verb_commit() {
  load boxes
  load pipeline
  load images
  load sources
  load hold
  load overlays
  limit=''
  parse_options "$@"
  shift "$taken"
  [ $# -eq 2 ] || misuse 'BOX and IMAGE are needed'
  open_images
  check_new "$2"
  one_box "$1"
  find_tools cgctl
  open_held_workshop
  find_base
  [ -z "$pause" ] || hold_box
  find_hidden
  upper=''
  each_root_option take_tree
  release_box
  describe_commit
  [ ! -f "$box/overlays" ] || attempt create "$work" cp "$box/overlays" overlays
  write_image "$2"
  note committed ",\"image\":\"$2\""
  read_value "$store/images/$2/id"
  echo "sha256:$value"
}

# The configuration that the image of the box had; one that is there no more, or was replaced by another, is as good as
# any other for the settings that the box was not given.
find_base() {
  read_value "$box/image"
  base=$store/images/$value/config.json
  [ -f "$base" ] || {
    echo '{}' >base.json
    base=$work/base.json
  }
}

# Sets $diff_ids to those layers of the image that another one hides: they are no part of the pipeline.
find_hidden() {
  diff_ids=''
  read_text "$box/pipeline"
  while IFS= read -r layer; do
    case $layer$text in
      /* | *"/layers/$layer/root"*) ;;
      *) diff_ids="$diff_ids sha256:${layer#sha256-}" ;;
    esac
  done <"$box/layers"
}

# What is no layer of the store, such as what --layer-on has laid over it, becomes one.
take_tree() {
  case $1 in
    --layer)
      case $2 in
        "$store/layers/sha256-"*/root) digest=${2#"$store/layers/sha256-"} digest=${digest%/root} ;;
        *) layer_from_upper "$2" ;;
      esac ;;
    --upper) find_changes "$box" && layer_from_upper "$changes" ;;
    *) return 0 ;;
  esac
  diff_ids="$diff_ids sha256:$digest"
}

# With the command and the settings of the box, as it was run.
describe_commit() {
  label=$which words=''
  each_root_option take_setting
  read_text "$box/command"
  eval "tag w $text"
  eval "tag l $diff_ids"
  eval "tag c $instructions"
  eval "ask commit \"\$base\" --arg created $(date -u +%Y-%m-%dT%H:%M:%SZ) --arg arch $(machine) \
    --arg message \"\$message\" --arg author \"\$author\" --args $words" >config.json
}

take_setting() {
  case $1=$2 in
    --env=HOME=/root) [ -f "$box/privileged" ] || tag e "$2" ;;
    --env=*=*) tag e "$2" ;;
    --user=*) tag u "$2" ;;
    --chdir=*) tag d "$2" ;;
  esac
}

# tag LETTER WORD...: adds LETTER:WORD to $words, quoted.
tag() {
  letter=$1
  shift
  for word; do
    quote_word "$letter:$word"
    words="$words $quoted_word"
  done
}
