# The pipeline of a box, its words looked at and changed. It was quoted by box itself, so that a shell may read it.

# each_word FUNCTION: calls it for each word of cgctl's and netns's part, with $link, $word, and $next, the one after it.
# What it makes of $word becomes part of $pipeline; nothing leaves the word out.
each_word() {
  read_text "$box/pipeline"
  eval "walk_words $1 $text"
}

walk_words() {
  act=$1 pipeline='' link='' before=--
  shift
  while [ $# -gt 0 ]; do
    [ "$before" != -- ] || [ "$link" = unshare-rs ] || link=${1##*/}
    word=$1 next=${2-} before=$1
    [ "$link" = unshare-rs ] || "$act"
    [ -z "$word" ] && [ -n "$before" ] || {
      quote_word "$word"
      pipeline=$pipeline${pipeline:+ }$quoted_word
    }
    shift
  done
}
