#!/bin/sh
# Runs inside the base, seeing nothing else, with images/ at /run/setup: the API's and the host's own certificate authorities are trusted.
set -eu
mkdir -p /usr/local/share/ca-certificates
cp -R /run/setup/certificates/. /usr/local/share/ca-certificates
update-ca-certificates > /dev/null
