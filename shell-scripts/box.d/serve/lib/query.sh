# The part of the URL behind the question mark: names of a closed set, each with one of a few values.

# Sets $follow, $force (yes or nothing) and $tail (a number or nothing).
take_query() {
  follow='' force='' tail='' rest=${QUERY_STRING-}
  while [ -n "$rest" ]; do
    pair=${rest%%&*}
    case $rest in *'&'*) rest=${rest#*&} ;; *) rest='' ;; esac
    take_pair "${pair%%=*}" "${pair#*=}"
  done
}

take_pair() {
  case ",$allowed_query," in
    *",${1:-,},"*) ;;
    *) fail 400 'the query has a name that is not known here' "${allowed_query:+known: $allowed_query}" ;;
  esac
  case $1=$2 in
    follow=1 | follow=true) follow=yes ;;
    force=1 | force=true) force=yes ;;
    follow=0 | follow=false | force=0 | force=false) ;;
    tail=0 | tail=[1-9] | tail=[1-9][0-9]*)
      case $2 in *[!0-9]* | ???????*) fail 400 'tail is a number from 0 to 999999' ;; esac
      tail=$2 ;;
    tail=*) fail 400 'tail is a number from 0 to 999999' ;;
    *) fail 400 "$1 is 1, 0, true or false" ;;
  esac
}
