# Run by the pod of `helm test` in busybox; $HOST and $PORT are the Service.
# timeout, because with -T the wget of a busybox linked to glibc crashes.
set -u
failures=0
case $HOST in *:*) HOST="[$HOST]" ;; esac

# What a request is answered with: status line and headers, then the content and
# an "x", which keeps the shell from dropping the newline at the end.
ask() { # PATH [WGET-OPTION...]
  path=$1
  shift
  timeout 10 wget -q -S -O - "$@" "http://$HOST:$PORT$path" 2>&1
  printf x
}

# A response has a status and, when they are given, a media type and, after the
# empty line, the exact content. wget indents the headers by two spaces, and shows
# neither headers nor content of an error.
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
expect 'GET /will' 200 "$(ask /will)" application/json '"Hello World"'
expect 'GET /ready' 200 "$(ask /ready)" application/json '"It works!"'
expect 'GET /nowhere' 404 "$(ask /nowhere)"
expect 'POST /will' 405 "$(ask /will --post-data x)"
[ "$failures" -eq 0 ]
