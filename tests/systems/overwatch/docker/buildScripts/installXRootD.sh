#!/bin/bash
set -euo pipefail
cmake -S . -B build
make -C build install
