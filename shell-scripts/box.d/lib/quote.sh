# Words as text that a shell reads as the same words, and as JSON.

newline='
'

# quote WORD...: sets $quoted.
quote() {
  quoted=''
  for word; do
    quote_word "$word"
    quoted=$quoted${quoted:+ }$quoted_word
  done
}

# add_words VARIABLE WORD...: appends quoted words to a variable, with a blank before each.
add_words() {
  list=$1
  shift
  quote "$@"
  eval "$list=\"\$$list \$quoted\""
}

# Sets $quoted_word: as it is if no shell would touch it, else in single quotes.
quote_word() {
  case $1 in
    '' | [=~]* | *[!A-Za-z0-9_@%+=:,./-]*)
      rest=$1 quoted_word=''
      while :; do
        case $rest in
          *\'*) quoted_word=$quoted_word${rest%%\'*}\'\\\'\' rest=${rest#*\'} ;;
          *) break ;;
        esac
      done
      quoted_word=\'$quoted_word$rest\' ;;
    *) quoted_word=$1 ;;
  esac
}

# Sets $json to a JSON string. Only odd characters cost a process.
json_string() {
  case $1 in
    *[!\ -~]*) json=$(printf %s "$1" | jq -Rs .) ;;
    *[\\\"]*)
      rest=$1 json=''
      while :; do
        case $rest in
          *[\\\"]*)
            plain=${rest%%[\\\"]*} rest=${rest#"$plain"}
            json=$json$plain\\${rest%"${rest#?}"} rest=${rest#?} ;;
          *) break ;;
        esac
      done
      json=\"$json$rest\" ;;
    *) json=\"$1\" ;;
  esac
}

# step COMMAND...: runs it, or with --explain prints it.
step() {
  if [ -n "$explain" ]; then
    quote "$@"
    printf '%s\n' "$quoted"
  else
    "$@"
  fi
}
