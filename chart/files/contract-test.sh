# The `helm test` pod runs this in busybox. $HOST and $PORT are those of the Service.
# `timeout`, because `wget -T` crashes in a busybox that is linked with glibc.
set -u
failures=0
case $HOST in *:*) HOST="[$HOST]" ;; esac

# Prints the response: status line, headers and content. The shell would drop a
# newline at the end, so an "x" follows.
request() { # PATH [WGET-OPTION...]
  path=$1
  shift
  timeout 10 wget -q -S -O - "$@" "http://$HOST:$PORT$path" 2>&1
  printf x
}

# Checks the status of a response and, if given, its media type and exact content,
# which follows the empty line. wget indents headers by two spaces, and prints
# neither headers nor content of an error response.
expect() { # NAME STATUS RESPONSE [MEDIA-TYPE CONTENT]
  case $3 in
    *"HTTP/1.1 $2"*) ;;
    *) wrong "$1" "status $2" "$3"; return ;;
  esac
  if [ $# -gt 3 ]; then
    headers=$(printf %s "$3" | tr -d '\r' | tr '[:upper:]' '[:lower:]')
    case $headers in
      *"content-type: $4
"*) ;;
      *) wrong "$1" "content-type $4" "$3"; return ;;
    esac
    case $3 in
      *"
  
$5
x") ;;
      *) wrong "$1" "exactly $5 and a newline" "$3"; return ;;
    esac
  fi
  echo "ok    $1"
}

wrong() { # NAME EXPECTED RESPONSE
  echo "WRONG $1: expected $2, got:"
  printf '%s\n' "${3%x}" | sed 's/^/      /'
  failures=$((failures + 1))
}

echo "http://$HOST:$PORT"
expect 'GET /will' 200 "$(request /will)" application/json '"Hello World"'
expect 'GET /ready' 200 "$(request /ready)" application/json '"It works!"'
expect 'GET /nowhere' 404 "$(request /nowhere)"
expect 'POST /will' 405 "$(request /will --post-data x)"
[ "$failures" -eq 0 ]
