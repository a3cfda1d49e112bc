# The pipeline of a box, its words looked at and changed. It was quoted by box itself, so that a shell may read it.

# each_word FUNCTION: calls it for each word of cgctl's and netns's parts, with $link, $previous, $word and $next. What it
# makes of $word becomes part of $pipeline.
each_word() {
  read_text "$box/pipeline"
  eval "walk_words $1 $text"
}

walk_words() {
  act=$1 pipeline='' link='' previous=--
  shift
  while [ $# -gt 0 ]; do
    [ "$previous" != -- ] || [ "$link" = unshare-rs ] || link=${1##*/}
    # The first of two only makes a user root: netns comes behind it.
    case "$link ${2-} ${3-} ${4-}" in 'unshare-rs -Ur -- '* | 'unshare-rs -Ur --map-auto --') link=maps ;; esac
    word=$1 next=${2-}
    [ "$link" = unshare-rs ] || "$act"
    quote_word "$word"
    pipeline=$pipeline${pipeline:+ }$quoted_word previous=$1
    shift
  done
}

# each_root_option FUNCTION: calls it with OPTION and VALUE for what pivot is told before the command of the box.
each_root_option() {
  read_text "$box/command"
  command_text=$text
  read_text "$box/pipeline"
  eval "walk_root $1 ${text%" $command_text"}"
}

# A value never looks like an option.
walk_root() {
  act=$1
  while shift && [ $# -gt 0 ] && [ "${1##*/}" != pivot ]; do
    case $1 in --hostname) shift ;; esac
  done
  while shift && [ $# -gt 0 ]; do
    case $1 in
      --*=*) "$act" "$1" '' ;;
      -*)
        case ${2-} in
          '' | -*) "$act" "$1" '' ;;
          *) "$act" "$1" "$2" && shift ;;
        esac ;;
    esac
  done
}
