#!/bin/sh
set -eu
asterisk -rx "agent show"
