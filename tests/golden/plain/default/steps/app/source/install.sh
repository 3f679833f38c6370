#!/bin/sh
# Puts the app where it belongs.
set -eu
mkdir -p "$2/bin"
printf '#!/bin/sh\necho app\n' >"$2/bin/app"
chmod +x "$2/bin/app"
