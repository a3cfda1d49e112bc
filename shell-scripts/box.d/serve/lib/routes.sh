# Which function answers which request, and the names that its query may have.

# method, path, file of routes/, function, query
routes='
GET / about banner
GET /openapi.json about description
GET /containers containers list_boxes
GET /containers/BOX containers show_box
DELETE /containers/BOX changes remove_box force
GET /containers/BOX/explain containers explain_box
GET /containers/BOX/logs streams show_logs follow,tail
GET /containers/BOX/stats containers show_stats
POST /containers/BOX/start changes start_box
POST /containers/BOX/stop changes stop_box
POST /containers/BOX/kill changes kill_box
POST /containers/BOX/pause changes pause_box
POST /containers/BOX/unpause changes unpause_box
POST /containers/BOX/exec exec exec_in_box
GET /events streams show_events
GET /stats streams show_all_stats
GET /history records show_history tail
GET /images records list_images
GET /map records show_map
POST /run run run_or_stop
'

# Sets $method, $which (the box that the path names), $file, $function and $allowed_query.
find_route() {
  find_path "${PATH_INFO:-/}"
  method=${REQUEST_METHOD:-GET} head_only=''
  [ "$method" != HEAD ] || method=GET head_only=yes
  case $routes in
    *"$newline$method $path "*) route=${routes#*"$newline$method $path "} ;;
    *" $path "*) refuse_method ;;
    *) fail 404 'there is no such path' 'GET / lists what there is' ;;
  esac
  read -r file function allowed_query <<ROUTE
${route%%"$newline"*}
ROUTE
}

# Sets $path, with BOX for the name of a box, and $which to that name.
find_path() {
  which='' path=$1
  case $path in
    /containers/?*) ;;
    *[!a-z./]*) path=/none && return ;;
    *) return 0 ;;
  esac
  which=${path#/containers/} path=/containers/BOX
  case $which in */*) path=$path/${which#*/} ;; esac
  which=${which%%/*}
  case $path in *[!A-Za-z./]*) path=/none ;; esac
  case $which in
    '' | [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*) fail 404 'no box can have that name' \
      'names are letters, digits, _, . and -, and begin with a letter or digit' ;;
  esac
}

refuse_method() {
  allowed=''
  for method in GET POST DELETE; do
    case $routes in *"$newline$method $path "*) allowed="$allowed${allowed:+, }$method" ;; esac
  done
  case $allowed in GET*) allowed="GET, HEAD${allowed#GET}" ;; esac
  fail 405 "that method does nothing here" "allowed: $allowed" "Allow: $allowed"
}
