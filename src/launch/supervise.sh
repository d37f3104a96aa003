#!/bin/sh
# Keeps the server running: starts it again when it ends by itself, waiting longer each time it ends soon.
# Invariant: SIGTERM to this process ends the server first, then this. Arguments: the server's command line.
child=
stop() { trap '' TERM INT; [ -z "$child" ] || { kill -TERM "$child" 2>/dev/null; wait "$child" 2>/dev/null; }; exit 0; }
trap stop TERM INT
delay=1
while :; do
  began=$(date +%s)
  "$@" &
  child=$!
  wait "$child"
  code=$?
  child=
  [ $(($(date +%s) - began)) -lt 60 ] || delay=1
  printf '{"time":"%s","level":"error","event":"server ended","code":%d,"restartInSeconds":%d}\n' "$(date -u +%FT%TZ)" "$code" "$delay"
  sleep "$delay" &
  child=$!
  wait "$child"
  child=
  delay=$((delay * 2)); [ "$delay" -le 30 ] || delay=30
done
